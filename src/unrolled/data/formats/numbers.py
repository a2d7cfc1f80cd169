"""Numbers in cells of text, and what becomes of those that are missing."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from unrolled.data.numerals import as_number
from unrolled.errors import DataError

MISSING = frozenset({"", "?", "na", "nan", "n/a", "null", "none"})
"""Cells, in small letters, that say that there is no number."""

_IMPUTE = "Pass `impute` to put the last known value of the channel, or its mean, where one is missing."


def parse_number(text: str) -> float:
    """The number that a cell holds, and NaN where it says that there is none; anything else is a `ValueError`."""
    text = text.strip()
    return float("nan") if text.lower() in MISSING else as_number(text)


def parse_targets(cells: Sequence[Sequence[str]], place: Callable[[int], str]) -> NDArray[np.float64]:
    """Numbers to predict, `[N, K]`, from rows of cells. `DataError` names the `place` of a row with something that is no finite number."""
    found = np.empty((len(cells), len(cells[0]) if cells else 0))
    for row, texts in enumerate(cells):
        for column, text in enumerate(texts):
            try:
                found[row, column] = as_number(text)
            except ValueError:
                raise DataError(f"{place(row)}: a target must be a number, got {text[:40]!r}. Mend it, or take another `target`.") from None
            if not np.isfinite(found[row, column]):
                raise DataError(f"{place(row)}: a target must be a finite number, got {text[:40]!r}. Mend it, or take the row out.")
    return found


def complete(
    numbers: NDArray[np.float32], place: Callable[[int], str], channels: Sequence[str], *, impute: bool, cure: str = _IMPUTE
) -> NDArray[np.float32]:
    """The numbers `[T, C]` of one sequence without gaps.

    With `impute` a missing value becomes the last known one of its channel. Those before the first known one stay NaN: a mean over the
    file could have seen what is held out, so `NumberCodec` puts the mean of the training part there. Without it, and for an infinite
    value always, `DataError` names the first by `place(row)` and by its channel; `cure` says what to do about one that is missing.
    """
    if infinite := np.argwhere(np.isinf(numbers)).tolist():
        row, channel = infinite[0]
        raise DataError(
            f"{place(row)}, {channels[channel]}: a value must be a finite 32-bit number, got an infinite one. Mend or scale it."
        )
    missing = np.isnan(numbers)
    if not missing.any():
        return numbers
    if not impute:
        row, channel = np.argwhere(missing)[0].tolist()
        raise DataError(f"{place(row)}, {channels[channel]}: the value is missing, one of {missing.sum()} in this sequence. {cure}")
    last = np.maximum.accumulate(np.where(missing, 0, np.arange(len(numbers))[:, None]), axis=0)
    return np.take_along_axis(numbers, last, axis=0)
