"""Pairs as ids, flat in memory, and in padded batches of about the same length."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import by_length, padded
from unrolled.data.coding import Coding, CodingOptions, Ids
from unrolled.data.pairs.pair import Pair
from unrolled.data.sequences import Numbers, places
from unrolled.errors import RunError


@dataclass(frozen=True)
class Codings:
    """How the two sides become ids; one `Coding` for both if it is shared. Sources are read from their end if `reverse_source`."""

    source: Coding
    target: Coding
    reverse_source: bool = False

    @classmethod
    def learn(cls, pairs: Sequence[Pair], options: CodingOptions) -> "Codings":
        """From pairs to learn; a source counts as often as it has targets."""
        sources = [pair.source for pair in pairs for _ in pair.targets]
        targets = [target for pair in pairs for target in pair.targets]
        source = Coding.learn([*sources, *targets] if options.shared else sources, options)
        return cls(source, source if options.shared else Coding.learn(targets, options), options.reverse_source)

    def sources(self, texts: Iterable[str]) -> Iterator[Ids]:
        """The ids of each source as a network reads them, `<EOS>` at the end: none is empty, whatever the text."""
        for ids in self.source.encode_all(texts):
            yield np.append(ids[::-1] if self.reverse_source else ids, Coding.end)

    def targets(self, texts: Iterable[str]) -> Iterator[Ids]:
        """The ids of each target as a network writes them, `<EOS>` at the end."""
        for ids in self.target.encode_all(texts):
            yield np.append(ids, Coding.end)

    def to_json(self) -> str:
        """All of it, as one JSON object; a shared coding once."""
        target = None if self.target is self.source else json.loads(self.target.to_json())
        parts = {"source": json.loads(self.source.to_json()), "target": target, "reverse_source": self.reverse_source}
        return json.dumps(parts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Codings":
        """What `to_json` wrote. `RunError` for something else."""
        try:
            found = json.loads(text)
            known = [found[key] for key in ("source", "target", "reverse_source")]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RunError(f"The symbols of the run are damaged: {error!r}. Take them from a copy of the run.") from None
        source = Coding.from_json(json.dumps(known[0]))
        return cls(source, source if known[1] is None else Coding.from_json(json.dumps(known[1])), bool(known[2]))


@dataclass(frozen=True)
class PairBatch:
    """B pairs: `source` `[S, B]` and `target` `[T, B]`, int64, both with `<EOS>` at their ends and 0 beyond, and the lengths of both, `[B]`."""

    source: Tensor
    source_lengths: Tensor
    target: Tensor
    target_lengths: Tensor

    @property
    def given(self) -> Tensor:
        """What stands before each symbol of the target, `[T, B]`: `<BOS>`, then the target without its last step."""
        return torch.cat([torch.full_like(self.target[:1], Coding.begin), self.target[:-1]])

    def to(self, device: torch.device) -> "PairBatch":
        """The same on a device; lengths stay where they are."""
        return PairBatch(self.source.to(device), self.source_lengths, self.target.to(device), self.target_lengths)


class Bitext:
    """N pairs of one source and one target: a pair with several targets comes once with each.

    `pair_of` `[N]` has the place of each among the pairs that it was made of, `source_lengths` and `target_lengths` `[N]` the numbers of
    ids, `<EOS>` included.
    """

    def __init__(self, pairs: Sequence[Pair], codings: Codings) -> None:
        self.pair_of: Numbers = np.repeat(np.arange(len(pairs)), [len(pair.targets) for pair in pairs])
        self._sources, self._source_starts = _flat(codings.sources(pair.source for pair in pairs))
        self._targets, self._target_starts = _flat(codings.targets(target for pair in pairs for target in pair.targets))
        self.source_lengths: Numbers = np.diff(self._source_starts)[self.pair_of]
        self.target_lengths: Numbers = np.diff(self._target_starts)

    def __len__(self) -> int:
        return len(self.pair_of)

    def batch(self, which: Numbers) -> PairBatch:
        """Some of the pairs, in this order."""
        pairs, source_lengths, target_lengths = self.pair_of[which], self.source_lengths[which], self.target_lengths[which]
        source = padded(self._sources[places(self._source_starts, pairs)], source_lengths)
        target = padded(self._targets[places(self._target_starts, which)], target_lengths)
        return PairBatch(source, torch.from_numpy(source_lengths), target, torch.from_numpy(target_lengths))

    def order(self, batch: int, chance: np.random.Generator | None = None) -> list[Numbers]:
        """All pairs in batches with about as many ids, those of both sides together; with `chance` shuffled, as in `by_length`."""
        return by_length(self.source_lengths + self.target_lengths, np.arange(len(self)), batch, chance)


def _flat(sequences: Iterable[Ids]) -> tuple[Ids, Numbers]:
    """Sequences one after the other, and where each begins; the last number is where all end."""
    found = list(sequences)
    return np.concatenate([*found, np.zeros(0, np.int64)]), np.cumsum([0, *map(len, found)])
