"""The lengths of the sequences in a batch, and the order in which a loop over real steps alone visits them."""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from unrolled.errors import ShapeError

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class Lengths:
    """How many steps of each row are real; the rest is padding and is never read.

    `values` has the lengths `[B]`. What else an engine reads is computed when it is first asked for: the real steps are visited step by step,
    longest sequences first, so that at step t the first `counts[t]` rows of `order` are still running.
    """

    def __init__(self, lengths: Tensor, steps: int, device: torch.device) -> None:
        self.values = lengths.to(device=device, dtype=torch.int64)
        self.steps, self.batch = steps, len(lengths)

    @cached_property
    def order(self) -> Tensor:
        """The rows `[B]`, longest sequences first."""
        return torch.argsort(self.values, descending=True, stable=True)

    @cached_property
    def back(self) -> Tensor:
        """Where each row `[B]` stands in `order`."""
        return torch.argsort(self.order)

    @cached_property
    def mask(self) -> Tensor:
        """`[T, B]`, true at real steps."""
        return self._times < self.values

    @cached_property
    def counts(self) -> list[int]:
        """How many rows are still running at each step. On a GPU this waits for it."""
        return self.mask.sum(1).tolist()

    @cached_property
    def index(self) -> Tensor:
        """The real steps as rows of `[T * B]`, in the order in which the loop visits them."""
        return (self._times * self.batch + self.order)[self.mask[:, self.order]]

    @cached_property
    def _times(self) -> Tensor:
        return torch.arange(self.steps, device=self.values.device)[:, None]


def beside(flags: Tensor, values: Tensor) -> Tensor:
    """Flags for the first dimensions of values, as columns: with a dimension of 1 for each that the values have more."""
    return flags.reshape(*flags.shape, *(1,) * (values.dim() - flags.dim()))


def read_lengths(lengths: Tensor | Sequence[int], steps: int, batch: int, device: torch.device) -> Lengths:
    """Checked lengths: whole numbers `[B]` from 0 to T, on any device, in any order. Raises `ShapeError` for anything else."""
    try:
        given = torch.as_tensor(lengths)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ShapeError(f"`lengths` must be a tensor or list of whole numbers, got {type(lengths).__name__} ({error}).") from None
    if tuple(given.shape) != (batch,):
        raise ShapeError(f"`lengths` must have shape [B] = [{batch}], got {list(given.shape)}. Pass one length per sequence.")
    if batch and given.dtype not in _INTEGERS:
        raise ShapeError(f"`lengths` must be whole numbers, got {given.dtype}. Convert with `lengths.long()`.")
    if torch.compiler.is_compiling():
        return Lengths(given, steps, device)  # Which numbers they are is not known yet; the engine has to look.
    least, most = torch.stack(given.aminmax()).tolist() if batch else (0, 0)  # One transfer from a GPU, not two.
    if least < 0 or most > steps:
        row = int(((given < 0) | (given > steps)).nonzero()[0])
        raise ShapeError(
            f"`lengths` must lie between 0 and T = {steps}, got {int(given[row])} in row {row}. Pass the number of real steps of each sequence."
        )
    return Lengths(given, steps, device)
