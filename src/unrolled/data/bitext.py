"""Pairs as ids, a column for each side, and in padded batches of about the same lengths."""

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.data.batches import Batch, by_two_lengths, padded
from unrolled.data.codecs.pairs import PairCodec
from unrolled.data.columns import Column, Places
from unrolled.data.examples import Example


class Bitext:
    """N pairs of one source and one target: a pair with several targets comes once with each.

    `pair_of` `[N]` has the place of each among the pairs that it was made of, `source_lengths` and `target_lengths` `[N]` the numbers of
    ids, `<EOS>` included. With `copy`, targets are written with what can be copied, and batches have it: see `PairCodec.copies`.
    """

    def __init__(self, pairs: Sequence[Example], codec: PairCodec, *, copy: bool = False) -> None:
        self.pair_of: Places = np.repeat(np.arange(len(pairs)), [len(pair.texts or ()) for pair in pairs])
        sources = [pair.text or "" for pair in pairs]
        targets = [text for pair in pairs for text in pair.texts or ()]
        beside = (sources[i] for i in self.pair_of.tolist())
        self.sources = Column.of(codec.sources(sources), np.int64)
        self.targets = Column.of(codec.copying_targets(targets, beside) if copy else codec.targets(targets), np.int64)
        self.copies = Column.of(codec.copies(sources), np.int64) if copy else None
        self.source_lengths: Places = self.sources.lengths[self.pair_of]
        self.target_lengths: Places = self.targets.lengths

    def __len__(self) -> int:
        return len(self.pair_of)

    def batch(self, which: Places) -> Batch:
        """Some of the pairs, in this order: words, and what can be copied, of the sources, and the targets."""
        source_lengths, target_lengths = self.source_lengths[which], self.target_lengths[which]
        fields = {"words": padded(self.sources.take(self.pair_of[which]), source_lengths)}
        if self.copies is not None:
            fields["copies"] = padded(self.copies.take(self.pair_of[which]), source_lengths)
        targets = padded(self.targets.take(which), target_lengths)
        return Batch(fields, torch.from_numpy(source_lengths), targets, torch.from_numpy(target_lengths))

    def order(self, batch: int, chance: np.random.Generator | None = None) -> list[Places]:
        """All pairs in batches of about the same lengths of both sides; with `chance` shuffled, so that every epoch has others."""
        return by_two_lengths(self.source_lengths, self.target_lengths, batch, chance)
