"""Texts that are said in sequences, as the symbols of a `TextCodec`."""

import sys
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.data.codecs.lexicon import Lexicon
from unrolled.data.codecs.text import WORD, TextCodec
from unrolled.data.columns import Column, Places
from unrolled.data.dataset import Dataset
from unrolled.data.examples import Prediction, Target
from unrolled.data.vocabulary import TEXTS, Ids, Vocabulary, damaged, switch
from unrolled.data.words import normal
from unrolled.errors import DataError, UnrolledWarning

_SHOWN = 12
"""Symbols that a message shows."""


@dataclass(frozen=True)
class TranscriptCodec:
    """The symbols of texts in Unicode's form NFC, with single blanks between words, in `lower` case and of the characters of an `alphabet` alone if that
    is wanted: what is not in it becomes a blank.

    With a `lexicon` the symbols are the phones of words. No text has the symbol that ends one; its id is that of the blank of CTC, which says nothing.
    """

    text: TextCodec
    lower: bool = False
    alphabet: str | None = None
    lexicon: Lexicon | None = None

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
        lexicon: Lexicon | None = None,
    ) -> "TranscriptCodec":
        """The symbols of the texts of some sequences, the training part, at a level of `TextCodec`. What the alphabet leaves out of them is counted
        in an `UnrolledWarning`. Words that are not in the lexicon are a `DataError`."""
        plain = [_plain(text, lower) for text in texts_of(dataset, part)]
        texts = (_plain(text, lower, alphabet) for text in plain)
        symbols = TextCodec.learn(texts, level, size, least=least) if lexicon is None else _phones(texts, lexicon, least)
        found = cls(symbols, lower, alphabet, lexicon)
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
        plain = self.plain(text)
        return self.text.encode(plain) if self.lexicon is None else self.text.look_up(self.lexicon.spell(plain))

    def decode(self, ids: ArrayLike) -> str:
        """The text of ids."""
        strings = self.text.strings(ids)
        return _plain(self.text.join(strings)) if self.lexicon is None else self.lexicon.read(strings)

    def encode(self, dataset: Dataset) -> "Transcripts":
        """What it makes of a dataset."""
        return Transcripts(dataset, self)

    def notice_unknown(self, dataset: Dataset, which: Places) -> None:
        """Say of which symbols of some sequences none was learnt, and how often they come."""
        missing: Counter[str] = Counter()
        for text in texts_of(dataset, which):
            plain = self.plain(text)
            if self.lexicon is not None:
                missing.update(self.lexicon.missing(plain))
            elif unknown := {*self.text.missing(plain)}:
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
        names, unit = self.text.vocabulary.names, self.text.level if self.lexicon is None else "phone"
        shown = "".join(names) if self.text.level == "char" else ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        return f"texts of {len(names):,} {unit}s: {shown}"

    def show(self, dataset: Dataset, sequence: int) -> str:
        """Its text."""
        return repr(self.plain(next(texts_of(dataset, np.array([sequence])))))

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        lexicon = None if self.lexicon is None else self.lexicon.to_json()
        return {"text": self.text.to_json(), "lower": self.lower, "alphabet": self.alphabet, "lexicon": lexicon}

    @classmethod
    def from_json(cls, found: object) -> "TranscriptCodec":
        """What `to_json` gave. `RunError` for something else."""
        if (
            not isinstance(found, dict)
            or {*found} != {"text", "lower", "alphabet", "lexicon"}
            or not isinstance(found["alphabet"], str | None)
        ):
            raise damaged("what is said must have 'text', 'lower', 'alphabet' and 'lexicon'")
        lexicon = None if found["lexicon"] is None else Lexicon.from_json(found["lexicon"])
        return cls(TextCodec.from_json(found["text"]), switch(found, "lower"), found["alphabet"], lexicon)


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


def _phones(texts: Iterable[str], lexicon: Lexicon, least: int) -> TextCodec:
    """The phones of some texts, with what stands between words. Words without phones are a `DataError`."""
    counts, missing = Counter[str](), Counter[str]()
    for text in texts:
        missing.update(lexicon.missing(text))
        counts.update(lexicon.spell(text))
    if missing:
        told = f"{missing.total():,} words of the texts to learn are not in `lexicon`: {_counted(missing)}"
        raise DataError(f"{told}. Add them; `lower` and `alphabet` change how words are written.")
    return TextCodec(WORD, Vocabulary.from_counts(counts, None, specials=TEXTS, least=least))


def _plain(text: str, lower: bool = False, alphabet: str | None = None) -> str:
    text = normal(text).lower() if lower else normal(text)
    return " ".join((text if alphabet is None else "".join(sign if sign in alphabet else " " for sign in text)).split())


def _counted(symbols: "Counter[str]") -> str:
    """Symbols, the most frequent first, and how often each comes."""
    return ", ".join(f"{symbol!r} ({count:,})" for symbol, count in symbols.most_common(_SHOWN))
