"""Files that are either the old ones or the new ones, never half of each; and tensors in them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from unrolled.errors import RunError
from unrolled.files import name_of, open_file, replace_file


def save_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file in one step; `write` is given the open file. `RunError` if that fails; then `path` is as it was."""
    try:
        replace_file(path, write)
    except OSError as error:
        reason = error.strerror or str(error)
        kept = "The one that was there before is intact. " if path.exists() else ""
        raise RunError(f"{path} could not be written: {reason}. {kept}Make room or permission there, then go on.") from None


def save_text(path: Path, text: str) -> None:
    """Write a text file in one step, in UTF-8."""
    save_whole(path, lambda file: file.write(text.encode("utf-8")))


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> None:
    """Write a safetensors file in one step."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = save(plain, metadata and dict(metadata))
    save_whole(path, lambda file: file.write(content))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file and its metadata. `RunError` if it is missing, is not whole, or holds numbers that are not finite."""
    tensors, metadata = map_tensors(path)
    if told := not_finite(tensors):
        raise RunError(f"{path} is of no use: {told}. Take it from a copy of the run, or train again with a lower `learning_rate`.")
    return tensors, metadata


def map_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The same without a look at the numbers, which are not read before they are used."""
    try:
        with open_file(path) as file, safe_open(name_of(file, path), "pt") as found:
            return {name: found.get_tensor(name) for name in found.keys()}, found.metadata() or {}  # noqa: SIM118
    except FileNotFoundError:
        raise RunError(f"{path} is missing. Take it from a copy of the run, or train again.") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}. Take it from a copy of the run, or train again.") from None
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise RunError(f"{path} is damaged or not a safetensors file: {error}. Take it from a copy of the run, or train again.") from None


def not_finite(tensors: Mapping[str, Tensor]) -> str:
    """Where there are numbers that are NaN or infinite, and how many, in words; nothing if there are none."""
    # torch cannot ask all floating-point types of 8 bits, which no tensor of a run has.
    asked = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.itemsize > 1}
    broken = {name: n for name, tensor in asked.items() if (n := tensor.numel() - int(tensor.isfinite().sum()))}
    if not broken:
        return ""
    name, count = next(iter(broken.items()))
    others = f" ({len(broken)} tensors have such numbers)" if len(broken) > 1 else ""
    return f"{count:,} of the {tensors[name].numel():,} numbers of the tensor {name!r} are not finite{others}"


def parameters_of(model: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer, each once, by name."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


def load_into(own: Mapping[str, Tensor], given: Mapping[str, Tensor], path: Path) -> None:
    """Copy tensors over those of the same name. `RunError`, and nothing is copied, unless names, shapes and dtypes are the same."""
    require_same(own, given, path)
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(given[name])


def require_same(own: Mapping[str, Tensor], given: Mapping[str, Tensor], path: Path) -> None:
    """`RunError` unless the tensors of a file have the names, shapes and dtypes of one's own."""
    for name in own.keys() ^ given.keys():
        where = "has no" if name in own else "has an unexpected"
        raise RunError(
            f"{path} {where} tensor {name!r}: it belongs to another configuration. Take the file that was written with this one."
        )
    for name, tensor in own.items():
        expected, got = (f"{list(t.shape)} {t.dtype}" for t in (tensor, given[name]))
        if expected != got:
            raise RunError(f"{path} must have {name!r} of {expected}, got {got}: it belongs to another configuration.")
