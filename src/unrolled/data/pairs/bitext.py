"""Pairs as ids, flat in memory, and in padded batches of about the same length."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import in_batches, padded
from unrolled.data.coding import Ids
from unrolled.data.pairs.codings import Codings
from unrolled.data.pairs.pair import Pair
from unrolled.data.sequences import Numbers, places

_NEAR = 0.1
"""Lengths that differ by about this part may come together."""


@dataclass(frozen=True)
class PairBatch:
    """B pairs: `source` `[S, B]` and `target` `[T, B]`, int64, both with `<EOS>` at their ends and 0 beyond, and the lengths of both, `[B]`.

    `copies` `[S, B]` are what can be written in the place of each step of the source, if that is asked for: see `Codings.copies`.
    """

    source: Tensor
    source_lengths: Tensor
    target: Tensor
    target_lengths: Tensor
    copies: Tensor | None = None


class Bitext:
    """N pairs of one source and one target: a pair with several targets comes once with each.

    `pair_of` `[N]` has the place of each among the pairs that it was made of, `source_lengths` and `target_lengths` `[N]` the numbers of
    ids, `<EOS>` included. With `copy`, targets are written with what can be copied, and batches have `copies`.
    """

    def __init__(self, pairs: Sequence[Pair], codings: Codings, *, copy: bool = False) -> None:
        self.pair_of: Numbers = np.repeat(np.arange(len(pairs)), [len(pair.targets) for pair in pairs])
        sources = [pair.source for pair in pairs]
        targets = [target for pair in pairs for target in pair.targets]
        self._sources, self._source_starts = _flat(codings.sources(sources))
        beside = (sources[i] for i in self.pair_of.tolist())
        self._targets, self._target_starts = _flat(codings.copying_targets(targets, beside) if copy else codings.targets(targets))
        self._copies = _flat(codings.copies(sources))[0] if copy else None
        self.source_lengths: Numbers = np.diff(self._source_starts)[self.pair_of]
        self.target_lengths: Numbers = np.diff(self._target_starts)

    def __len__(self) -> int:
        return len(self.pair_of)

    def batch(self, which: Numbers) -> PairBatch:
        """Some of the pairs, in this order."""
        source_lengths, target_lengths = self.source_lengths[which], self.target_lengths[which]
        steps = places(self._source_starts, self.pair_of[which])
        target = padded(self._targets[places(self._target_starts, which)], target_lengths)
        copies = None if self._copies is None else padded(self._copies[steps], source_lengths)
        source = padded(self._sources[steps], source_lengths)
        return PairBatch(source, torch.from_numpy(source_lengths), target, torch.from_numpy(target_lengths), copies)

    def order(self, batch: int, chance: np.random.Generator | None = None) -> list[Numbers]:
        """All pairs in batches of about the same lengths of both sides; with `chance` shuffled, so that every epoch has others."""
        source, target = (np.log1p(lengths) for lengths in (self.source_lengths, self.target_lengths))
        if chance is not None:
            source, target = (lengths + chance.uniform(0, _NEAR, len(self)) for lengths in (source, target))
        # As many bands of targets as each has batches of sources: neither side is divided finer than the other.
        bands = np.array_split(np.argsort(target, kind="stable"), max(round((len(self) / batch) ** 0.5), 1))
        return in_batches(np.concatenate([band[np.argsort(source[band], kind="stable")] for band in bands]), batch, chance)


def _flat(sequences: Iterable[Ids]) -> tuple[Ids, Numbers]:
    """Sequences one after the other, and where each begins; the last number is where all end."""
    found = list(sequences)
    return np.concatenate([*found, np.zeros(0, np.int64)]), np.cumsum([0, *map(len, found)])
