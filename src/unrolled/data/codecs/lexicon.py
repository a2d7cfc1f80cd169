"""Words as the phones that they are said with, and phones as words again."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from unrolled.data.formats.files import read_lines
from unrolled.data.vocabulary import TEXTS, UNKNOWN, damaged
from unrolled.errors import DataError

BETWEEN = "|"
"""The symbol between two words."""

_ANOTHER = re.compile(r"\(\d+\)$")
"""What stands behind a word whose other pronunciations come before, as in CMUdict."""

_COMMENT = ";;;"

Phones = tuple[str, ...]
"""How a word is said."""


@dataclass(frozen=True)
class Lexicon:
    """The pronunciations of each word, of which the first one is learnt and all are understood."""

    words: Mapping[str, tuple[Phones, ...]]

    def spell(self, text: str) -> list[str]:
        """The phones of a text, with `BETWEEN` between its words; a word that is not here is the unknown symbol."""
        spelt = [self.words[word][0] if word in self.words else (UNKNOWN,) for word in text.split()]
        return [phone for number, phones in enumerate(spelt) for phone in ((BETWEEN, *phones) if number else phones)]

    def missing(self, text: str) -> list[str]:
        """The words of a text that are not here."""
        return [word for word in text.split() if word not in self.words]

    def read(self, phones: Sequence[str]) -> str:
        """The text of phones: of words that sound alike the one that comes first here; phones that are no word stand in brackets."""
        groups = (tuple(group) for between, group in groupby(phones, BETWEEN.__eq__) if not between)
        return " ".join(self._said.get(group) or f"[{'-'.join(group)}]" for group in groups)

    @cached_property
    def _said(self) -> dict[Phones, str]:
        found = dict[Phones, str]()
        for word, several in self.words.items():
            for phones in several:
                found.setdefault(phones, word)
        return found

    def to_json(self) -> dict[str, list[str]]:
        """Each word with its pronunciations, ready for JSON."""
        return {word: [" ".join(phones) for phones in several] for word, several in self.words.items()}

    @classmethod
    def from_json(cls, found: Any) -> "Lexicon":
        """What `to_json` gave. `RunError` for something else."""
        try:
            words = {word: tuple(tuple(phones.split()) for phones in several) for word, several in found.items()}
            assert all(words.values()) and all(all(several) for several in words.values())
        except (AttributeError, TypeError, AssertionError):
            raise damaged("a lexicon must have the pronunciations of each word") from None
        return cls(words)


def read_lexicon(path: Path, encoding: str, *, lower: bool = False) -> Lexicon:
    """A file with a word and its phones on each line, as Kaldi and CMUdict have it. `DataError` for a line without phones, and for no line."""
    words: dict[str, tuple[Phones, ...]] = {}
    for number, line in read_lines(path, encoding):
        if not line.strip() or line.startswith(_COMMENT):
            continue
        word, *phones = line.partition(" #")[0].split()
        if not phones or {BETWEEN, *TEXTS} & {*phones}:
            told = f"must have a word and its phones, none of which is {BETWEEN} or {', '.join(TEXTS)}, got {line[:40]!r}"
            raise DataError(f"{path}, line {number}: a line {told}. Mend it.")
        word = _ANOTHER.sub("", word.lower() if lower else word)
        if tuple(phones) not in words.get(word, ()):
            words[word] = (*words.get(word, ()), tuple(phones))
    if not words:
        raise DataError(f"{path} has no word in it. Pass a file with a word and its phones on each line.")
    return Lexicon(words)
