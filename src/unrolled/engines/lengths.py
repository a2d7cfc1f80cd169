"""The lengths of the sequences in a batch, and the order in which a loop over real steps alone visits them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from unrolled.errors import ShapeError

_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class Lengths:
    """How many steps of each row are real; the rest is padding and is never read.

    `index` lists the real steps as rows of `[T * B]`, step by step, longest sequences first; at step t the first `counts[t]` rows of
    `order` are still running.
    """

    def __init__(self, lengths: Tensor, steps: int, device: torch.device) -> None:
        self.values = lengths.to(device=device, dtype=torch.int64)
        self.steps, self.batch = steps, len(lengths)
        self.order = torch.argsort(self.values, descending=True, stable=True)
        self.back = torch.argsort(self.order)
        self.mask = torch.arange(steps, device=device)[:, None] < self.values
        self.counts: list[int] = self.mask.sum(1).tolist()
        self.index = (torch.arange(steps, device=device)[:, None] * self.batch + self.order)[self.mask[:, self.order]]


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
    if batch and (int(given.min()) < 0 or int(given.max()) > steps):
        row = int(((given < 0) | (given > steps)).nonzero()[0])
        raise ShapeError(
            f"`lengths` must lie between 0 and T = {steps}, got {int(given[row])} in row {row}. Pass the number of real steps of each sequence."
        )
    return Lengths(given, steps, device)
