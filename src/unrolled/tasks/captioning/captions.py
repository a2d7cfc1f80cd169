"""Pictures with their sentences as ids, in padded batches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from unrolled.data.batches import Batch, by_two_lengths, padded
from unrolled.data.codecs import Encoded, InputCodec
from unrolled.data.codecs.text import TextCodec
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.data.columns import Column, Places
from unrolled.data.dataset import Dataset
from unrolled.data.pictures.clips import Clip
from unrolled.data.vocabulary import damaged, switch
from unrolled.tasks.captioning.rivals import Remembered
from unrolled.tasks.captioning.seeing import View

Sentences = tuple[tuple[str, ...], ...]
"""Those of each picture."""

_LONGER = 2.0
"""How many times the mean the longest sentence may be where lengths do not matter for batches."""


@dataclass(frozen=True)
class CaptionCodecs:
    """How pictures are looked at and what is read of them, how sentences become ids, and what is remembered of the training part to compare with;
    `moving` says whether they are videos."""

    view: View
    inputs: InputCodec
    target: TranscriptCodec
    moving: bool
    remembered: Remembered

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        parts = {name: getattr(self, name).to_json() for name in ("view", "inputs", "target", "remembered")}
        return {**parts, "moving": self.moving}

    @classmethod
    def from_json(cls, found: Any) -> "CaptionCodecs":
        """What `to_json` gave. `RunError` for something else."""
        if not isinstance(found, dict) or {*found} != {"view", "inputs", "target", "moving", "remembered"}:
            raise damaged("captions must have 'view', 'inputs', 'target', 'moving' and 'remembered'")
        return cls(
            View.from_json(found["view"]),
            InputCodec.from_json(found["inputs"]),
            TranscriptCodec.from_json(found["target"]),
            switch(found, "moving"),
            Remembered.from_json(found["remembered"]),
        )


class Captions:
    """N pictures with their `sentences`, and a pair for each of these: `picture_of` `[P]` is its picture, `lengths` `[P]` the ids of its sentence,
    `<EOS>` included. `names` are what they are called, `grids` the rows and columns of what is seen of each, and `clips` what was looked at."""

    def __init__(
        self,
        dataset: Dataset,
        sentences: Sentences,
        names: Sequence[str],
        grids: Sequence[tuple[int, int]],
        clips: Sequence[Clip],
        codecs: CaptionCodecs,
    ) -> None:
        self.encoded, self.sentences = Encoded(dataset, codecs.inputs, codecs.target), sentences
        self.names, self.grids, self.clips = names, grids, clips
        self.picture_of: Places = np.repeat(np.arange(len(sentences)), [len(some) for some in sentences])
        ids = (np.append(codecs.target.ids(sentence), TextCodec.end) for some in sentences for sentence in some)
        self.targets = Column.of(ids, np.int64)
        self.lengths: Places = self.targets.lengths

    def __len__(self) -> int:
        return len(self.sentences)

    def pairs_of(self, pictures: Places) -> Places:
        """The pairs of some pictures."""
        return np.flatnonzero(np.isin(self.picture_of, pictures))

    def batch(self, pairs: Places) -> Batch:
        """Some pairs: what is read of their pictures, and their sentences."""
        lengths = self.lengths[pairs]
        targets = padded(self.targets.take(pairs), lengths)
        return replace(self.seen(self.picture_of[pairs]), targets=targets, target_lengths=torch.from_numpy(lengths))

    def seen(self, pictures: Places) -> Batch:
        """What is read of some pictures."""
        return self.encoded.batch(pictures)

    def order(self, pairs: Places, batch: int, chance: np.random.Generator | None = None) -> list[Places]:
        """Some pairs in batches of about the same lengths; with `chance` shuffled, and then of any sentences where the longest is not much longer than the mean.

        Then little is padded, and batches by length would be by what is said: a `Summary`, which standardises over a batch, could not hear of it.
        """
        steps, words = self.encoded.dataset.lengths[self.picture_of[pairs]], self.lengths[pairs]
        if chance is not None and words.max(initial=0) * len(words) <= _LONGER * words.sum():
            words = np.ones_like(words)
        return [pairs[some] for some in by_two_lengths(steps, words, batch, chance)]
