"""Texts as ids and back: characters, words, pieces of words, or events."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from unrolled.data.codecs.activities import join_activities, split_activities
from unrolled.data.codecs.formulas import join_formula, split_formula
from unrolled.data.vocabulary import END, TEXTS, UNKNOWN, Ids, Vocabulary, damaged, switch
from unrolled.data.words import set_words, split_words
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.data.codecs.subwords import Subwords

CHAR, WORD, SUBWORD, EVENT, FORMULA = "char", "word", "subword", "event", "formula"
LEVELS = (CHAR, WORD, SUBWORD)
"""What a text may be cut into; the symbols of event logs, at the level event, are activities, and those of LaTeX, at the
level formula, commands and single characters."""

SUBWORDS = 8000
"""Size of a vocabulary of subwords if nothing is said."""

CODES = 0x110000
"""Number of Unicode code points."""

_AT_ONCE = 10_000

_SPLIT: dict[str, Callable[[str], list[str]]] = {CHAR: list, WORD: split_words, EVENT: split_activities, FORMULA: split_formula}


def code_points(text: str) -> NDArray[Any]:
    """The code points of `text` as unsigned integers: one byte each when all are ASCII, else four."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


def until_end(ids: ArrayLike) -> Ids:
    """Ids `[N]` up to the first `<EOS>`, which is left out."""
    flat = np.asarray(ids, np.int64).ravel()
    return flat[: np.argmax(flat == TextCodec.end)] if (flat == TextCodec.end).any() else flat


@dataclass(frozen=True)
class TextCodec:
    """Texts to ids and back.

    `subwords` is what cuts texts at the level subword. With `lines` a text is one of many lines: the newline, and `<EOS>` where a text has
    it, are the end of a line; without, a text ends with `<EOS>`, and what looks like a special symbol in it is none.

    At the levels char and subword a text that is encoded and decoded is the same, as long as all its characters are known; at the level
    subword all are.
    """

    level: str
    vocabulary: Vocabulary
    subwords: "Subwords | None" = None
    lines: bool = False

    unknown: ClassVar[int] = 0
    end: ClassVar[int] = 1

    @classmethod
    def of_lines(cls, level: str, counts: Mapping[str, int], size: int | None = None) -> "TextCodec":
        """The `size` most frequent symbols of lines, the special ones included; all of them without `size`.

        A level that does not exist, or a size below 3, is a `ConfigError`.
        """
        if level not in (CHAR, WORD, EVENT):
            raise ConfigError(f"`level` must be one of {CHAR}, {WORD}, {EVENT}, got {level!r}.")
        plain: Counter[str] = Counter()
        for symbol, n in counts.items():
            special = END if symbol == "\n" else symbol.upper() if symbol.upper() in TEXTS else symbol
            plain[special] += n
        return cls(level, Vocabulary.from_counts(plain, size, specials=TEXTS), lines=True)

    @classmethod
    def learn(cls, texts: Iterable[str], level: str, size: int | None = None, *, least: int = 1, subwords: str = "bpe") -> "TextCodec":
        """The symbols of some texts that came at least `least` times, the most frequent first; too small a size is a `ConfigError`."""
        if level == SUBWORD:
            return cls._around(_subwords().learn(texts, (size or SUBWORDS) - len(TEXTS), subwords))
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_SPLIT[level](text))
        for special in TEXTS:
            del counts[special]
        return cls(level, Vocabulary.from_counts(counts, size, specials=TEXTS, least=least))

    @classmethod
    def _around(cls, subwords: "Subwords") -> "TextCodec":
        return cls(SUBWORD, Vocabulary(tuple(subwords.names), TEXTS), subwords)

    def widened(self, learnt: "TextCodec", *, widen: bool = True) -> "TextCodec":
        """This one with the symbols of another one besides; pieces of words, which spell every text, stay as they are. `ConfigError` for another level."""
        if self.level != learnt.level:
            raise ConfigError(f"`level={learnt.level!r}` is not that of the run that is begun from, {self.level!r}. Leave it out.")
        return self if self.subwords else replace(self, vocabulary=self.vocabulary.widened(learnt.vocabulary, widen=widen))

    @property
    def size(self) -> int:
        """Number of ids, those of the special symbols included."""
        return self.vocabulary.size

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbol of each id."""
        return self.vocabulary.symbols

    def encode(self, text: str, dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """The ids of a text, `[N]`, without beginning and end, int64 unless another `dtype` is asked for."""
        if self.level == CHAR and self.lines:
            return self._table.take(code_points(text)).astype(dtype, copy=False)
        return self.look_up(self.split(text), dtype)

    def encode_all(self, texts: Iterable[str]) -> Iterator[Ids]:
        """The ids of each text."""
        yield from map(self.look_up, self.split_all(texts))

    def look_up(self, symbols: Iterable[str], dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """The ids of symbols as `split` gives them, `[N]`."""
        if not self.lines:
            return self.vocabulary.ids(symbols, dtype)
        known = self._known
        return np.fromiter((known[symbol] if symbol in known else self._of_line(symbol) for symbol in symbols), dtype)

    def split(self, text: str) -> list[str]:
        """The symbols of a text, one for each id, also those that are not known."""
        return next(self.split_all([text]))

    def split_all(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """The symbols of each text."""
        if self.subwords is None:
            yield from map(_SPLIT[self.level], texts)
            return
        rest = iter(texts)
        while some := list(islice(rest, _AT_ONCE)):
            yield from self.subwords.split(some)

    def strings(self, ids: ArrayLike) -> list[str]:
        """The symbol of each id, the special ones included, but for the ends of lines, which are newlines."""
        found = self.vocabulary.strings(ids)
        return ["\n" if symbol == END else symbol for symbol in found] if self.lines else found

    def decode(self, ids: ArrayLike) -> str:
        """The text of ids `[N]`, as `join` sets it; of a text that is no line, up to the first `<EOS>`."""
        return self.join(self.strings(ids if self.lines else until_end(ids)))

    def join(self, symbols: Iterable[str]) -> str:
        """The text of symbols. Words are set with spaces as in print; `<UNK>` is a replacement character, or itself among words and events."""
        if self.level == WORD:
            return set_words(symbols)
        if self.level == EVENT:
            return join_activities(symbols)
        if self.level == FORMULA:
            return join_formula(symbols)
        put = self.subwords.join if self.subwords else "".join
        text: str = put("\N{REPLACEMENT CHARACTER}" if symbol == UNKNOWN else symbol for symbol in symbols)
        return text

    def shown(self, symbols: Iterable[str]) -> list[str]:
        """Each symbol as a person reads it: pieces of words as text."""
        return list(symbols) if self.subwords is None else [s if s in TEXTS else self.subwords.join([s]) for s in symbols]

    def missing(self, text: str) -> list[str]:
        """The symbols of `text` that would become `<UNK>`, each once, in order."""
        found = list(dict.fromkeys(self.split(text)))
        return [s for s, i in zip(found, self.look_up(found).tolist(), strict=True) if i == self.unknown and s.upper() != UNKNOWN]

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        known = self.vocabulary.to_json() if self.subwords is None else self.subwords.to_dict()
        return {"level": self.level, "lines": self.lines, "symbols": known}

    @classmethod
    def from_json(cls, found: object) -> "TextCodec":
        """What `to_json` gave. `RunError` for something else."""
        if not isinstance(found, dict) or {*found} != {"level", "lines", "symbols"}:
            raise damaged("texts must have 'level', 'lines' and 'symbols'")
        level, lines = found["level"], switch(found, "lines")
        if level == SUBWORD:
            return cls._around(_subwords().from_dict(found["symbols"]))
        if level not in tuple(_SPLIT):
            raise damaged(f"'level' must be one of {', '.join((*LEVELS, EVENT, FORMULA))}, got {level!r}")
        codec = cls(level, Vocabulary.from_json(found["symbols"], TEXTS), lines=lines)
        wrong = [name for name in codec.vocabulary.names if not codec.could_be(name)]
        if wrong:
            raise damaged(f"each symbol must be one {level}, got {wrong[0]!r}")
        return codec

    def could_be(self, symbol: str) -> bool:
        """Whether a string may be one symbol."""
        if self.level == EVENT:
            return bool(symbol) and symbol == symbol.strip() and symbol.upper() not in TEXTS
        if self.lines and (symbol == "\n" or (self.level == WORD and symbol.upper() in TEXTS)):
            return False
        return _SPLIT[self.level](symbol) == [symbol]

    def _of_line(self, symbol: str) -> int:
        """The id of a symbol of a line that no vocabulary has."""
        return self.end if symbol == "\n" or symbol.upper() == END else self.unknown

    @cached_property
    def _known(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols)}

    @cached_property
    def _table(self) -> NDArray[Any]:
        """The id of every code point."""
        table = np.full(CODES, self.unknown, self.vocabulary.dtype)
        table[ord("\n")] = self.end
        table[[ord(symbol) for symbol in self.vocabulary.names]] = np.arange(len(TEXTS), self.size)
        return table


def _subwords() -> "type[Subwords]":
    """The class of subwords, whose library is loaded only where there are some."""
    found: type[Subwords] = import_module("unrolled.data.codecs.subwords").Subwords
    return found
