"""How the two sides of pairs become ids, and what can be copied from one to the other."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from unrolled.data.coding import Coding, CodingOptions, Ids, until_end
from unrolled.data.pairs.pair import Pair
from unrolled.errors import RunError


@dataclass(frozen=True)
class Codings:
    """A `Coding` for each side, or one for both if it is shared. Sources are read from their end if `reverse_source`.

    What can be copied has numbers of its own (`unrolled.models.copying`): with V = `target.size`, V + s is the symbol of the source that
    the target does not know and that comes at step s for the first time.
    """

    source: Coding
    target: Coding
    reverse_source: bool = False

    @classmethod
    def learn(cls, pairs: Sequence[Pair], options: CodingOptions, *, shared: bool = False) -> "Codings":
        """From pairs to learn, with one vocabulary for both sides if it is `shared`; a source counts as often as it has targets."""
        sources = [pair.source for pair in pairs for _ in pair.targets]
        targets = [target for pair in pairs for target in pair.targets]
        source = Coding.learn([*sources, *targets] if shared else sources, options)
        return cls(source, source if shared else Coding.learn(targets, options), options.reverse_source)

    def read(self, sources: Iterable[str]) -> Iterator[list[str]]:
        """The symbols of each source in the order in which a network reads them, without the end."""
        for symbols in self.source.split(sources):
            yield symbols[::-1] if self.reverse_source else symbols

    def sources(self, texts: Iterable[str]) -> Iterator[Ids]:
        """The ids of each source as a network reads them, `<EOS>` at the end: none is empty, whatever the text."""
        for symbols in self.read(texts):
            yield np.append(self.source.look_up(symbols), Coding.end)

    def targets(self, texts: Iterable[str]) -> Iterator[Ids]:
        """The ids of each target as a network writes them, `<EOS>` at the end."""
        for ids in self.target.encode_all(texts):
            yield np.append(ids, Coding.end)

    def copies(self, sources: Iterable[str]) -> Iterator[Ids]:
        """What can be written in the place of each step of a source: the target's id of its symbol, or a number from V on."""
        for symbols in self.read(sources):
            yield np.append(self._copied(symbols, self._only_in(symbols)), Coding.end)

    def copying_targets(self, targets: Iterable[str], sources: Iterable[str]) -> Iterator[Ids]:
        """The ids of each target beside its source, `<EOS>` at the end; what only the source knows has its number from V on."""
        for symbols, read in zip(self.target.split(targets), self.read(sources), strict=True):
            yield np.append(self._copied(symbols, self._only_in(read)), Coding.end)

    def write(self, ids: ArrayLike, source: str) -> str:
        """The text of ids `[N]` up to the first `<EOS>`; what has been copied is taken from the source."""
        return self.target.join(self.written(until_end(ids), source))

    def written(self, ids: ArrayLike, source: str) -> list[str]:
        """The symbol of each id; what has been copied is taken from the source."""
        (read,) = self.read([source])
        return [read[i - self.target.size] if i >= self.target.size else self.target.names(i)[0] for i in np.ravel(ids).tolist()]

    def _only_in(self, read: Sequence[str]) -> dict[str, int]:
        """The numbers of what a source has and the target does not know."""
        unknown = self.target.look_up(read) == Coding.unknown
        first: dict[str, int] = {}
        for step in np.flatnonzero(unknown).tolist():
            first.setdefault(read[step], self.target.size + step)
        return first

    def _copied(self, symbols: Sequence[str], numbers: dict[str, int]) -> Ids:
        """The target's ids of symbols, or their `numbers`."""
        return np.array(
            [numbers.get(symbol, known) for symbol, known in zip(symbols, self.target.look_up(symbols).tolist(), strict=True)], np.int64
        )

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
