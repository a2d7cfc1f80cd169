"""Tables column by column: from delimited text, from parquet, and from data frames of other libraries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.formats.bad_rows import ERROR, decided
from unrolled.data.formats.files import named
from unrolled.data.formats.rows import open_table
from unrolled.data.opening import open_unpacked
from unrolled.errors import ConfigError, DataError
from unrolled.extras import extra

PARQUET = ".parquet"

_FRAME = "the data frame"


@dataclass(frozen=True)
class ColumnTable:
    """The cells of each column by its name; `place` says in words where a row stands.

    Cells are texts, or what a data frame has: numbers with NaN for what is missing, or times. `bad` collects what is wrong with rows, if they
    may be left out. `commas` are the columns whose numbers had a decimal comma.
    """

    name: str
    columns: Mapping[str, NDArray[Any]]
    place: Callable[[int], str]
    bad: dict[int, DataError] | None = None
    commas: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def find(self, name: str, option: str) -> NDArray[Any]:
        """The cells of a column that was asked for with `option`."""
        if name not in self.columns:
            found = ", ".join([*self.columns][:20]) + (", …" if len(self.columns) > 20 else "")
            raise ConfigError(f"{self.name} has no column {name!r}; its columns are {found}. Pass one of them as `{option}`.")
        return self.columns[name]

    def refuse(self, row: int, error: DataError) -> None:
        """A row that cannot be read: its error is raised, or collected."""
        if self.bad is None:
            raise error from None
        self.bad.setdefault(row, error)

    def take(self, rows: Places) -> "ColumnTable":
        """Some of the rows."""
        columns = {name: cells[rows] for name, cells in self.columns.items()}
        return replace(self, columns=columns, place=lambda row: self.place(int(rows[row])), bad=None)


def read_table(path: Path, encoding: str, bad_rows: str = ERROR) -> ColumnTable:
    """A file: parquet if its name ends so, and else delimited text with the names of its columns in the first row."""
    if path.suffix.lower() == PARQUET:
        return _parquet(path)
    with open_table(path, encoding) as table:
        rows = list(decided(table.rows, bad_rows))
    found = table_of_rows(named(path), table.columns, [table.decimals.row(row) for _, row in rows], [line for line, _ in rows])
    return replace(found, commas=table.decimals.commas)


def table_of_rows(name: str, header: Sequence[str], rows: Sequence[Sequence[str]], lines: Sequence[int]) -> ColumnTable:
    """Rows of text, which stand in lines of a file."""
    cells = np.empty((len(rows), len(header)), object)
    if rows:
        cells[:] = rows
    return ColumnTable(name, {column: cells[:, at] for at, column in enumerate(header)}, lambda row: f"{name}, line {lines[row]}")


def joined(tables: Sequence[ColumnTable]) -> ColumnTable:
    """Tables one below the other, which must have the same columns."""
    if len(tables) == 1:
        return tables[0]
    first, begins = tables[0], np.cumsum([0, *map(len, tables)])
    for other in tables[1:]:
        for name in first.columns.keys() ^ other.columns.keys():
            lacks = other if name in first.columns else first
            raise DataError(
                f"{lacks.name} has no column {name!r}, which {(first if lacks is other else other).name} has. Give all tables the same columns."
            )

    def place(row: int) -> str:
        which = int(np.searchsorted(begins, row, side="right")) - 1
        return tables[which].place(row - int(begins[which]))

    columns = {name: _together([table.columns[name] for table in tables]) for name in first.columns}
    return ColumnTable(first.name, columns, place, commas=frozenset().union(*(table.commas for table in tables)))


def _together(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    kinds = {part.dtype.kind for part in parts}
    return np.concatenate(parts if len(kinds) == 1 else [part.astype(object) for part in parts])


def _parquet(path: Path) -> ColumnTable:
    parquet = extra("pyarrow.parquet")
    with open_unpacked(path) as file:
        try:
            found = parquet.read_table(BytesIO(file.read()))
        except Exception as error:
            raise DataError(f"{path} is no parquet file that can be read: {error}. Write it again, or pass a CSV file.") from None
    return table_of_frame(found, str(path))


def table_of_frame(frame: Any, name: str = _FRAME) -> ColumnTable:
    """A data frame of pandas, polars or pyarrow, or any other that narwhals knows; or a mapping of columns. `DataError` for something else."""
    if isinstance(frame, Mapping):
        columns = {str(key): _plain(column) for key, column in frame.items()}
        if len({len(column) for column in columns.values()}) > 1:
            raise DataError("The columns of a table must have one length. Fill the shorter ones up with NaN.")
        return ColumnTable(name, columns, lambda row: f"{name}, row {row}")
    narwhals = extra("narwhals")
    try:
        known = narwhals.from_native(frame, eager_only=True)
    except TypeError as error:
        raise DataError(f"A table must be a data frame or a mapping of columns, got {type(frame).__name__}: {error}") from None
    return ColumnTable(
        name, {str(column.name): _cells(column, narwhals) for column in known.iter_columns()}, lambda row: f"{name}, row {row}"
    )


def _cells(column: Any, narwhals: Any) -> NDArray[Any]:
    """The cells of a column of a data frame: numbers, times without a zone, or objects with None for what is missing."""
    kind = column.dtype
    if kind.is_numeric():
        return np.asarray(column.cast(narwhals.Float64).to_numpy(), np.float64)
    if isinstance(kind, narwhals.Datetime) and kind.time_zone is not None:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if isinstance(kind, narwhals.Datetime | narwhals.Date):
        return np.asarray(column.to_numpy()).astype("datetime64[us]")
    return np.array([None if cell is None or cell != cell else str(cell) for cell in column.to_list()], object)


def _plain(cells: Any) -> NDArray[Any]:
    """Cells as an array of numbers, dates or objects."""
    found = np.asarray(cells)
    return found.astype(object) if found.dtype.kind in "US" else found
