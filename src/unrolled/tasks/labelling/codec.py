"""What a run that labels has to know of its data: symbols, means, labels."""

import json
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import marks_spans
from unrolled.data.formats.bio import find_scheme
from unrolled.data.sequences import Sequences, cut
from unrolled.data.standardise import Standardiser
from unrolled.data.symbols import Symbols, word_shape
from unrolled.data.tokenizer import Tokenizer
from unrolled.data.vocabulary import split_words
from unrolled.errors import DataError, RunError
from unrolled.models.inputs import InputSizes
from unrolled.tasks.labelling.options import LabelOptions


@dataclass(frozen=True)
class Codec:
    """How steps become numbers, and numbers labels.

    `level` is word, char or both; `words`, `characters` and `shapes` (of words) are None where nothing of the kind is read, as is
    `numbers`, whose channels may have names, `channels`. `labels` are the classes, in the order of the network's scores; `scheme` is how
    the files mark spans, if labels are tags, which inside are BIO. `divided` says that tokens came otherwise cut than texts are.
    """

    level: str
    lower: bool
    words: Symbols | None
    characters: Symbols | None
    numbers: Standardiser | None
    labels: tuple[str, ...]
    channels: tuple[str, ...] = ()
    scheme: str | None = None
    shapes: Symbols | None = None
    divided: bool = False

    @classmethod
    def learn(cls, sequences: Sequences, part: NDArray[np.int64], options: LabelOptions, more: tuple[str, ...] = ()) -> "Codec":
        """From some of the sequences, the training part; words in `more` are known as well, as far as there is room.

        `DataError` if there is only one label.
        """
        lower, most = options.lower, options.vocabulary
        steps = sequences.steps(part)
        seen = _tokens_of(sequences, steps)
        counts: Counter[str] = Counter()
        for token, n in seen.items():
            counts[token.lower() if lower else token] += n
        level = options.level or ("both" if any(len(token) > 1 for token in counts) else "char")
        least = options.min_count or (2 if level == "both" else 1)
        known = {word: n for word, n in counts.items() if n >= least}
        words = Symbols(_with(Symbols.from_counts(known, most).names, more, most)) if counts else None
        spelt = Symbols.from_counts(Counter(c for token in seen for c in token)) if seen and level == "both" else None
        shapes = Symbols.from_counts(Counter(map(word_shape, seen))) if seen and options.shapes else None
        means = Standardiser.learn([sequences.numbers[steps]]) if sequences.numbers.shape[1] else None
        labels = tuple(sorted(_labels_of(sequences, part, steps), key=_order))
        if len(labels) < 2:
            only = f"all of them are {labels[0]!r}" if labels else "there is none"
            told = f"There must be at least 2 different labels to tell apart; in what is learnt {only}."
            raise DataError(f"{told} Look at the column, or add other examples.")
        divided = level != "char" and _divided(seen)
        return cls(level, lower, words, spelt, means, labels, sequences.channels, sequences.scheme, shapes, divided)

    @property
    def marks_spans(self) -> bool:
        """Whether the labels are tags of spans, in BIO."""
        return marks_spans(self.scheme)

    @property
    def sizes(self) -> InputSizes:
        """What a network has to read."""
        words = self.words.size if self.words else 0
        characters = self.characters.size if self.characters else 0
        numbers, shapes = len(self.numbers.mean) if self.numbers else 0, self.shapes.size if self.shapes else 0
        return InputSizes(words, characters, numbers, shapes)

    @cached_property
    def number_of(self) -> dict[str, int]:
        """The number of each label."""
        return {label: i for i, label in enumerate(self.labels)}

    def word_numbers(self, table: tuple[str, ...]) -> NDArray[np.int64]:
        """The number of each of some tokens, `[D]`."""
        return (self.words or Symbols(())).numbers(token.lower() if self.lower else token for token in table)

    def shape_numbers(self, table: tuple[str, ...]) -> NDArray[np.int64]:
        """The number of the shape of each of some tokens, `[D]`."""
        return (self.shapes or Symbols(())).numbers(map(word_shape, table))

    def cut(self, text: str) -> tuple[str, ...]:
        """The tokens of a text, as those that were learnt are cut and, where all are characters in capitals, written."""
        if self.divided:
            return tuple(self._cutter.cut(text))
        tokens = cut(text, self.level)
        return tuple(token.upper() if len(token.upper()) == 1 else token for token in tokens) if self._capitals else tuple(tokens)

    @cached_property
    def _cutter(self) -> Tokenizer:
        return Tokenizer(self.words.names if self.words else (), lower=self.lower)

    @cached_property
    def _capitals(self) -> bool:
        """Whether steps are characters with capitals, and without small letters among them."""
        names = "".join(self.words.names) if self.words and self.level == "char" else ""
        return names.upper() == names != names.lower()

    def require_same_steps(self, sequences: Sequences) -> None:
        """`DataError` if sequences have other kinds of steps, or other channels, than this was learnt from."""
        expected = (self.words is not None, len(self.numbers.mean) if self.numbers else 0)
        got = (bool(len(sequences.tokens)), sequences.numbers.shape[1])
        if got != expected:
            wanted, came = (f"{'tokens' if t else 'no tokens'} and {c} channels of numbers" for t, c in (expected, got))
            raise DataError(f"The network reads steps with {wanted}, got {came}. Pass sequences like those that it learnt from.")
        if self.channels and sequences.channels and self.channels != sequences.channels:
            names = " ".join(f"--channels {name}" for name in self.channels)
            raise DataError(f"The channels must be {', '.join(self.channels)}, got {', '.join(sequences.channels)}. Pass `{names}`.")

    def to_json(self) -> str:
        """All of it."""
        parts = {
            "level": self.level,
            "lower": self.lower,
            "words": self.words and self.words.names,
            "characters": self.characters and self.characters.names,
            "numbers": self.numbers and self.numbers.to_dict(),
            "labels": self.labels,
            "channels": self.channels,
            "scheme": self.scheme,
            "shapes": self.shapes and self.shapes.names,
            "divided": self.divided,
        }
        return json.dumps(parts, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Codec":
        """What `to_json` wrote, now or before it knew of channels, schemes, shapes and how tokens were cut. `RunError` for something else."""
        try:
            found: dict[str, Any] = {"channels": [], "shapes": None, **json.loads(text)}
            kinds = ("words", "characters", "shapes")
            words, characters, shapes = (None if found[key] is None else Symbols.from_names(found[key]) for key in kinds)
            numbers = None if found["numbers"] is None else Standardiser.from_dict(found["numbers"])
            labels, channels = (Symbols.from_names(found[key]).names for key in ("labels", "channels"))
            lower, scheme = bool(found["lower"]), found["scheme"] if "scheme" in found else find_scheme([labels]).value
            level = str(found["level"])
            divided = bool(found.get("divided", words and level != "char" and _divided(words.names)))
            return cls(level, lower, words, characters, numbers, labels, channels, scheme, shapes, divided)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RunError(f"The symbols and labels of the run are damaged: {error!r}. Take them from a copy of the run.") from None


def _divided(tokens: Iterable[str]) -> bool:
    """Whether there are tokens that would not stay together in a text."""
    return any(len(split_words(token)) > 1 for token in tokens)


def _with(names: tuple[str, ...], more: tuple[str, ...], most: int | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*names, *more)))[: None if most is None else most - 1]


def _tokens_of(sequences: Sequences, steps: NDArray[np.int64]) -> dict[str, int]:
    """The tokens of some steps, and how often each comes."""
    if not len(sequences.tokens):
        return {}
    found = np.bincount(sequences.tokens[steps], minlength=len(sequences.table))
    return {token: n for token, n in zip(sequences.table, found.tolist(), strict=True) if n}


def _labels_of(sequences: Sequences, part: NDArray[np.int64], steps: NDArray[np.int64]) -> set[str]:
    tags = np.unique(sequences.tags[steps]).tolist()
    labels = [n for chosen in np.unique(sequences.labels[part]).tolist() if chosen >= 0 for n in sequences.label_sets[chosen]]
    return {sequences.names[n] for n in (*tags, *labels) if n >= 0}


def is_number(label: str) -> bool:
    """Whether a label is a finite number, so that it has a place among others."""
    try:
        return math.isfinite(float(label))
    except ValueError:
        return False


def _order(label: str) -> tuple[int, float, str]:
    """Numbers by their size, then words by the alphabet."""
    return (0, float(label), label) if is_number(label) else (1, 0.0, label)
