"""Texts as ids for networks that write them: characters, words or pieces of words, up to an end."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.data.subwords import KINDS, Subwords
from unrolled.data.symbols import Symbols
from unrolled.data.vocabulary import END, UNKNOWN, set_words, split_words
from unrolled.errors import ConfigError, DataError, RunError
from unrolled.options import option

Ids = NDArray[np.int64]

SPECIALS = (UNKNOWN, END)
"""The symbols that every coding begins with, ids 0 and 1: what is not known, and the end of a text, which also stands before its first
symbol. Padding has none, as lengths tell where it is."""

LEVELS = ("char", "word", "subword")

SUBWORDS = 8000
"""Symbols at the level subword if nothing is said."""

_AT_ONCE = 10_000


def until_end(ids: ArrayLike) -> Ids:
    """Ids `[N]` up to the first `<EOS>`, which is left out."""
    flat = np.asarray(ids, np.int64).ravel()
    return flat[: np.argmax(flat == Coding.end)] if (flat == Coding.end).any() else flat


@dataclass(frozen=True)
class CodingOptions:
    """How both sides of pairs become ids."""

    level: str | None = option(None, f"What texts are cut into: {', '.join(LEVELS)}.  [default: subword, or char for builtin:… pairs]")
    vocabulary: int | None = option(None, f"Most symbols of a side.  [default: all, or {SUBWORDS} subwords]")
    min_count: int = option(1, "Times that a character or word must come to be known.")
    subwords: str = option("bpe", f"How subwords are found: {', '.join(KINDS)}.")
    reverse_source: bool = option(False, "Read sources from their end.")

    def __post_init__(self) -> None:
        if self.level not in (None, *LEVELS):
            raise ConfigError(f"`--level` must be one of {', '.join(LEVELS)}, got {self.level!r}.")
        if self.subwords not in KINDS:
            raise ConfigError(f"`--subwords` must be one of {', '.join(KINDS)}, got {self.subwords!r}.")
        if self.vocabulary is not None and self.vocabulary <= len(SPECIALS):
            raise ConfigError(
                f"`--vocabulary` must be more than {len(SPECIALS)}, as it counts {' '.join(SPECIALS)}, got {self.vocabulary}."
            )
        if self.min_count < 1:
            raise ConfigError(f"`--min-count` must be at least 1, got {self.min_count}.")


@dataclass(frozen=True)
class Coding:
    """Texts to ids and back.

    `symbols` has the names of all ids from 1 on; `subwords` is what cuts texts at the level subword. At the levels char and subword
    a text that is encoded and decoded is the same, as long as all its characters are known; at the level subword all are. What looks like
    a special symbol in a text is none.
    """

    level: str
    symbols: Symbols
    subwords: Subwords | None = None

    unknown: ClassVar[int] = 0
    end: ClassVar[int] = 1

    @classmethod
    def learn(cls, texts: Iterable[str], options: CodingOptions) -> "Coding":
        """The symbols of some texts, the most frequent ones first; too small a vocabulary is a `ConfigError`."""
        level = options.level or "subword"
        if level == "subword":
            return cls._around(Subwords.learn(texts, (options.vocabulary or SUBWORDS) - len(SPECIALS), options.subwords))
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text if level == "char" else split_words(text))
        most = None if options.vocabulary is None else options.vocabulary - len(SPECIALS) + 1
        known = {name: n for name, n in counts.items() if n >= options.min_count and name not in SPECIALS}
        return cls(level, Symbols((*SPECIALS[1:], *Symbols.from_counts(known, most).names)))

    @classmethod
    def _around(cls, subwords: Subwords) -> "Coding":
        return cls("subword", Symbols((*SPECIALS[1:], *subwords.names)), subwords)

    @property
    def size(self) -> int:
        """Number of ids, those of the specials included."""
        return self.symbols.size

    def encode(self, text: str) -> Ids:
        """The ids of a text, `[N]`, without beginning and end."""
        return next(self.encode_all([text]))

    def encode_all(self, texts: Iterable[str]) -> Iterator[Ids]:
        """The ids of each text."""
        yield from map(self.look_up, self.split(texts))

    def look_up(self, symbols: Iterable[str]) -> Ids:
        """The ids of symbols as `split` gives them, `[N]`; that of what looks like a special symbol is the unknown one."""
        return np.fromiter((self._ids.get(symbol, self.unknown) for symbol in symbols), np.int64)

    @cached_property
    def _ids(self) -> dict[str, int]:
        """The id of each symbol that a text can have."""
        return {name: i for i, name in enumerate(self.symbols.names, 1) if name not in SPECIALS}

    def split(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """The symbols of each text, one for each id, also those that are not known."""
        if self.subwords is None:
            yield from map(list if self.level == "char" else split_words, texts)
            return
        rest = iter(texts)
        while some := list(islice(rest, _AT_ONCE)):
            yield from self.subwords.split(some)

    def names(self, ids: ArrayLike) -> list[str]:
        """The symbol of each id, the specials included. An id outside the coding is a `DataError`."""
        flat = np.asarray(ids, np.int64).ravel()
        if flat.size and not (flat.min() >= 0 and flat.max() < self.size):
            raise DataError(f"Ids to decode must lie in 0..{self.size - 1}, got {flat.min()}..{flat.max()}.")
        return [self.symbols.names[i - 1] if i else UNKNOWN for i in flat.tolist()]

    def decode(self, ids: ArrayLike) -> str:
        """The text of ids `[N]` up to the first `<EOS>`, as `join` sets it."""
        return self.join(self.names(until_end(ids)))

    def join(self, symbols: Iterable[str]) -> str:
        """The text of symbols. Words are set with spaces as in print; `<UNK>` is a replacement character, or itself among words."""
        if self.level == "word":
            return set_words(symbols)
        put = self.subwords.join if self.subwords else "".join
        return put("\N{REPLACEMENT CHARACTER}" if symbol == UNKNOWN else symbol for symbol in symbols)

    def shown(self, symbols: Iterable[str]) -> list[str]:
        """Each symbol as a person reads it: pieces of words as text."""
        return list(symbols) if self.subwords is None else [s if s in SPECIALS else self.subwords.join([s]) for s in symbols]

    def to_json(self) -> str:
        """All of it, as one JSON object."""
        known: object = self.symbols.names[len(SPECIALS) - 1 :] if self.subwords is None else self.subwords.to_dict()
        return json.dumps({"level": self.level, "symbols": known}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Coding":
        """What `to_json` wrote. `RunError` for something else."""
        try:
            found: dict[str, Any] = json.loads(text)
            level, known = found["level"], found["symbols"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RunError(f"The symbols of the run are damaged: {error!r}. Take them from a copy of the run.") from None
        if level == "subword":
            return cls._around(Subwords.from_dict(known))
        if level not in LEVELS or not isinstance(known, list):
            raise RunError(
                f"The symbols of the run are damaged: {level!r} must be one of {', '.join(LEVELS)}. Take them from a copy of the run."
            )
        return cls(level, Symbols.from_names([*SPECIALS[1:], *known]))
