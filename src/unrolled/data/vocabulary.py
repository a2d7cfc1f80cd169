"""Symbols and their ids, for characters, for words and for events."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from unrolled.data.activities import join_activities, split_activities
from unrolled.errors import ConfigError, DataError, RunError

UNKNOWN, END = "<UNK>", "<EOS>"
"""The two symbols of every vocabulary, ids 0 and 1. `END` stands for the newline, at every level."""

LEVELS = ("char", "word")
"""What a text may be cut into."""

EVENT = "event"
"""The level of event logs, whose symbols are activities."""

CODES = 0x110000
"""Number of Unicode code points."""

_WORD = re.compile(r"\n|<\w+>|\w+(?:['’]\w+)*|[^\w\s]")
_CLOSING = frozenset(",.;:!?)]}%…”’»")
_OPENING = frozenset("([{“«")


def split_words(text: str) -> list[str]:
    """The words of `text` in order: newlines, `<tags>`, words with inner apostrophes, and single punctuation marks."""
    return _WORD.findall(text)


def first_words(text: str, most: int) -> str:
    """The text up to the end of its word number `most`, as `split_words` counts them; all of it if it has fewer."""
    last = next(islice(_WORD.finditer(text), most - 1, None), None)
    return text if last is None else text[: last.end()]


def code_points(text: str) -> NDArray[Any]:
    """The code points of `text` as unsigned integers: one byte each when all are ASCII, else four."""
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))


class _Index(dict[str, int]):
    """Symbol to id; the specials are known in any case, and everything else is unknown."""

    def __missing__(self, symbol: str) -> int:
        return Vocabulary.end if symbol == "\n" or symbol.upper() == END else Vocabulary.unknown


@dataclass(frozen=True)
class Vocabulary:
    """The symbols that a model knows, in the order of their ids.

    `level` is "char", "word" or "event"; `symbols[0]` is `<UNK>`, which stands for every other symbol, and `symbols[1]` is `<EOS>`, the newline.
    `counts` says how often each of them came in what was learnt; it is empty where that is
    not known, and no part of what makes vocabularies equal.
    """

    level: str
    symbols: tuple[str, ...]
    counts: tuple[int, ...] = field(default=(), compare=False)

    unknown: ClassVar[int] = 0
    end: ClassVar[int] = 1

    @classmethod
    def from_counts(cls, level: str, counts: Mapping[str, int], size: int | None = None) -> "Vocabulary":
        """The `size` most frequent symbols, the two specials included (all of them without `size`); ties in alphabetical order.

        A level that does not exist, or a size below 3, is a `ConfigError`.
        """
        if level not in (*LEVELS, EVENT):
            raise ConfigError(f"The level of a vocabulary must be one of {', '.join(LEVELS)}, {EVENT}, got {level!r}.")
        if size is not None and size < 3:
            raise ConfigError(f"The size of a vocabulary must be at least 3, as it counts {UNKNOWN} and {END}, got {size}.")
        ends = sum(n for s, n in counts.items() if s == "\n" or s.upper() == END)
        listed = {s: n for s, n in counts.items() if n > 0 and s != "\n" and s.upper() not in (UNKNOWN, END)}
        ranked = sorted(listed, key=lambda symbol: (-listed[symbol], symbol))
        symbols = (UNKNOWN, END, *ranked)[:size]
        known = [listed[symbol] for symbol in symbols[2:]]
        return cls(level, symbols, (sum(counts.values()) - ends - sum(known), ends, *known))

    @classmethod
    def from_json(cls, text: str) -> "Vocabulary":
        """The vocabulary that `to_json` wrote; anything else is a `RunError`."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RunError(f"The vocabulary is not JSON ({error}). Take it from an intact run folder.") from None
        problem = _problem(found)
        if problem:
            raise RunError(f"The vocabulary is damaged or foreign: {problem}. Take it from an intact run folder.")
        return cls(found["level"], tuple(found["symbols"]), tuple(found.get("counts", ())))

    def to_json(self) -> str:
        """This vocabulary as one JSON object with `level`, `symbols` and `counts`."""
        return json.dumps({"level": self.level, "symbols": self.symbols, "counts": self.counts}, ensure_ascii=False)

    @property
    def size(self) -> int:
        """Number of symbols, the two specials included."""
        return len(self.symbols)

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def log_frequencies(self) -> NDArray[np.float64] | None:
        """The natural log-probability of each symbol by how often it came in what was learnt, each counted once more; None if not known."""
        more = np.array(self.counts, np.float64) + 1
        return np.log(more / more.sum()) if self.counts else None

    @property
    def dtype(self) -> np.dtype[Any]:
        """The narrowest unsigned integer that holds every id."""
        return np.min_scalar_type(max(self.size - 1, 1)).newbyteorder("<")

    def encode(self, text: str, dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """The ids of the characters, words or activities of `text`, `[N]`, int64 unless another `dtype` is asked for."""
        if self.level == "char":
            return self._table.take(code_points(text)).astype(dtype, copy=False)
        return self.look_up(self.split(text), dtype)

    def look_up(self, symbols: Iterable[str], dtype: DTypeLike = np.int64) -> NDArray[Any]:
        """The ids of single symbols, `[N]`; a newline is `<EOS>`."""
        return np.fromiter(map(self._index.__getitem__, symbols), dtype)

    def split(self, text: str) -> list[str]:
        """The characters, words or activities of `text`, in order."""
        if self.level == "char":
            return list(text)
        return split_words(text) if self.level == "word" else split_activities(text)

    def decode(self, ids: ArrayLike) -> str:
        """The text of `ids` `[N]`. `<EOS>` becomes a newline; `<UNK>` a replacement character, or itself among words and activities.

        Words are set with spaces as in print, activities as `join_activities` says. An id outside the vocabulary is a `DataError`.
        """
        flat = np.asarray(ids, np.int64).ravel()
        if flat.size and not (flat.min() >= 0 and flat.max() < self.size):
            raise DataError(f"Ids to decode must lie in 0..{self.size - 1}, got {flat.min()}..{flat.max()}.")
        symbols = [self.symbols[i] for i in flat.tolist()]
        if self.level == "word":
            return set_words("\n" if symbol == END else symbol for symbol in symbols)
        if self.level == EVENT:
            return join_activities("\n" if symbol == END else symbol for symbol in symbols)
        special = {UNKNOWN: "\N{REPLACEMENT CHARACTER}", END: "\n"}
        return "".join(special.get(symbol, symbol) for symbol in symbols)

    def missing(self, text: str) -> list[str]:
        """The characters, words or activities of `text` that would become `<UNK>`, each once, in order."""
        return [s for s in dict.fromkeys(self.split(text)) if self._index[s] == self.unknown and s.upper() != UNKNOWN]

    @cached_property
    def _index(self) -> _Index:
        return _Index((symbol, i) for i, symbol in enumerate(self.symbols))

    @cached_property
    def _table(self) -> NDArray[Any]:
        """The id of every code point."""
        table = np.full(CODES, self.unknown, self.dtype)
        table[ord("\n")] = self.end
        table[[ord(symbol) for symbol in self.symbols[2:]]] = np.arange(2, self.size)
        return table


def set_words(words: Iterable[str]) -> str:
    """The text of words, marks and newlines, set with spaces as in print."""
    pieces: list[str] = []
    glued = True
    for word in words:
        if word != "\n" and not glued and word not in _CLOSING:
            pieces.append(" ")
        pieces.append(word)
        glued = word == "\n" or word in _OPENING
    return "".join(pieces)


def _problem(found: object) -> str:
    """What is wrong with a vocabulary read from JSON; empty if nothing is."""
    if not isinstance(found, dict) or set(found) - {"counts"} != {"level", "symbols"}:
        return "it must be an object with `level`, `symbols` and perhaps `counts`"
    level, symbols, counts = found["level"], found["symbols"], found.get("counts", [])
    if level not in (*LEVELS, EVENT):
        return f"`level` must be one of {', '.join(LEVELS)}, {EVENT}, got {level!r}"
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        return "`symbols` must be a list of strings"
    if symbols[:2] != [UNKNOWN, END]:
        return f"`symbols` must begin with {UNKNOWN} and {END}, got {symbols[:2]}"
    if len(set(symbols)) != len(symbols):
        return "`symbols` must be distinct"
    if not isinstance(counts, list) or len(counts) not in (0, len(symbols)) or not all(type(n) is int and 0 <= n < 2**63 for n in counts):
        return f"`counts` must be empty or {len(symbols)} whole numbers of at least 0"
    wrong = [symbol for symbol in symbols[2:] if not _is_symbol(level, symbol)]
    return f"`symbols` must each be one {level}, got {wrong[0]!r}" if wrong else ""


def _is_symbol(level: str, symbol: str) -> bool:
    if any("\ud800" <= character <= "\udfff" for character in symbol) or symbol == "\n":
        return False
    if level == "char":
        return len(symbol) == 1
    if symbol.upper() in (UNKNOWN, END):
        return False
    return split_words(symbol) == [symbol] if level == "word" else bool(symbol) and symbol == symbol.strip()
