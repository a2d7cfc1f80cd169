"""Word vectors that somebody else has learnt, in the text formats of word2vec and GloVe, and in word2vec's binary one."""

import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.formats.files import read_lines
from unrolled.data.opening import open_unpacked
from unrolled.errors import DataError

_WIDEST = 1 << 20
"""Numbers that a vector may have."""

_LONGEST = 10_000
"""Bytes of a word from which on a binary file is taken to be damaged."""


def vector_columns(path: Path) -> int:
    """How many numbers each vector of a file has."""
    for _, _, numbers in _rows(path):
        return len(numbers)
    raise DataError(f"{path} has no vectors. Pass a text file with a word and its numbers on each line.")


def vector_words(path: Path, most: int) -> tuple[str, ...]:
    """The first words of a file, which are the most frequent ones in those that are usual."""
    return tuple(word for (_, word, _), _ in zip(_rows(path), range(most), strict=False))


def read_vectors(path: Path, words: tuple[str, ...]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The vectors `[V, E]` of some words, 0 for those that the file lacks, and which of them it has, `[V]`.

    `DataError` names the line that is not a word and as many numbers as the first one has.
    """
    columns = vector_columns(path)
    place = {word: i for i, word in enumerate(words)}
    vectors, known = np.zeros((len(words), columns), np.float32), np.zeros(len(words), bool)
    for line, word, numbers in _rows(path):
        if word not in place:
            continue
        try:
            with np.errstate(over="ignore"):
                vector = np.array(numbers, np.float64).astype(np.float32)
        except ValueError:
            raise DataError(f"{path}, line {line}: the vector of {word!r} holds something that is no number. Mend the line.") from None
        if len(vector) != columns:
            raise DataError(f"{path}, line {line}: there must be {columns} numbers after {word!r}, got {len(vector)}. Mend the line.")
        for column in np.flatnonzero(~np.isfinite(vector))[:1]:
            raise DataError(
                f"{path}, line {line}: the numbers after {word!r} must be finite 32-bit numbers, got {numbers[column]}. Mend the line."
            )
        vectors[place[word]], known[place[word]] = vector, True
    return vectors, known


def _rows(path: Path) -> Iterator[tuple[int, str, Sequence[Any]]]:
    """Line, or number in a binary file, word and numbers."""
    with open_unpacked(path) as file:
        binary = _is_binary(file.peek())
    return _binary(path) if binary else _text(path)


def _is_binary(head: bytes) -> bool:
    """Whether a file that begins so has counts in its first line, and no number after its first word."""
    first = re.match(rb"\d+ \d+\r?\n\S+ (\S*)", head, re.DOTALL)
    try:
        return bool(first and math.isnan(float(first[1])))
    except ValueError:
        return True


def _binary(path: Path) -> Iterator[tuple[int, str, Sequence[Any]]]:
    """The vectors of word2vec's binary form: after a line with two counts each word, a blank, and its numbers as 32-bit floats."""
    with open_unpacked(path) as file:
        count, columns = map(int, file.readline().split())
        if not 0 < columns <= _WIDEST:
            raise DataError(f"{path} says that its vectors have {columns:,} numbers, and they may have at most {_WIDEST:,}. Get it again.")
        for number in range(1, count + 1):
            word = bytearray()
            while (letter := file.read(1)) not in (b" ", b"") and len(word) < _LONGEST:
                word += letter if letter != b"\n" or word else b""
            numbers = file.read(4 * columns)
            if letter != b" " or len(numbers) < 4 * columns:
                raise DataError(f"{path} ends in word {number:,} of {count:,}, or is damaged there. Get it again.")
            yield number, word.decode("utf-8", "replace"), np.frombuffer(numbers, "<f4").tolist()


def _text(path: Path) -> Iterator[tuple[int, str, Sequence[Any]]]:
    """Line, word and numbers; the count of words and columns that word2vec puts first is passed over.

    The first word has no blanks in it and says how many numbers there are; what is more in later lines belongs to their words.
    """
    columns = 0
    for line, text in read_lines(path, "utf-8"):
        word, *numbers = text.rstrip().split(" ")
        if not numbers or (line == 1 and len(numbers) == 1):
            continue
        columns = columns or len(numbers)
        more = max(len(numbers) - columns, 0)
        yield line, " ".join([word, *numbers[:more]]), numbers[more:]
