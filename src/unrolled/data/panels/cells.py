"""What the cells of a column say: numbers, labels, or nothing."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.numerals import as_number
from unrolled.data.panels.tables import ColumnTable
from unrolled.errors import DataError

MISSING = frozenset(("", "na", "n/a", "<na>", "nan", "nat", "null", "none"))
"""What cells have in which nothing is said, in small letters."""

LARGEST = 1e30
"""Numbers may be so far from 0: what is computed from them must stay finite in float32."""

_DECIMAL_COMMA = re.compile(r"[+-]?[\d.]*\d,\d+", re.ASCII)


def is_missing(cell: Any, also: str | None = None) -> bool:
    """Whether a cell says nothing; `also` is a text that says so in this table."""
    if cell is None or cell != cell:
        return True
    text = str(cell).strip()
    return text == also or text.lower() in MISSING


def numbers_of(table: ColumnTable, name: str, option: str, also: str | None = None) -> NDArray[np.float64]:
    """The numbers of a column `[R]`, NaN where nothing is said. Another text, and a number beyond `LARGEST`, are a `DataError` that names the row."""
    cells = table.find(name, option)
    if cells.dtype != object:
        found = _plain(table, name, cells)
    else:
        found = np.empty(len(cells))
        for row, cell in enumerate(cells.tolist()):
            try:
                found[row] = np.nan if is_missing(cell, also) else as_number(str(cell))
            except ValueError:
                found[row] = np.nan
                table.refuse(row, DataError(f"{table.place(row)}: {name} must be a number, got {str(cell)[:40]!r}. {_cure(str(cell))}"))
    for row in np.flatnonzero(np.abs(found) > LARGEST).tolist():
        told = f"is {found[row]:g}, and numbers may be at most {LARGEST:g} from 0. Mend the cell, or divide the column."
        if np.isinf(found[row]):
            told = "is infinite. Leave the cell empty if the number is not known."
        table.refuse(row, DataError(f"{table.place(row)}: {name} {told}"))
    return found


def _cure(text: str) -> str:
    if _DECIMAL_COMMA.fullmatch(text.strip()):
        return "Write numbers with a decimal point, as 1.5, and without marks between thousands."
    return "Mend the cell, or pass what stands for a missing number as `missing`."


def _plain(table: ColumnTable, name: str, cells: NDArray[Any]) -> NDArray[np.float64]:
    try:
        return cells.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{table.name}: the column {name} must have numbers, got {cells.dtype}.") from None


def are_numbers(cells: NDArray[Any], also: str | None = None) -> bool:
    """Whether a column is one of numbers: most of its cells that say something are, or would be with a decimal point for their comma."""
    if cells.dtype != object:
        return bool(np.issubdtype(cells.dtype, np.number))
    said = [str(cell) for cell in cells.tolist() if not is_missing(cell, also)]
    return bool(said) and 2 * sum(map(_is_number, said)) > len(said)


def _is_number(text: str) -> bool:
    try:
        as_number(text)
    except ValueError:
        # Taken for a label, or passed over, such a cell would be misread in silence; as a number it is refused.
        return _DECIMAL_COMMA.fullmatch(text.strip()) is not None
    return True


def labels_of(table: ColumnTable, name: str, option: str, also: str | None = None) -> NDArray[Any]:
    """The labels of a column `[R]` as texts, None where nothing is said."""
    cells = table.find(name, option).tolist()
    return np.array([None if is_missing(cell, also) else str(cell).strip() for cell in cells] or [None], object)[: len(cells)]
