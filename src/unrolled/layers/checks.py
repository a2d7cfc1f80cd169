"""What a layer's input must look like, and how unbatched, batch-first and packed inputs become `[T, B, I]`."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from unrolled.engines import Lengths
from unrolled.errors import ShapeError
from unrolled.shapes import expect_shape


@dataclass(frozen=True)
class Arrangement:
    """How the caller's tensors were laid out, so that the results can be given back the same way."""

    batched: bool = True
    batch_first: bool = False
    packed: PackedSequence | None = None

    def steps(self, y: Tensor, lengths: Tensor | None = None) -> Tensor | PackedSequence:
        """A `[T, B, n]` result in the caller's layout."""
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
        if not self.batched:
            return states[:, :, 0]
        return states.transpose(1, 2) if self.batch_first else states

    def state(self, state: Tensor) -> Tensor:
        """A final state `[L * D, B, n]` in the caller's layout."""
        return state if self.batched else state[:, 0]


def arrange(x: Tensor | PackedSequence, batch_first: bool, input_size: int) -> tuple[Tensor, Arrangement, Tensor | None]:
    """The input as `[T, B, I]` (or integers `[T, B]`), how it was laid out, and the lengths that a packed one brings."""
    if isinstance(x, PackedSequence):
        padded, lengths = pad_packed_sequence(x)
        _check_x(padded, input_size, "[T, B")
        return padded, Arrangement(packed=x), lengths
    _check_x(x, input_size, "[T, B", "[T")
    if x.dim() - x.is_floating_point() == 1:
        return x.unsqueeze(1), Arrangement(batched=False), None
    return (x.transpose(0, 1) if batch_first else x), Arrangement(batch_first=batch_first), None


def _check_x(x: object, input_size: int, *shapes: str) -> None:
    if not isinstance(x, Tensor):
        raise ShapeError(f"`x` must be a tensor or a PackedSequence, got {type(x).__name__}.")
    if x.is_complex() or x.dtype == torch.bool:
        raise ShapeError(f"`x` must be real numbers [T, B, I], or whole numbers [T, B] that stand for one-hot vectors, got {x.dtype}.")
    dense = x.is_floating_point()
    expected = [f"{shape}{', I' if dense else ''}]" for shape in shapes]
    if x.dim() not in [shape.count(",") + 1 for shape in expected]:
        why = "" if dense else ", as whole numbers stand for one-hot vectors"
        raise ShapeError(f"`x` must have shape {' or, unbatched, '.join(expected)}{why}, got {list(x.shape)}.")
    if dense and x.shape[-1] != input_size:
        raise ShapeError(
            f"input.size(-1) must be equal to input_size. Expected {input_size}, got {x.shape[-1]}: `x` is [T, B, I], here {list(x.shape)}."
        )


def check_range(x: Tensor, lengths: Lengths | None, input_size: int) -> None:
    """Whole numbers must be columns of a one-hot vector; what stands past a sequence's end is not looked at."""
    real = x if lengths is None else x[lengths.mask]
    if not real.numel():
        return
    least, most = (int(v) for v in real.aminmax())
    if least < 0 or most >= input_size:
        raise ShapeError(f"`x` of whole numbers must lie between 0 and input_size - 1 = {input_size - 1}, got {least} to {most}.")


def check_state(state: object, names: Sequence[str], places: int, batch: int, units: Sequence[int], batched: bool) -> tuple[Tensor, ...]:
    """The caller's states as `[L * D, B, n]` each."""
    given = tuple(state) if isinstance(state, (tuple, list)) else (state,)
    if len(given) != len(names) or not all(isinstance(s, Tensor) for s in given):
        kinds = ", ".join(type(s).__name__ for s in given)
        wanted = "one tensor" if len(names) == 1 else f"a tuple of {len(names)} tensors"
        raise ShapeError(f"`state` must be {wanted} ({', '.join(names)}), got ({kinds}).")
    checked = []
    for name, tensor, n in zip(names, given, units, strict=True):
        sizes, letters = ([places, batch, n], "[L*D, B, n]") if batched else ([places, n], "[L*D, n]")
        expect_shape(f"state {name}", tensor.shape, letters, sizes, "Pass the state that the layer returned, or None to begin anew.")
        checked.append(tensor if batched else tensor.unsqueeze(1))
    return tuple(checked)
