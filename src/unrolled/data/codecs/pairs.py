"""How the two sides of pairs become ids, and what can be copied from one to the other."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from unrolled.data.codecs.text import TextCodec, until_end
from unrolled.data.examples import Example
from unrolled.data.vocabulary import Ids, damaged, switch


@dataclass(frozen=True)
class PairCodec:
    """A `TextCodec` for each side, or one for both if it is shared. Sources are read from their end if `reverse_source`.

    What can be copied has numbers of its own (`unrolled.models.copying`): with V = `target.size`, V + s is the symbol of the source that
    the target does not know and that comes at step s for the first time.
    """

    source: TextCodec
    target: TextCodec
    reverse_source: bool = False

    @classmethod
    def learn(
        cls, pairs: Sequence[Example], level: str, *, shared: bool = False, reverse_source: bool = False, **options: Any
    ) -> "PairCodec":
        """From pairs to learn, with one vocabulary for both sides if it is `shared`; a source counts as often as it has targets.

        `options` are those of `TextCodec.learn`.
        """
        sources = [pair.text or "" for pair in pairs for _ in pair.texts or ()]
        targets = [text for pair in pairs for text in pair.texts or ()]
        source = TextCodec.learn([*sources, *targets] if shared else sources, level, **options)
        return cls(source, source if shared else TextCodec.learn(targets, level, **options), reverse_source)

    def widened(self, learnt: "PairCodec", *, widen: bool = True) -> "PairCodec":
        """This one with the symbols of another one besides, on both sides."""
        source = self.source.widened(learnt.source, widen=widen)
        target = source if self.target is self.source else self.target.widened(learnt.target, widen=widen)
        return replace(self, source=source, target=target)

    def read(self, sources: Iterable[str]) -> Iterator[list[str]]:
        """The symbols of each source in the order in which a network reads them, without the end."""
        for symbols in self.source.split_all(sources):
            yield symbols[::-1] if self.reverse_source else symbols

    def sources(self, texts: Iterable[str]) -> Iterator[Ids]:
        """The ids of each source as a network reads them, `<EOS>` at the end: none is empty, whatever the text."""
        for symbols in self.read(texts):
            yield np.append(self.source.look_up(symbols), TextCodec.end)

    def targets(self, texts: Iterable[str]) -> Iterator[Ids]:
        """The ids of each target as a network writes them, `<EOS>` at the end."""
        for ids in self.target.encode_all(texts):
            yield np.append(ids, TextCodec.end)

    def copies(self, sources: Iterable[str]) -> Iterator[Ids]:
        """What can be written in the place of each step of a source: the target's id of its symbol, or a number from V on."""
        for symbols in self.read(sources):
            yield np.append(self._copied(symbols, self._only_in(symbols)), TextCodec.end)

    def copying_targets(self, targets: Iterable[str], sources: Iterable[str]) -> Iterator[Ids]:
        """The ids of each target beside its source, `<EOS>` at the end; what only the source knows has its number from V on."""
        for symbols, read in zip(self.target.split_all(targets), self.read(sources), strict=True):
            yield np.append(self._copied(symbols, self._only_in(read)), TextCodec.end)

    def write(self, ids: ArrayLike, source: str) -> str:
        """The text of ids `[N]` up to the first `<EOS>`; what has been copied is taken from the source."""
        return self.target.join(self.written(until_end(ids), source))

    def written(self, ids: ArrayLike, source: str) -> list[str]:
        """The symbol of each id; what has been copied is taken from the source."""
        (read,) = self.read([source])
        size = self.target.size
        return [read[i - size] if i >= size else self.target.strings(i)[0] for i in np.ravel(ids).tolist()]

    def _only_in(self, read: Sequence[str]) -> dict[str, int]:
        """The numbers of what a source has and the target does not know."""
        unknown = self.target.look_up(read) == TextCodec.unknown
        first: dict[str, int] = {}
        for step in np.flatnonzero(unknown).tolist():
            first.setdefault(read[step], self.target.size + step)
        return first

    def _copied(self, symbols: Sequence[str], numbers: dict[str, int]) -> Ids:
        """The target's ids of symbols, or their `numbers`."""
        known = zip(symbols, self.target.look_up(symbols).tolist(), strict=True)
        return np.array([numbers.get(symbol, i) for symbol, i in known], np.int64)

    def to_json(self) -> Any:
        """All of it, ready for JSON; a shared codec once."""
        target = None if self.target is self.source else self.target.to_json()
        return {"source": self.source.to_json(), "target": target, "reverse_source": self.reverse_source}

    @classmethod
    def from_json(cls, found: object) -> "PairCodec":
        """What `to_json` gave. `RunError` for something else."""
        if not isinstance(found, dict) or {*found} != {"source", "target", "reverse_source"}:
            raise damaged("pairs must have 'source', 'target' and 'reverse_source'")
        source = TextCodec.from_json(found["source"])
        return cls(source, source if found["target"] is None else TextCodec.from_json(found["target"]), switch(found, "reverse_source"))
