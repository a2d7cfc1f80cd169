"""Tables that are no delimited text, read as rows of cells as those of CSV are, so that all that can be asked of a table can be asked of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

from unrolled.data import kinds
from unrolled.data.formats.sheets.arff import arff_rows
from unrolled.data.formats.sheets.arrow import feather_rows, parquet_rows
from unrolled.data.formats.sheets.excel import excel_rows
from unrolled.data.formats.sheets.frames import frame_rows
from unrolled.data.formats.sheets.reading import whole
from unrolled.data.formats.sheets.xes import xes_rows
from unrolled.data.kinds import Kind
from unrolled.data.opening import kind_in
from unrolled.errors import DataError

SHEETS: dict[Kind, Callable[[Path], Iterator[list[str] | DataError]]] = {
    kinds.PARQUET: parquet_rows,
    kinds.ARROW: feather_rows,
    kinds.EXCEL: excel_rows,
    kinds.HDF5: frame_rows,
    kinds.ARFF: arff_rows,
    kinds.XES: xes_rows,
}
"""What reads the rows of each kind: the names of the columns first, where it has them."""


def sheet_rows(path: Path) -> Iterator[tuple[int, list[str]] | DataError] | None:
    """The rows of a file, numbered from 1, as text; None if it is none of these kinds. What is damaged is a `DataError`."""
    kind = kind_in(path)
    return whole(path, kind, SHEETS[kind]) if kind in SHEETS and kind is not None else None
