"""Fewer steps: convolutions with a stride, between what there is to read and the recurrent layers."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.layers import dropout

KERNEL = 5
"""Steps that each convolution reads."""

STRIDE = 2
"""Steps of which each convolution makes one."""


class Subsampling(nn.Module):
    """Rectified convolutions over time, each of which halves the number of steps: of T come ⌈T / 2⌉, ⌈T / 4⌉ and so on.

    What they find is standardised over the real steps of a batch in training, and by running means afterwards (Ioffe & Szegedy 2015,
    "Batch Normalization"); with CTC, networks leave the time in which they say nothing but blanks several times sooner so.

    With `ahead` each reads the steps around its own. Without it, it reads none that is still to come, and a stream carries on the last
    `KERNEL - STRIDE` steps of what each convolution reads.

    Args:
        columns: I, those of the input.
        channels: those of each convolution, and of the result.
        halvings: how many convolutions there are.
        ahead: whether they may read ahead.
        probability: the part of what they find that is dropped in training.
    """

    def __init__(self, columns: int, channels: int, halvings: int, ahead: bool, probability: float) -> None:
        super().__init__()
        sizes = [columns, *[channels] * halvings]
        self.convolutions = nn.ModuleList(nn.Conv1d(before, after, KERNEL, STRIDE) for before, after in pairwise(sizes))
        self.normalisations = nn.ModuleList(nn.BatchNorm1d(channels) for _ in range(halvings))
        self.width, self.factor, self.ahead, self.probability = channels, STRIDE**halvings, ahead, probability
        self.before = STRIDE if ahead else KERNEL - STRIDE
        self._sizes = sizes[:-1]

    def lengths(self, lengths: Tensor) -> Tensor:
        """How many steps are left of so many."""
        return -(-lengths // self.factor)

    def begin(self, batch: int, like: Tensor) -> tuple[Tensor, ...]:
        """What a stream carries before its first step, `[before, B, …]` for each convolution: nothing."""
        return tuple(like.new_zeros(self.before, batch, size) for size in self._sizes)

    def forward(
        self, x: Tensor, carried: tuple[Tensor, ...] | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """`[⌈T / factor⌉, B, channels]`, 0 past each end, and what a stream carries on; that is right where T is a multiple of `factor`.

        `x` is `[T, B, I]`, 0 past the ends of rows with some `lengths` `[B]`.
        """
        tails = self.begin(x.shape[1], x) if carried is None else carried
        left = list[Tensor]()
        for convolution, normalise, tail in zip(self.convolutions, self.normalisations, tails, strict=True):
            along = torch.cat([tail.to(x), x])
            left.append(along[len(along) - self.before :])
            lengths = None if lengths is None else -(-lengths // STRIDE)
            x = _convolved(convolution, along, -(-len(x) // STRIDE))
            real = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device) if lengths is None else _inside(x, lengths)
            found = normalise(x[real]).relu() if int(real.sum()) > self.training else x[real].relu()
            x = torch.zeros_like(x).masked_scatter(real[..., None], dropout(found, self.probability, self.training))
        return x, tuple(left)


def _convolved(convolution: nn.Module, along: Tensor, steps: int) -> Tensor:
    """`[steps, B, C]`, with silence after the end as far as it takes some."""
    along = functional.pad(along, (0, 0, 0, 0, 0, max((steps - 1) * STRIDE + KERNEL - len(along), 0)))
    found: Tensor = convolution(along.permute(1, 2, 0))[..., :steps]
    return found.permute(2, 0, 1)


def _inside(x: Tensor, lengths: Tensor) -> Tensor:
    """Which steps are real, `[T, B]`."""
    return torch.arange(len(x), device=x.device)[:, None] < lengths.to(x.device)
