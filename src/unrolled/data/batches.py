"""Sequences in batches of about the same length, padded; and in two parts, what is learnt and what is held out."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.sequences import Numbers


def padded(flat: NDArray[np.generic], lengths: Numbers) -> Tensor:
    """Flat steps `[S, …]` as `[T, B, …]`, 0 past each end."""
    steps = int(lengths.max(initial=0))
    padded = np.zeros((steps, len(lengths), *flat.shape[1:]), flat.dtype)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    padded[within, np.repeat(np.arange(len(lengths)), lengths)] = flat
    return torch.from_numpy(padded)


def by_length(lengths: Numbers, which: Numbers, batch: int, chance: np.random.Generator | None = None) -> list[Numbers]:
    """Sequences in batches of about the same length; with `chance` shuffled, so that every epoch has others.

    There are as many batches whatever the chance.
    """
    jitter = np.zeros(len(which)) if chance is None else chance.uniform(0, 0.2, len(which)) + chance.uniform(0, 1e-3, len(which))
    order = which[np.argsort(np.log1p(lengths[which]) + jitter, kind="stable")]
    return in_batches(order, batch, chance)


def in_batches(order: Numbers, batch: int, chance: np.random.Generator | None = None) -> list[Numbers]:
    """Sequences in batches, in this order; with `chance` the batches are shuffled."""
    batches = [order[i : i + batch] for i in range(0, len(order), batch)]
    return batches if chance is None else [batches[i] for i in chance.permutation(len(batches))]


def evenly(which: Numbers, held_out: float, chance: np.random.Generator) -> tuple[Numbers, Numbers]:
    """Sequences in two parts, drawn at random: those to learn, and at least one but not all held out unless `held_out` is 0.

    `held_out` is their share, or from 1 on their number.
    """
    shuffled = chance.permutation(which)
    wanted = held_out * len(which) if held_out < 1 else held_out
    count = min(max(round(wanted), 1), len(which) - 1) if held_out else 0
    return np.sort(shuffled[count:]), np.sort(shuffled[:count])
