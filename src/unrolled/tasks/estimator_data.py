"""Sequences as estimators are given them: lists, arrays, columns and frames."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError


def unpacked(data: Any) -> Any:
    """The texts or sequences in a column of pandas, polars or pyarrow, or in the only column of a frame, as a list; anything else as it is.

    `DataError` for several columns with texts in them.
    """
    if isinstance(data, list | tuple) or not hasattr(data, "__array__"):
        return data
    cells = np.asarray(data)
    if cells.dtype.kind in "OU" and cells.ndim == 2 and any(isinstance(cell, str) for cell in cells.flat):
        if cells.shape[1] > 1:
            raise DataError(f"A sequence must be one text, got rows of {cells.shape[1]} columns with texts. Pass one of the columns.")
        cells = cells[:, 0]
    return list(cells) if _holds_sequences(cells) else data


def is_ragged(data: Any) -> bool:
    """Whether data is a list of texts, of lists of tokens, or of arrays of different lengths, and no table of numbers."""
    if not isinstance(data, list | tuple) or not len(data):
        return False
    if any(isinstance(row, str | Path) for row in data):
        return True
    if not all(hasattr(row, "__len__") for row in data):
        return False
    return len({len(row) for row in data}) > 1 or any(isinstance(row[0], str) for row in data if len(row))


def _holds_sequences(cells: NDArray[Any]) -> bool:
    return cells.ndim == 1 and cells.dtype.kind in "OU" and any(isinstance(cell, str) or np.ndim(cell) for cell in cells)


def as_series(data: Any) -> list[NDArray[np.float64]]:
    """Series `[T, K]`."""
    data = unpacked(data)
    if not isinstance(data, list | tuple) and len(np.shape(data)) == 1 and np.asarray(data).dtype != object:
        data = [data]
    found = [np.asarray(series, np.float64) for series in data]
    found = [series[:, None] if series.ndim == 1 else series for series in found]
    if len({series.shape[1:] for series in found}) != 1:
        raise DataError("All series must have as many numbers at each time. Pass arrays [T], or [T, K] with one K.")
    return found


class Numbered(dict[str, Any]):
    """Series without names as the columns of a table."""


def is_table(data: Any) -> bool:
    """Whether data is a frame or a mapping, whose columns have names."""
    return isinstance(data, Mapping) or hasattr(data, "columns")


def as_table(data: Any) -> Numbered:
    """Series as the columns of one long table, named so that their order is that of their names."""
    series = as_series(data)
    wide = len(str(len(series)))
    names = [f"{number:0{wide}}" for number, each in enumerate(series) for _ in each]
    numbers = np.concatenate(series)
    times = np.concatenate([np.arange(len(each)) for each in series])
    return Numbered(series=names, time=times, **{f"value {column + 1}": numbers[:, column] for column in range(numbers.shape[1])})
