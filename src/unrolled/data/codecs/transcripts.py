"""Texts that are said in sequences, as the symbols of a `TextCodec`."""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.data.codecs.text import TextCodec
from unrolled.data.columns import Column, Places
from unrolled.data.dataset import Dataset
from unrolled.data.examples import Prediction, Target
from unrolled.data.vocabulary import Ids, damaged, switch
from unrolled.data.words import normal
from unrolled.errors import DataError, UnrolledWarning

_SHOWN = 12
"""Symbols that a message shows."""


@dataclass(frozen=True)
class TranscriptCodec:
    """The symbols of texts in Unicode's form NFC, with single blanks between words, in `lower` case and of the characters of an `alphabet` alone if that
    is wanted: what is not in it becomes a blank.

    No text has the symbol that ends one; its id is that of the blank of CTC, which says nothing.
    """

    text: TextCodec
    lower: bool = False
    alphabet: str | None = None

    target = Target.TEXTS
    blank = TextCodec.end

    @classmethod
    def learn(
        cls,
        dataset: Dataset,
        part: Places,
        level: str,
        size: int | None = None,
        *,
        least: int = 1,
        lower: bool = False,
        alphabet: str | None = None,
    ) -> "TranscriptCodec":
        """The symbols of the texts of some sequences, the training part, at a level of `TextCodec`. What the alphabet leaves out of them is counted
        in an `UnrolledWarning`."""
        plain = [_plain(text, lower) for text in texts_of(dataset, part)]
        texts = (_plain(text, lower, alphabet) for text in plain)
        found = cls(TextCodec.learn(texts, level, size, least=least), lower, alphabet)
        if alphabet and (left := Counter("".join(plain)) - Counter(dict.fromkeys((*alphabet, " "), sys.maxsize))):
            told = f"{left.total():,} characters of the texts to learn are not in `alphabet`, and are read as blanks"
            warnings.warn(f"{told}: {_counted(left)}.", UnrolledWarning, stacklevel=2)
        if not found.text.vocabulary.names:
            raise DataError("The texts to learn have no symbol at all. Pass recordings with what is said in them.")
        return found

    def widened(self, learnt: "TranscriptCodec", *, widen: bool = True) -> "TranscriptCodec":
        """This one with the symbols of another one besides."""
        return replace(learnt, text=self.text.widened(learnt.text, widen=widen))

    @property
    def size(self) -> int:
        """Number of ids, with that of the blank."""
        return self.text.size

    def plain(self, text: str) -> str:
        """The text as it is compared: normal, with single blanks, in lower case if so learnt."""
        return _plain(text, self.lower, self.alphabet)

    def ids(self, text: str) -> Ids:
        """The ids of a text, `[S]`."""
        return self.text.encode(self.plain(text))

    def decode(self, ids: ArrayLike) -> str:
        """The text of ids."""
        return _plain(self.text.join(self.text.strings(ids)))

    def encode(self, dataset: Dataset) -> "Transcripts":
        """What it makes of a dataset."""
        return Transcripts(dataset, self)

    def notice_unknown(self, dataset: Dataset, which: Places) -> None:
        """Say of which symbols of some sequences none was learnt, and how often they come."""
        missing: Counter[str] = Counter()
        for text in texts_of(dataset, which):
            plain = self.plain(text)
            if unknown := {*self.text.missing(plain)}:
                missing.update(symbol for symbol in self.text.split(plain) if symbol in unknown)
        if missing:
            told = f"{missing.total():,} symbols of the texts to measure were not learnt, and count as errors: {_counted(missing)}."
            warnings.warn(told, UnrolledWarning, stacklevel=2)

    def absent(self, dataset: Dataset, which: Places) -> str:
        """Texts are not counted."""
        return ""

    def supposed(self, prediction: Prediction) -> NDArray[Any]:
        """The ids of what is said."""
        return self.ids((prediction.labels or ("",))[0])[:, None]

    def describe(self) -> str:
        """What texts are made of."""
        names = self.text.vocabulary.names
        shown = "".join(names) if self.text.level == "char" else ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        return f"texts of {len(names):,} {self.text.level}s: {shown}"

    def show(self, dataset: Dataset, sequence: int) -> str:
        """Its text."""
        return repr(self.plain(next(texts_of(dataset, np.array([sequence])))))

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        return {"text": self.text.to_json(), "lower": self.lower, "alphabet": self.alphabet}

    @classmethod
    def from_json(cls, found: object) -> "TranscriptCodec":
        """What `to_json` gave. `RunError` for something else."""
        if not isinstance(found, dict) or {*found} != {"text", "lower", "alphabet"} or not isinstance(found["alphabet"], str | None):
            raise damaged("what is said must have 'text', 'lower' and 'alphabet'")
        return cls(TextCodec.from_json(found["text"]), switch(found, "lower"), found["alphabet"])


class Transcripts:
    """The texts of a dataset as ids."""

    def __init__(self, dataset: Dataset, codec: TranscriptCodec) -> None:
        self.dataset, self.codec = dataset, codec

    @cached_property
    def column(self) -> Column:
        """The ids of each sequence; none where nothing is said."""
        everything = np.arange(len(self.dataset))
        return Column.of((self.codec.ids(text) for text in texts_of(self.dataset, everything)), np.int64)

    @property
    def lengths(self) -> Places:
        """The number of symbols of each sequence, `[N]`."""
        return self.column.lengths

    def take(self, which: Places) -> Ids:
        """Those of some sequences, one after the other."""
        return self.column.take(which)

    def known(self, which: Places) -> NDArray[np.bool_]:
        """Of which of them there is a text whose symbols were all learnt."""
        ids = self.column.elements
        starts = self.column.starts
        whole = [TextCodec.unknown not in ids.read(int(starts[i]), int(starts[i + 1])) for i in which]
        return np.array(whole, bool) & (self.dataset.labels[which] >= 0)


def texts_of(dataset: Dataset, which: Places) -> Iterator[str]:
    """The texts of some sequences as they were read, which a dataset keeps as labels; nothing where there is none."""
    sets, names = (*dataset.label_sets, ()), dataset.names
    for place in dataset.labels[which].tolist():
        yield " ".join(names[name] for name in sets[place])


def _plain(text: str, lower: bool = False, alphabet: str | None = None) -> str:
    text = normal(text).lower() if lower else normal(text)
    return " ".join((text if alphabet is None else "".join(sign if sign in alphabet else " " for sign in text)).split())


def _counted(symbols: "Counter[str]") -> str:
    """Symbols, the most frequent first, and how often each comes."""
    return ", ".join(f"{symbol!r} ({count:,})" for symbol, count in symbols.most_common(_SHOWN))
