"""Tables column by column: from delimited text, from parquet, and from data frames of other libraries."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    may be left out. `commas` are the columns whose numbers had a decimal comma, and `zones` the zones of columns of times that have one.
    """

    name: str
    columns: Mapping[str, NDArray[Any]]
    place: Callable[[int], str]
    bad: dict[int, DataError] | None = None
    commas: frozenset[str] = frozenset()
    zones: Mapping[str, str] = field(default_factory=dict)

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

    for other in tables[1:]:
        for name in first.zones.keys() ^ other.zones.keys():
            bare = other if name in first.zones else first
            raise DataError(
                f"The times in the column {name!r} of {bare.name} have no zone, and others have one. Give all of them a zone, or none."
            )
    columns = {name: _together([table.columns[name] for table in tables]) for name in first.columns}
    commas = frozenset().union(*(table.commas for table in tables))
    return ColumnTable(first.name, columns, place, commas=commas, zones=first.zones)


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
    found = [*_index(known, narwhals), *known.iter_columns()]
    zones = {str(column.name): "Z" for column in found if _zoned(column, narwhals)}
    cells = {str(column.name): _cells(column, narwhals) for column in found}
    return ColumnTable(name, cells, lambda row: f"{name}, row {row}", zones=zones)


def _index(frame: Any, narwhals: Any) -> list[Any]:
    """The index of a frame as a column, if it has times: those of pandas often have them there."""
    index = narwhals.maybe_get_index(frame)
    if index is None or index.__class__.__name__ not in ("DatetimeIndex", "PeriodIndex"):
        return []
    times = index.to_timestamp() if hasattr(index, "to_timestamp") else index
    column = narwhals.from_native(times.to_series(name=index.name or "time"), series_only=True)
    return [] if column.name in frame.columns else [column]


def _zoned(column: Any, narwhals: Any) -> bool:
    return isinstance(column.dtype, narwhals.Datetime) and column.dtype.time_zone is not None


def _cells(column: Any, narwhals: Any) -> NDArray[Any]:
    """The cells of a column of a data frame: numbers, times in UTC if they have a zone, or objects with None for what is missing."""
    kind = column.dtype
    if kind.is_numeric():
        return np.asarray(column.cast(narwhals.Float64).to_numpy(), np.float64)
    if _zoned(column, narwhals):
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    if isinstance(kind, narwhals.Datetime | narwhals.Date):
        return np.asarray(column.to_numpy()).astype("datetime64[us]")
    return np.array([None if cell is None or cell != cell else str(cell) for cell in column.to_list()], object)


def _plain(cells: Any) -> NDArray[Any]:
    """Cells as an array of numbers, dates or objects."""
    found = np.asarray(cells)
    return found.astype(object) if found.dtype.kind in "US" else found
