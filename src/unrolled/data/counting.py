"""How often each symbol occurs in a text, in bounded memory."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from unrolled.data.codecs.text import CODES, code_points
from unrolled.data.words import split_words

MOST_WORDS = 2_000_000
"""Distinct words above which the rarest are forgotten."""


def count_symbols(texts: Iterable[str], level: str, most: int = MOST_WORDS) -> Counter[str]:
    """Occurrences of each character or word in `texts`, of which none may end inside a word.

    Once there are more than `most` distinct words, the rarest are dropped until at most half as many remain (lossy counting), so that
    counts of words as rare as those are too low.
    """
    return _count_characters(texts) if level == "char" else _count_words(texts, most)


def _count_characters(texts: Iterable[str]) -> Counter[str]:
    totals = np.zeros(CODES, np.int64)
    for text in texts:
        found = np.bincount(code_points(text))
        totals[: len(found)] += found
    return Counter({chr(code): int(totals[code]) for code in np.flatnonzero(totals)})


def _count_words(texts: Iterable[str], most: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split_words(text))
        rarest = 0
        while len(counts) > (most // 2 if rarest else most):
            rarest += 1
            counts = Counter({word: n for word, n in counts.items() if n > rarest})
    return counts
