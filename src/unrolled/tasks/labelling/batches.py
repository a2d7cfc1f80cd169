"""Sequences as a network reads them: numbered, in batches of about the same length, padded."""

import warnings
from collections.abc import Iterator
from copy import copy

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import padded
from unrolled.data.sequences import Numbers, Sequences
from unrolled.errors import UnrolledWarning
from unrolled.models.inputs import Inputs, Spellings
from unrolled.tasks.labelling.codec import Codec

_NAMED = 5
"""Labels that are named in a message."""


class Encoded:
    """Sequences with what a codec makes of their tokens, numbers and labels.

    `targets` are, for whole sequences, `[N]`, or `[N, K]` zeros and ones where several labels may hold; for steps `[S]`. A label that the
    codec does not know is -1, and so is the whole row of several labels if one of them is not known, or if nothing is.
    """

    def __init__(self, sequences: Sequences, codec: Codec, *, tagged: bool, several: bool = False) -> None:
        codec.require_same_steps(sequences)
        self.sequences, self.codec, self.tagged = sequences, codec, tagged
        self.words = codec.word_numbers(sequences.table)[sequences.tokens] if codec.words else None
        self.shapes = codec.shape_numbers(sequences.table)[sequences.tokens] if codec.shapes else None
        self.numbers = codec.numbers.apply(sequences.numbers) if codec.numbers else None
        if codec.characters:
            spelt = [codec.characters.numbers(token) for token in sequences.table]
            self.letters = np.concatenate([*spelt, np.zeros(0, np.int64)])
            self.letter_starts = np.cumsum([0, *map(len, spelt)])
        known = self.known = np.array([codec.number_of.get(name, -1) for name in sequences.names] + [-1])
        if tagged:
            self.targets = known[sequences.tags]
        elif several:
            self.targets = self._indicators(known)
        else:
            self.targets = np.array([known[s[0]] if len(s) == 1 else -1 for s in sequences.label_sets] + [-1])[sequences.labels]

    def _indicators(self, known: Numbers) -> Numbers:
        rows = np.zeros((len(self.sequences.label_sets) + 1, len(self.codec.labels)), np.int64)
        for row, chosen in zip(rows, self.sequences.label_sets, strict=False):
            places = known[list(chosen)]
            row[places] = 1
            row[:] = np.where((places < 0).any(), -1, row)
        rows[-1] = -1
        return rows[self.sequences.labels]

    def notice_unseen(self, which: Numbers) -> None:
        """Say, as an `UnrolledWarning`, which labels of some sequences the codec does not know, and how often they come."""
        sequences = self.sequences
        sets = [(name,) for name in range(len(sequences.names))] if self.tagged else sequences.label_sets
        found = sequences.tags[sequences.steps(which)] if self.tagged else sequences.labels[which]
        counts = np.bincount(found[found >= 0], minlength=len(sets)).tolist()
        unseen = {places: n for places, n in zip(sets, counts, strict=True) if n and min(self.known[list(places)], default=0) < 0}
        if unseen:
            names = sorted({sequences.names[place] for places in unseen for place in places if self.known[place] < 0})
            told = ", ".join(map(repr, names[:_NAMED])) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
            unit = "steps have a tag" if self.tagged else "sequences have a label"
            warnings.warn(
                f"{sum(unseen.values()):,} of {sum(counts):,} {unit} that was not learnt: {told}. They count as wrong, and have no part in the loss.",
                UnrolledWarning,
                stacklevel=3,
            )

    def over(self, sequences: Sequences) -> "Encoded":
        """The same steps, otherwise divided into sequences, and with their tags."""
        other = copy(self)
        other.sequences, other.targets = sequences, self.known[sequences.tags]
        return other

    def inputs(self, which: Numbers, span: slice = slice(None)) -> Inputs:
        """What is known of the steps of some sequences; of each only the steps in `span`."""
        steps, lengths = self._steps(which, span)
        words = None if self.words is None else padded(self.words[steps], lengths)
        numbers = None if self.numbers is None else padded(self.numbers[steps], lengths)
        spellings = self._spellings(self.sequences.tokens[steps], lengths) if self.codec.characters else None
        shapes = None if self.shapes is None else padded(self.shapes[steps], lengths)
        return Inputs(torch.from_numpy(lengths), words, spellings, numbers, shapes)

    def tags(self, which: Numbers) -> Tensor:
        """The targets of the steps of some sequences, `[T, B]`, 0 past each end."""
        steps, lengths = self._steps(which, slice(None))
        return padded(self.targets[steps], lengths)

    def _steps(self, which: Numbers, span: slice) -> tuple[Numbers, Numbers]:
        if span == slice(None):
            return self.sequences.steps(which), self.sequences.lengths[which]
        ranges = [np.arange(self.sequences.starts[i], self.sequences.starts[i + 1])[span] for i in which]
        return np.concatenate(ranges), np.array([len(r) for r in ranges])

    def _spellings(self, tokens: Numbers, lengths: Numbers) -> Spellings:
        distinct, which = np.unique(tokens, return_inverse=True)
        starts, sizes = self.letter_starts[distinct], np.diff(self.letter_starts)[distinct]
        places = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        return Spellings(padded(self.letters[places], sizes), torch.from_numpy(sizes), padded(which.astype(np.int64), lengths))


def pieces(total: int, window: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    """The windows of a sequence: which steps each reads, and which of these, counted from the window's start, are decided in it."""
    for start in range(0, total, window):
        first, last = max(start - overlap, 0), min(start + window + overlap, total)
        yield slice(first, last), slice(start - first, min(start + window, total) - first)
