"""Batches: several sequences side by side, padded; which of them come together; and which are held out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.columns import Places

_NEAR = 0.1
"""Lengths that differ by about this part may come together."""


@dataclass(frozen=True)
class Spellings:
    """The characters of the distinct words of a batch, so that a word that comes often is read once.

    `characters` are whole numbers `[S, W]`, a column for each of W distinct words, `lengths` `[W]` how many characters each has. `which`
    `[T, B]` says which of the W words stands at a step.
    """

    characters: Tensor
    lengths: Tensor
    which: Tensor

    @property
    def shape(self) -> torch.Size:
        """That of the steps."""
        return self.which.shape

    def to(self, device: torch.device | str) -> "Spellings":
        """The same on a device."""
        return Spellings(self.characters.to(device), self.lengths.to(device), self.which.to(device))


@dataclass(frozen=True)
class Batch:
    """B sequences side by side.

    `fields` has by its name what is known of each step, `[T, B, …]`. `lengths` `[B]` are the real steps of each sequence, None where all
    have T; what stands past an end is never looked at. `targets` are `[B, …]` for whole sequences, or `[T, B, …]` for steps; those of an
    encoder-decoder have `target_lengths` `[B]` of their own. `resets` `[T, B]` are true where a new sequence begins within a row.
    """

    fields: Mapping[str, "Tensor | Spellings"]
    lengths: Tensor | None = None
    targets: Tensor | None = None
    target_lengths: Tensor | None = None
    resets: Tensor | None = field(default=None)

    def __getitem__(self, name: str) -> Tensor:
        """A field that is a tensor."""
        found = self.fields[name]
        assert isinstance(found, Tensor)
        return found

    @property
    def shape(self) -> tuple[int, int]:
        """`(T, B)`."""
        steps, size = next(iter(self.fields.values())).shape[:2]
        return steps, size

    def to(self, device: torch.device | str) -> "Batch":
        """The same on a device."""
        others = {name: getattr(self, name) for name in ("lengths", "targets", "target_lengths", "resets")}
        moved = {name: part.to(device) for name, part in others.items() if part is not None}
        return replace(self, fields={name: part.to(device) for name, part in self.fields.items()}, **moved)


def padded(flat: NDArray[np.generic], lengths: Places) -> Tensor:
    """Flat steps `[S, …]` as `[T, B, …]`, 0 past each end."""
    steps = int(lengths.max(initial=0))
    padded = np.zeros((steps, len(lengths), *flat.shape[1:]), flat.dtype)
    within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    padded[within, np.repeat(np.arange(len(lengths)), lengths)] = flat
    return torch.from_numpy(padded)


def by_length(lengths: Places, which: Places, batch: int, chance: np.random.Generator | None = None) -> list[Places]:
    """Sequences in batches of about the same length; with `chance` shuffled, so that every epoch has others.

    There are as many batches whatever the chance.
    """
    jitter = np.zeros(len(which)) if chance is None else chance.uniform(0, 0.2, len(which)) + chance.uniform(0, 1e-3, len(which))
    return in_batches(which[np.argsort(np.log1p(lengths[which]) + jitter, kind="stable")], batch, chance)


def side_by_side(lengths: Places, which: Places) -> list[Places]:
    """Sequences to be answered, in batches of about the same length, the longest first: 64, and up to 256 where all of them are short, since
    what a batch costs beside its steps is then much of its time."""
    order, batches = which[np.argsort(lengths[which], kind="stable")], list[Places]()
    while len(order):
        size = 4096 // int(lengths[order[-1]].clip(16, 64))
        batches.append(order[-size:])
        order = order[:-size]
    return batches


def by_two_lengths(source: Places, target: Places, batch: int, chance: np.random.Generator | None = None) -> list[Places]:
    """Pairs in batches of about the same lengths of both sides; with `chance` shuffled, so that every epoch has others."""
    sides = [np.log1p(lengths) for lengths in (source, target)]
    if chance is not None:
        sides = [lengths + chance.uniform(0, _NEAR, len(lengths)) for lengths in sides]
    # As many bands of targets as each has batches of sources: neither side is divided finer than the other.
    bands = np.array_split(np.argsort(sides[1], kind="stable"), max(round((len(source) / batch) ** 0.5), 1))
    return in_batches(np.concatenate([band[np.argsort(sides[0][band], kind="stable")] for band in bands]), batch, chance)


def in_batches(order: Places, batch: int, chance: np.random.Generator | None = None) -> list[Places]:
    """Sequences in batches, in this order; with `chance` the batches are shuffled."""
    batches = [order[i : i + batch] for i in range(0, len(order), batch)]
    return batches if chance is None else [batches[i] for i in chance.permutation(len(batches))]


def evenly(which: Places, held_out: float, chance: np.random.Generator) -> tuple[Places, Places]:
    """Sequences in two parts, drawn at random: those to learn, and at least one but not all held out unless `held_out` is 0.

    `held_out` is their share, or from 1 on their number.
    """
    shuffled = chance.permutation(which)
    wanted = held_out * len(which) if held_out < 1 else held_out
    count = min(max(round(wanted), 1), len(which) - 1) if held_out else 0
    return np.sort(shuffled[count:]), np.sort(shuffled[:count])
