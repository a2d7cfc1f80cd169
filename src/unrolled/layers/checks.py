"""What a layer's input must look like, and how unbatched, batch-first and packed inputs become `[T, B, I]`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.cells import Cell
from unrolled.engines import Lengths
from unrolled.errors import ConfigError, ConfigTypeError, ShapeError
from unrolled.layers.planes import AXES, Planes, channels_first, check_planes
from unrolled.shapes import expect_shape


def check_options(*, may_drop_all: bool, **options: Any) -> None:
    """Raise a `ConfigError` for a value that an option of a layer cannot have. Torch's layers may drop all that is between them."""
    sizes = options["input_size"]
    parts = [("input_size", size) for size in sizes] if isinstance(sizes, (tuple, list)) and sizes else [("input_size", sizes)]
    for name, value in (*parts, ("hidden_size", options["hidden_size"]), ("num_layers", options["num_layers"])):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            kind = ConfigError if isinstance(value, int) else ConfigTypeError
            raise kind(f"`{name}` must be a whole number of at least 1, got {value!r}.")
    for name in ("dropout", "recurrent_dropout"):
        value = options[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not (0 <= value < 1 or (value == 1 and may_drop_all)):
            kind = ConfigError if isinstance(value, (int, float)) else ConfigTypeError
            raise kind(f"`{name}` must be a probability from 0 up to but not including 1, got {value!r}.")
    for name in ("bidirectional", "batch_first", "residual", "bfloat16_weights"):
        if not isinstance(options[name], bool):
            raise ConfigTypeError(f"`{name}` must be True or False, got {options[name]!r}.")
    steps = options["checkpoint_steps"]
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
        raise ConfigError(f"`checkpoint_steps` must be None or a whole number of at least 1, got {steps!r}.")
    if options["initial_state"] not in ("zeros", "learned"):
        raise ConfigError(f"`initial_state` must be 'zeros' or 'learned', got {options['initial_state']!r}.")


def join_parts(x: object, cell: Cell, planes: Planes | None) -> Any:
    """The input as one tensor, where it was given as a tuple of its parts. Raises `ShapeError`."""
    names = [name for name, _ in cell.recurrence.parts]
    if type(x) not in (tuple, list) or not names:
        return x
    assert isinstance(x, (tuple, list))
    if len(x) != len(names) or not all(isinstance(part, Tensor) and part.is_floating_point() for part in x):
        raise ShapeError(
            f"`x` must be one tensor of numbers, or one for each part: the cell {cell.name!r} reads the parts {', '.join(names)}, got {len(x)}."
        )
    if len({part.shape[:-1] for part in x}) > 1 and planes is None:
        shapes = " and ".join(str(list(part.shape)) for part in x)
        raise ShapeError(f"The parts of `x` must have the same steps and sequences, got {shapes}.")
    return torch.cat(list(x), -1 - planes.dimensions if planes else -1)


@dataclass(frozen=True)
class Arrangement:
    """How the caller's tensors were laid out, so that the results can be given back the same way."""

    batched: bool = True
    batch_first: bool = False
    packed: PackedSequence | None = None
    planes: bool = False

    def steps(self, y: Tensor, lengths: Tensor | None = None) -> Tensor | PackedSequence:
        """A `[T, B, n]` result in the caller's layout; there, the channels of a plane stand before its places."""
        y = channels_first(y) if self.planes else y
        if self.packed is not None and lengths is not None:
            order = self.packed.sorted_indices
            y, lengths = (y, lengths) if order is None else (y[:, order], lengths[order])
            data = pack_padded_sequence(y, lengths.cpu()).data
            return PackedSequence(data, self.packed.batch_sizes, order, self.packed.unsorted_indices)
        if not self.batched:
            return y[:, 0]
        return y.transpose(0, 1) if self.batch_first else y

    def every_step(self, states: Tensor) -> Tensor:
        """All states of all layers, `[L * D, T, B, n]`, in the caller's layout."""
        states = states.movedim(-1, 3) if self.planes else states
        if not self.batched:
            return states[:, :, 0]
        return states.transpose(1, 2) if self.batch_first else states

    def state(self, state: Tensor) -> Tensor:
        """A final state `[L * D, B, n]` in the caller's layout."""
        state = state.movedim(-1, 2) if self.planes else state
        return state if self.batched else state[:, 0]

    def inside(self, state: Tensor) -> Tensor:
        """A batched state of the caller's as engines have it, with the units last."""
        return state.movedim(2, -1).contiguous() if self.planes else state


def arrange(
    x: Tensor | PackedSequence, batch_first: bool, input_size: int, planes: Planes | None = None
) -> tuple[Tensor, Arrangement, Tensor | None]:
    """The input as `[T, B, I]` (or integers `[T, B]`), how it was laid out, and the lengths that a packed one brings.

    Planes come as `[T, B, *space, I]`.
    """
    if planes is not None:
        return _arrange_planes(x, batch_first, input_size, planes)
    if isinstance(x, PackedSequence):
        padded, lengths = pad_packed_sequence(x)
        _check_x(padded, input_size, unbatched=False)
        return padded, Arrangement(packed=x), lengths
    _check_x(x, input_size, unbatched=True)
    if x.dim() - x.is_floating_point() == 1:
        return x.unsqueeze(1), Arrangement(batched=False), None
    return (x.transpose(0, 1) if batch_first else x), Arrangement(batch_first=batch_first), None


def _arrange_planes(
    x: Tensor | PackedSequence, batch_first: bool, channels: int, planes: Planes
) -> tuple[Tensor, Arrangement, Tensor | None]:
    if isinstance(x, PackedSequence):
        padded, lengths = pad_packed_sequence(x)
        check_planes(padded, planes, channels, unbatched=False)
        return padded.movedim(2, -1), Arrangement(packed=x, planes=True), lengths
    check_planes(x, planes, channels, unbatched=True)
    if x.dim() - planes.dimensions == 2:
        return x.unsqueeze(1).movedim(2, -1), Arrangement(batched=False, planes=True), None
    return (x.transpose(0, 1) if batch_first else x).movedim(2, -1), Arrangement(batch_first=batch_first, planes=True), None


def _check_x(x: object, input_size: int, *, unbatched: bool) -> None:
    if not isinstance(x, Tensor):
        raise ShapeError(f"`x` must be a tensor or a PackedSequence, got {type(x).__name__}.")
    if x.is_complex() or x.dtype == torch.bool:
        raise ShapeError(f"`x` must be real numbers [T, B, I], or whole numbers [T, B] that stand for one-hot vectors, got {x.dtype}.")
    dense = x.is_floating_point()
    if x.dim() - dense not in ((1, 2) if unbatched else (2,)):
        expected = [shape + (", I]" if dense else "]") for shape in ("[T, B", *(["[T"] if unbatched else []))]
        why = "" if dense else ", as whole numbers stand for one-hot vectors"
        raise ShapeError(f"`x` must have shape {' or, unbatched, '.join(expected)}{why}, got {list(x.shape)}.")
    if dense and x.shape[-1] != input_size:
        raise ShapeError(
            f"input.size(-1) must be equal to input_size. Expected {input_size}, got {x.shape[-1]}: `x` is [T, B, I], here {list(x.shape)}."
        )


def are_batched(x_t: Any, planes: Planes | None) -> bool:
    """Whether one step is of several sequences. Raises `ShapeError` for what is no step."""
    if planes is None:
        expected, alone = "[B, I], or whole numbers [B]; unbatched [I] or []", int(isinstance(x_t, Tensor) and x_t.is_floating_point())
    else:
        expected, alone = f"[B, C, {AXES[planes.dimensions]}]; unbatched without B", planes.dimensions + 1
    if not isinstance(x_t, Tensor) or x_t.dim() - alone not in (0, 1):
        got = list(x_t.shape) if isinstance(x_t, Tensor) else type(x_t).__name__
        raise ShapeError(f"`x_t` must be one step: a tensor {expected}. Got {got}.")
    return x_t.dim() > alone


def check_range(x: Tensor, lengths: Lengths | None, input_size: int) -> None:
    """Whole numbers must be columns of a one-hot vector; what stands past a sequence's end is not looked at."""
    if torch.compiler.is_compiling():
        return  # Which numbers they are is not known yet; the engine has to look.
    real = x if lengths is None else x[lengths.mask]
    if not real.numel():
        return
    least, most = torch.stack(real.aminmax()).tolist()
    if least < 0 or most >= input_size:
        raise ShapeError(f"`x` of whole numbers must lie between 0 and input_size - 1 = {input_size - 1}, got {least} to {most}.")


def read_resets(resets: object, x: Tensor, arrangement: Arrangement) -> Tensor:
    """Checked resets as `[T, B]`, for an input `x` that has been arranged. Raises `ShapeError`."""
    if arrangement.packed is not None:
        raise ShapeError(
            "`resets` was given with a PackedSequence. Unpack it with `pad_packed_sequence` and give its lengths as `lengths`."
        )
    if not isinstance(resets, Tensor):
        raise ShapeError(f"`resets` must be a boolean tensor, got {type(resets).__name__}. Convert with `torch.tensor(resets)`.")
    if resets.dtype != torch.bool:
        raise ShapeError(
            f"`resets` must be boolean, true where a new sequence begins, got {resets.dtype}. Convert ones and zeros with `.bool()`."
        )
    steps, batch = x.shape[:2]
    if not arrangement.batched:
        letters, sizes = "[T]", [steps]
    else:
        letters, sizes = ("[B, T]", [batch, steps]) if arrangement.batch_first else ("[T, B]", [steps, batch])
    expect_shape("resets", resets.shape, letters, sizes, "Pass one value for each step of each row.")
    if resets.device != x.device:
        raise ShapeError(f"`resets` lies on {resets.device} but `x` on {x.device}. Move it with `.to(x.device)`.")
    if not arrangement.batched:
        return resets[:, None]
    return resets.transpose(0, 1) if arrangement.batch_first else resets


def in_reverse(resets: Tensor) -> Tensor:
    """The same cuts for a reader from the end, who comes from step t to step t - 1 across the one before t."""
    turned = torch.zeros_like(resets)
    turned[:-1] = resets[1:]
    return turned


def as_parameters(states: tuple[Tensor, ...], names: Sequence[str], weight: Tensor) -> tuple[Tensor, ...]:
    """States in the parameters' dtype. Only autocast may bring them in another one: what a linear map made is of autocast's own."""
    if torch.is_autocast_enabled(weight.device.type):
        states = tuple(s.to(weight.dtype) if s.is_floating_point() else s for s in states)
    for name, state in zip(names, states, strict=True):
        if (state.dtype, state.device) != (weight.dtype, weight.device):
            raise ShapeError(
                f"`state {name}` has {state.dtype} on {state.device} but the parameters have {weight.dtype} on {weight.device}. "
                "Convert it with `.to(device, dtype)`."
            )
    return states


def check_state(
    state: object, names: Sequence[str], places: int, batch: int, units: Sequence[int], batched: bool, space: Sequence[int] = ()
) -> tuple[Tensor, ...]:
    """The caller's states as `[L * D, B, n]` each, or `[L * D, B, n, *space]` for an input of such planes."""
    given = tuple(state) if isinstance(state, (tuple, list)) else (state,)
    if len(given) != len(names) or not all(isinstance(s, Tensor) for s in given):
        kinds = ", ".join(type(s).__name__ for s in given)
        wanted = "one tensor" if len(names) == 1 else f"a tuple of {len(names)} tensors"
        raise ShapeError(f"`state` must be {wanted} ({', '.join(names)}), got ({kinds}).")
    checked = []
    for name, tensor, n in zip(names, given, units, strict=True):
        axes = f", {AXES[len(space)]}" if space else ""
        sizes, letters = ([places, batch, n, *space], f"[L*D, B, n{axes}]") if batched else ([places, n, *space], f"[L*D, n{axes}]")
        expect_shape(f"state {name}", tensor.shape, letters, sizes, "Pass the state that the layer returned, or None to begin anew.")
        checked.append(tensor if batched else tensor.unsqueeze(1))
    return tuple(checked)
