"""How far texts are from their references, in words and in characters."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.vocabulary import Ids
from unrolled.plain import or_null
from unrolled.tasks.measures.labels import score_labels

NOTHING, OTHER = "(nothing)", "(other)"
"""What stands for a word that is missing, and for the words that are not drawn by themselves."""


@dataclass(frozen=True)
class Edits:
    """What it takes to make a reference of `length` symbols into what was found: the fewest changes of one symbol (Levenshtein 1966)."""

    substitutions: int = 0
    insertions: int = 0
    deletions: int = 0
    length: int = 0

    @property
    def errors(self) -> int:
        """All of them."""
        return self.substitutions + self.insertions + self.deletions

    @property
    def rate(self) -> float:
        """Errors for each symbol of the reference; NaN where there is none."""
        return self.errors / self.length if self.length else float("nan")

    def __add__(self, other: "Edits") -> "Edits":
        return Edits(
            self.substitutions + other.substitutions,
            self.insertions + other.insertions,
            self.deletions + other.deletions,
            self.length + other.length,
        )

    def __str__(self) -> str:
        return f"{self.substitutions:,} substituted, {self.insertions:,} inserted, {self.deletions:,} deleted of {self.length:,}"


def edits(reference: Sequence[str], found: Sequence[str]) -> Edits:
    """The changes from a reference to what was found."""
    pairs = paired(reference, found)
    inserted, deleted = sum(first is None for first, _ in pairs), sum(second is None for _, second in pairs)
    substituted = sum(a is not None and b is not None and reference[a] != found[b] for a, b in pairs)
    return Edits(substituted, inserted, deleted, len(reference))


def paired(reference: Sequence[str], found: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Which symbol of a reference is which of those that were found, in their order; None where one of the two has none.

    What both begin and end with is the same in both. Of several ways with as few changes it is that which RapidFuzz takes, so that counts
    are those of jiwer.
    """
    numbers = {symbol: number for number, symbol in enumerate(dict.fromkeys([*reference, *found]))}
    first, second = (np.array([numbers[symbol] for symbol in part], np.int64) for part in (reference, found))
    begin = _common(first, second)
    end = _common(first[begin:][::-1], second[begin:][::-1])
    first, second = first[begin : len(first) - end], second[begin : len(second) - end]
    inner = ((None if a is None else a + begin, None if b is None else b + begin) for a, b in _back(_costs(first, second), first, second))
    last = [(len(reference) - n, len(found) - n) for n in range(end, 0, -1)]
    return [*((n, n) for n in range(begin)), *inner, *last]


def _common(first: Ids, second: Ids) -> int:
    """With how many equal symbols both begin."""
    size = min(len(first), len(second))
    return int((first[:size] == second[:size]).cumprod().sum())


def _costs(first: Ids, second: Ids) -> Ids:
    """The fewest changes from each beginning of one to each of the other, `[R + 1, F + 1]`."""
    steps = np.arange(len(second) + 1)
    rows = [steps]
    for symbol in first:
        before = rows[-1]
        row = np.concatenate([[before[0] + 1], np.minimum(before[1:] + 1, before[:-1] + (second != symbol))])
        # An insertion costs 1 from any place to the left.
        rows.append(np.minimum.accumulate(row - steps) + steps)
    return np.stack(rows)


def _back(costs: Ids, first: Ids, second: Ids) -> list[tuple[int | None, int | None]]:
    """The cheapest way through the table of costs `[R + 1, F + 1]`, from its end."""
    at, to = len(first), len(second)
    pairs = list[tuple[int | None, int | None]]()
    while at or to:
        if not to or (at and costs[at, to] == costs[at - 1, to] + 1):
            at -= 1
            pairs.append((at, None))
        elif not at or (to > 1 and costs[at, to - 1] < costs[at - 1, to - 1]):
            to -= 1
            pairs.append((None, to))
        else:
            at, to = at - 1, to - 1
            pairs.append((at, to))
    return pairs[::-1]


@dataclass(frozen=True)
class SpeechScores:
    """Word and character errors of `utterances` texts, of which the share `exact` is right, and `empty` ones say nothing.

    `substituted` are the words that were most often taken for others: reference, found, how often. `pairs` has for each word of a reference the one
    that was found for it, and for each that was inserted; what is not there is `NOTHING`.
    """

    words: Edits
    characters: Edits
    utterances: int
    exact: float
    empty: int
    substituted: tuple[tuple[str, str, int], ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return f"WER {self.words.rate:.2%}, CER {self.characters.rate:.2%}, exact {self.exact:.2%}"

    @property
    def text(self) -> str:
        """All of it, in lines."""
        lines = [f"{self}, over {self.utterances:,} utterances", f"  words: {self.words}", f"  characters: {self.characters}"]
        if self.substituted:
            lines.append(f"  most often: {', '.join(f'{a} → {b} ({n})' for a, b, n in self.substituted)}")
        return "\n".join(lines)

    def measures(self) -> dict[str, float]:
        """Numbers for the log of a run."""
        return {"wer": self.words.rate, "cer": self.characters.rate, "exact": self.exact}

    def to_json(self) -> dict[str, Any]:
        """Plain values by name; the counts without a prefix are those of words."""
        words, characters = self.words, self.characters
        return {
            "wer": or_null(words.rate),
            "cer": or_null(characters.rate),
            "insertions": words.insertions,
            "deletions": words.deletions,
            "substitutions": words.substitutions,
            "utterances": self.utterances,
            "words": words.length,
            "exact": self.exact,
            "empty": self.empty,
            "characters": {
                "insertions": characters.insertions,
                "deletions": characters.deletions,
                "substitutions": characters.substitutions,
                "length": characters.length,
            },
            "confused": [list(row) for row in self.substituted],
        }

    def draw(self, path: str | Path) -> None:
        """Draw which words were taken for which into a picture, the most frequent ones by themselves."""
        counts = Counter(chain.from_iterable(self.pairs))
        known = {word for word, _ in counts.most_common(_DRAWN)} | {NOTHING}
        rows, columns = zip(
            *((first if first in known else OTHER, second if second in known else OTHER) for first, second in self.pairs), strict=True
        )
        score_labels([(word,) for word in rows], [(word,) for word in columns]).draw(path)


_NAMED, _DRAWN = 5, 30
"""Confusions of words that are told, and words that are drawn by themselves."""


def score_speech(references: Sequence[str], found: Sequence[str]) -> SpeechScores:
    """Texts beside their references, both with single blanks between words."""
    words, characters = Edits(), Edits()
    said = list[tuple[str, str]]()
    for reference, text in zip(references, found, strict=True):
        first, second = reference.split(), text.split()
        words, characters = words + edits(first, second), characters + edits(reference, text)
        said += [(NOTHING if a is None else first[a], NOTHING if b is None else second[b]) for a, b in paired(first, second)]
    confused = Counter((a, b) for a, b in said if a != b and NOTHING not in (a, b))
    often = sorted(confused.items(), key=lambda item: (-item[1], item[0]))[:_NAMED]
    same = sum(map(str.__eq__, references, found))
    empty = sum(not text for text in found)
    size = max(len(references), 1)
    return SpeechScores(words, characters, len(references), same / size, empty, tuple((a, b, n) for (a, b), n in often), tuple(said))
