"""Rows of series that come one by one, of which no more are kept than a window reads."""

import csv
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np
from numpy.typing import NDArray

from unrolled.data.formats.bad_rows import decided, tried
from unrolled.data.formats.decimals import without_comma
from unrolled.data.formats.files import named, open_text
from unrolled.data.formats.guesses import column_names
from unrolled.data.panels.cells import is_missing, labels_of, numbers_of
from unrolled.data.panels.codec import PanelCodec
from unrolled.data.panels.layouts import UNNAMED, require_times_to_skip
from unrolled.data.panels.options import LONG
from unrolled.data.panels.panel import Covariates, Panel
from unrolled.data.panels.tables import ColumnTable, table_of_rows
from unrolled.data.panels.times import parse_times, require_same_kind
from unrolled.errors import ConfigError, DataError

DELIMITERS = ",;\t|"

T = TypeVar("T")


@dataclass(frozen=True)
class FeedRow:
    """One row: the `name` of its series, when it was (None where rows are in order), its K numbers, and where it stands, in words."""

    name: str
    time: Any
    values: NDArray[np.float64]
    known: dict[str, NDArray[Any]]
    past: dict[str, NDArray[Any]]
    static: dict[str, NDArray[Any]]
    place: str


def read_feed(path: Path, codec: PanelCodec, take: Callable[[FeedRow], T], bad_rows: str | None = None) -> Iterator[T]:
    """What `take` makes of the rows of a long table as they come, each as soon as its line is there.

    `DataError` names the line of what cannot be read, or not be taken, unless such rows are left out.
    """
    options = codec.options if bad_rows is None else replace(codec.options, bad_rows=bad_rows)
    if options.layout != LONG:
        raise ConfigError("A feed has a row for each time, and this network learnt series that are rows or columns. Pass a TABLE.")
    if options.merge is not None:
        raise ConfigError(
            f"This network learnt steps that are the {options.merge} of several rows (`merge`), and rows of a feed come one by one. Pass a TABLE."
        )
    require_times_to_skip(named(path), options)
    with open_text(path, options.encoding) as file:
        lines = _lines(file, named(path), options.commas)
        yield from decided(tried(lines, lambda table: take(feed_row(table, codec))), options.bad_rows)


def _lines(file: TextIO, name: str, commas: Collection[str]) -> Iterator[ColumnTable | DataError]:
    """Each line after the first as a table of one row; in columns with `commas` these are decimal ones."""
    first = file.readline()
    delimiter = max(DELIMITERS, key=first.count)
    header = column_names(next(csv.reader([first], delimiter=delimiter), []))
    if not header:
        raise DataError(f"{name} has no first line with the names of its columns. Begin with them.")
    plain = [without_comma if column in commas else str for column in header]
    reader = csv.reader(iter(file.readline, ""), delimiter=delimiter)
    for cells in reader:
        line = reader.line_num + 1
        if cells and len(cells) != len(header):
            yield DataError(f"{name}, line {line}: a row must have {len(header)} cells as the first line has, got {len(cells)}.")
        elif cells:
            yield table_of_rows(name, header, [[read(cell) for read, cell in zip(plain, cells, strict=True)]], [line])


def feed_row(table: ColumnTable, codec: PanelCodec) -> FeedRow:
    """The only row of a table."""
    options, kinds = codec.options, codec.kinds
    name = UNNAMED
    if options.series is not None:
        name = str(table.find(options.series, "series")[0]).strip()
        if is_missing(name, options.missing):
            raise DataError(f"{table.place(0)}, {options.series}: the cell is empty. Say to which series the row belongs.")

    def columns(role: str) -> dict[str, NDArray[Any]]:
        return {n: (numbers_of if kinds[n] else labels_of)(table, n, role, options.missing) for n in getattr(codec, role)}

    time = None
    if options.time is not None:
        times, style = parse_times(table, options.time, options.time_format, options.missing)
        require_same_kind(style, codec.clock.style, table.place(0))
        time = times[0]
    values = np.array([numbers_of(table, target, "target", options.missing)[0] for target in codec.targets])
    return FeedRow(name, time, values, columns("known"), columns("past"), columns("static"), table.place(0))


def begin_feed(codec: PanelCodec, row: FeedRow) -> Panel:
    """A series to which a row can be added: the end of what was learnt of it if the row comes after that, and else an empty one that begins with the row."""
    tail = codec.tail
    if row.name in tail.names:
        number = tail.names.index(row.name)
        learnt = tail.take(np.array([number])).with_future(0)
        if row.time is None or row.time >= learnt.times(0, int(learnt.ends[0]), 1)[0]:
            return learnt
    first = np.array([1.0 if row.time is None else row.time])
    known, past = ({name: column[:0] for name, column in columns.items()} for columns in (row.known, row.past))
    return Panel(
        (row.name,),
        codec.targets,
        codec.clock,
        first,
        np.zeros(2, np.int64),
        np.zeros(1, np.int64),
        np.zeros((0, len(codec.targets))),
        known,
        past,
        row.static,
    )


def add_row(panel: Panel, row: FeedRow, keep: int, *, announced: bool = False) -> tuple[Panel, int, bool]:
    """A series with one row more, the steps that passed without one before it, and whether it lies beside the steps and was taken to be at the nearest;
    of all rows the last `keep` are kept.

    A row that is `announced` has not come yet: it says what is known of its step. `DataError` for a row that does not come after the last one.
    """
    end = int(panel.ends[0])
    passed, moved = (0, False) if row.time is None else _steps_to(panel, row, end)
    longer, at = panel.with_future(passed + 1), end + passed

    def added(columns: Covariates, cells: Covariates) -> dict[str, NDArray[Any]]:
        return {name: _with(column, at, cells[name][0]) for name, column in columns.items()}

    values = longer.values.copy()
    values[at] = row.values
    longer = replace(
        longer,
        ends=np.array([at if announced else at + 1]),
        values=values,
        known=added(longer.known, row.known),
        past=added(longer.past, row.past),
    )
    return (longer.last(keep) if at >= keep else longer), passed, moved


def _with(column: NDArray[Any], at: int, cell: Any) -> NDArray[Any]:
    """A column with another cell; what it says there stays if the cell says nothing."""
    found = column.copy()
    if cell is not None and cell == cell:
        found[at] = cell
    return found


def _steps_to(panel: Panel, row: FeedRow, end: int) -> tuple[int, bool]:
    """How many steps of the grid lie between the end of a series and a row, and whether the row lies beside them."""
    begin = max(end - 1, 0)
    last, next_time = panel.times(0, begin, end - begin + 1)[[0, -1]]
    text = panel.clock.style.text
    if row.time < next_time if end == begin else row.time <= last:
        raise DataError(f"{row.place}: the time {text(row.time)} comes before {text(next_time)}, the next step. Let rows come in order.")
    if row.time == last:
        return 0, False
    (_, at), moved = panel.clock.positions(np.array([last, row.time]), row.place)
    return int(at) - (end - begin), bool(moved)
