"""The three layouts of tables: a row for each time of each series, a series in each column, a series in each row."""

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import Frequency
from unrolled.data.formats.bad_rows import SKIP, decided
from unrolled.data.formats.guesses import is_index
from unrolled.data.panels.cells import are_numbers, is_missing, labels_of, numbers_of
from unrolled.data.panels.clock import Clock
from unrolled.data.panels.options import LONG, ROWS, PanelOptions, several
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.placing import ORDER, Rows, place_rows
from unrolled.data.panels.tables import ColumnTable, joined
from unrolled.data.panels.times import Style, are_dated, looks_dated, parse_times
from unrolled.errors import ConfigError, DataError, UnrolledWarning

VALUE, UNNAMED = "value", "series"
"""What the target is called where a series is a column or a row, and the series where all rows are one."""

MOST_NAMED = 5
"""Tables that are named where something is wrong with the series in them."""

_NUMBERED = re.compile(r"(\D*)(\d+)", re.ASCII)

_TIMES = frozenset(("time", "date", "datetime", "timestamp", "day", "week", "month", "quarter", "year", "period", "ds"))
"""Names, in small letters, of columns with times."""

_MOMENTS = frozenset(("time", "date", "datetime", "timestamp", "ds"))
"""Those of them whose numbers are no parts of a date."""

_TIMELY = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|\d:\d\d", re.ASCII)
"""A year, or a time of day, in a text."""

_LOOKED_AT = 20
"""The first rows, by which it is told whether a column seems to have times."""

Kinds = Mapping[str, bool]
"""Whether columns, by their names, are numbers; the others are labels."""


def read_panel(
    tables: Sequence[ColumnTable], options: PanelOptions, *, kinds: Kinds | None = None, clock: Clock | None = None
) -> tuple[Panel, PanelOptions]:
    """The series of some tables, of which the rows of one name are one series, and the options with what was found out.

    `kinds` and `clock` are those of what was learnt, where these tables are others of the kind.
    """
    for table in tables:
        if not len(table):
            raise DataError(f"{table.name} has no rows. Pass a table that has some.")
    options = replace(options, layout=options.layout or _layout(tables[0], options))
    frequency = None if options.frequency is None else Frequency.parse(options.frequency)
    if options.layout == ROWS:
        rows = _without_bad(tables, options, lambda good: _of_rows(good, options))
        return _placed(tables, rows, frequency, clock, options), options
    table = joined(tables)
    options = replace(options, time=options.time or _dates(table, options))
    if options.time is None:
        _tell_unread_times(table, options)
    require_times_to_skip(table.name, options)
    if options.layout == LONG:
        options = replace(options, target=options.target or _only_number(table, options), commas=tuple(sorted(table.commas)))
    read = _of_long if options.layout == LONG else _of_columns
    rows = _without_bad([table], options, lambda good: read(good[0], options, kinds))
    if "/%Y" in rows.style.form:
        # Other tables may have no date that shows which number is the day.
        options = replace(options, time_format=rows.style.form)
    return _placed(tables, rows, frequency, clock, options), options


def _placed(tables: Sequence[ColumnTable], rows: Rows, frequency: Frequency | None, clock: Clock | None, options: PanelOptions) -> Panel:
    """The series on their grid. What is wrong with the times of one is told with the tables that have it."""
    try:
        return place_rows(rows, frequency, clock, options.merge)
    except DataError as error:
        if any(table.name in str(error) for table in tables):
            raise
        raise DataError(f"{', '.join(table.name for table in tables[:MOST_NAMED])}: {error}") from None


def require_times_to_skip(name: str, options: PanelOptions) -> None:
    """`ConfigError` where rows may be left out, and those after them would be taken for earlier ones."""
    if options.bad_rows == SKIP and options.time is None:
        raise ConfigError(
            f"{name}: `bad_rows={SKIP!r}` leaves rows out, and without times the rows after them would be taken for earlier ones. "
            "Name the column of times as `time`, or mend the rows."
        )


def _without_bad(tables: Sequence[ColumnTable], options: PanelOptions, read: Callable[[Sequence[ColumnTable]], Rows]) -> Rows:
    """What is read of tables, without rows that cannot be read if they may be left out."""
    if options.bad_rows != SKIP:
        return read(tables)
    tried = [replace(table, bad={}) for table in tables]
    rows = read(tried)
    if not any(table.bad for table in tried):
        return rows
    items = [(table.bad or {}).get(row, (at, row)) for at, table in enumerate(tried) for row in range(len(table))]
    kept = [*decided(items, options.bad_rows)]
    return read([table.take(np.array([row for which, row in kept if which == at], np.int64)) for at, table in enumerate(tables)])


def _layout(table: ColumnTable, options: PanelOptions) -> str:
    """What the header of a table says: that it counts columns, or names dates, above rows that are series."""
    named = any(getattr(options, role) for role in ("time", "target", "known", "past", "static", "series"))
    header = [*table.columns][1:]
    if named or len(header) < 3:
        return LONG
    counted = [_NUMBERED.fullmatch(name) for name in header]
    numbers = [int(found[2]) for found in counted if found]
    count_up = len(numbers) == len(header) and numbers == [*range(numbers[0], numbers[0] + len(numbers))]
    one_prefix = len({found[1] for found in counted if found}) == 1
    dated = all(map(looks_dated, header)) or (header[0].isdecimal() and are_dated(np.array(header, object)))
    return ROWS if (count_up and one_prefix) or dated else LONG


def _dates(table: ColumnTable, options: PanelOptions) -> str | None:
    """The first column of dates that has no other role."""
    taken = _taken(options)
    for name, cells in table.columns.items():
        if name not in taken and are_dated(cells, options.missing):
            return name
    return None


def _tell_unread_times(table: ColumnTable, options: PanelOptions) -> None:
    """Say it if a column seems to have times, by its name or its texts, and is left out, as it has plain numbers or is written in no form that is known."""
    taken = _taken(options)
    for name, cells in table.columns.items():
        texts = [str(cell).strip() for cell in cells[:_LOOKED_AT].tolist() if not is_missing(cell, options.missing)]
        if name in taken or not texts:
            continue
        why, cure = "", f"`time={name!r}`"
        if are_numbers(cells, options.missing):
            why = "it has plain numbers" if name.lower() in _MOMENTS else ""
        elif name.lower() in _TIMES or (len({*texts}) == len(texts) and all(map(_TIMELY.search, texts))):
            why, cure = f"{texts[0][:40]!r} is no date in a form that is known", f"{cure} with `time_format`"
        if why:
            told = f"the column {name!r} is left out, as {why}, and rows are taken to be in order. Pass {cure} if times matter."
            warnings.warn(f"{table.name}: {told}", UnrolledWarning, stacklevel=3)


def _taken(options: PanelOptions) -> set[str]:
    """The columns that have a role."""
    roles = (options.time, options.target, options.series, options.known, options.past, options.static)
    return {name for role in roles for name in ((role or ""), *several(role))}


def _measured(table: ColumnTable, options: PanelOptions) -> list[str]:
    """The columns of numbers that have no other role."""
    taken = _taken(options)
    free = [name for name in table.columns if name not in taken and not is_index(name)]
    return [name for name in free if are_numbers(table.columns[name], options.missing)]


def _only_number(table: ColumnTable, options: PanelOptions) -> str:
    """The column of numbers, if there is one."""
    found = _measured(table, options)
    if len(found) == 1:
        return found[0]
    if not found:
        _refuse_two_roles(table, options)
        raise ConfigError(
            f"{table.name} has no column of numbers that could be forecast: {', '.join([*table.columns][:20])}. Pass `target`."
        )
    shown = ", ".join(found[:20]) + (", …" if len(found) > 20 else "")
    other = "" if options.series else ", or `layout='columns'` if each column is a series"
    raise ConfigError(f"{table.name} has {len(found)} columns of numbers, {shown}. Pass those to forecast as `target`{other}.")


def _refuse_two_roles(table: ColumnTable, options: PanelOptions) -> None:
    """`ConfigError` if the only column of numbers is also named as one beside the target."""
    named = [(role, name) for role in ("known", "past") for name in several(getattr(options, role), [*table.columns])]
    numbers = [(role, name) for role, name in named if are_numbers(table.find(name, role), options.missing)]
    if len(numbers) == 1:
        ((role, name),) = numbers
        raise ConfigError(
            f"{table.name}: the column {name!r} is the only one of numbers, so that it would be both `{role}` and the target. "
            f"Leave `{role}` out, or pass another `target`."
        )


def _covariates(table: ColumnTable, names: str | None, option: str, kinds: Kinds | None, missing: str | None) -> dict[str, NDArray[Any]]:
    found = {}
    for name in several(names, [*table.columns]):
        numbers = are_numbers(table.find(name, option), missing) if kinds is None else kinds[name]
        found[name] = (numbers_of if numbers else labels_of)(table, name, option, missing)
    return found


def _times(table: ColumnTable, options: PanelOptions) -> tuple[NDArray[Any] | None, Style]:
    if options.time is None:
        return None, ORDER
    return parse_times(table, options.time, options.time_format, options.missing)


def _of_long(table: ColumnTable, options: PanelOptions, kinds: Kinds | None) -> Rows:
    targets = several(options.target, [*table.columns])
    series, names = np.zeros(len(table), np.int64), [UNNAMED]
    if options.series is not None:
        series, names = _numbered(table, options.series, options.missing)
    times, style = _times(table, options)
    return Rows(
        names,
        targets,
        series,
        times,
        style,
        np.stack([numbers_of(table, name, "target", options.missing) for name in targets], -1),
        _covariates(table, options.known, "known", kinds, options.missing),
        _covariates(table, options.past, "past", kinds, options.missing),
        _covariates(table, options.static, "static", kinds, options.missing),
        table.place,
    )


def _numbered(table: ColumnTable, name: str, missing: str | None) -> tuple[NDArray[np.int64], list[str]]:
    """The number of the series of each row, and their names, in the order in which they come."""
    cells = table.find(name, "series").tolist()
    numbers = dict[str, int]()
    found = np.empty(len(cells), np.int64)
    for row, cell in enumerate(cells):
        if is_missing(cell, missing):
            table.refuse(row, DataError(f"{table.place(row)}, {name}: the cell is empty. Say to which series the row belongs."))
        whole = isinstance(cell, float) and cell.is_integer()
        found[row] = numbers.setdefault(str(int(cell)) if whole else str(cell).strip(), len(numbers))
    return found, [*numbers]


def _of_columns(table: ColumnTable, options: PanelOptions, kinds: Kinds | None) -> Rows:
    names = several(options.target, [*table.columns]) or tuple(_measured(table, options))
    if not names:
        raise ConfigError(f"{table.name} has no column of numbers that could be a series: {', '.join(table.columns)}.")
    times, style = _times(table, options)
    count, size = len(names), len(table)

    def each(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        return {name: np.tile(column, count) for name, column in columns.items()}

    return Rows(
        names,
        (VALUE,),
        np.repeat(np.arange(count), size),
        None if times is None else np.tile(times, count),
        style,
        np.concatenate([numbers_of(table, name, "target", options.missing) for name in names])[:, None],
        each(_covariates(table, options.known, "known", kinds, options.missing)),
        each(_covariates(table, options.past, "past", kinds, options.missing)),
        {},
        lambda row: table.place(row % size),
    )


def _of_rows(tables: Sequence[ColumnTable], options: PanelOptions) -> Rows:
    """The cells of all rows, one after the other; the names of rows stand in the first column unless it has numbers."""
    names = dict[str, int]()
    series, values, places, times = [], [], [], []
    for table in tables:
        label = options.series or next(iter(table.columns))
        named = options.series is not None or not are_numbers(table.columns[label], options.missing)
        columns = [name for name in table.columns if not named or name != label]
        cells = np.stack([numbers_of(table, name, "layout", options.missing) for name in columns], -1)
        said = ~np.isnan(cells)
        lengths = np.where(said.any(1), cells.shape[1] - said[:, ::-1].argmax(1), 0)
        for row, length in enumerate(lengths.tolist()):
            name = str(table.find(label, "series")[row]).strip() if named else str(len(names) + 1)
            series.append(np.full(length, names.setdefault(name, len(names))))
            values.append(cells[row, :length])
            places.append((table, row, length))
            times.append(columns[:length])
    begins = np.cumsum([0, *(length for *_, length in places)])

    def place(at: int) -> str:
        table, row, _ = places[int(np.searchsorted(begins, at, side="right")) - 1]
        return table.place(row)

    dated = all(are_dated(np.array(columns, object)) for columns in times if columns)
    when, style = None, ORDER
    if dated:
        header = ColumnTable(tables[0].name, {"header": np.array([name for columns in times for name in columns], object)}, place)
        when, style = parse_times(header, "header", options.time_format)
    return Rows([*names], (VALUE,), np.concatenate(series), when, style, np.concatenate(values)[:, None], {}, {}, {}, place)
