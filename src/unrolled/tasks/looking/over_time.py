"""Tables of numbers over time, as their first rows show them: with times that rise, in the whole table or in each of several series."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import Frequency
from unrolled.data.formats.bad_rows import good
from unrolled.data.formats.files import HEAD
from unrolled.data.formats.rows import open_table
from unrolled.data.panels import ColumnTable, PanelOptions, table_of_rows
from unrolled.data.panels.cells import are_numbers, is_missing
from unrolled.data.panels.times import are_dated, looks_dated, parse_times
from unrolled.errors import UnrolledError
from unrolled.options import build, options_of
from unrolled.tasks.forecasting.options import ForecastOptions

_FEWEST = 8
"""Rows from which on times that rise are no accident."""

_USUAL = 10
"""Steps that are forecast where no season is known, at most a tenth of the rows."""

_DISTINCT = 0.5
"""The share of different cells from which on a column has texts of their own."""


def forecast_options(sources: Sequence[str], options: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What forecasting needs beside `options` if a table has numbers over time; None for other tables, and where options say something else."""
    known = {option.name for group in (PanelOptions, ForecastOptions) for option in options_of(group)}
    if not options.keys() <= known:
        return None
    try:
        return _of_table(_head(Path(sources[0]), options), options)
    except UnrolledError:
        return None


def _head(path: Path, options: Mapping[str, Any]) -> ColumnTable:
    with open_table(path, options.get("encoding", "utf-8")) as table:
        rows = [row for _, row in good(islice(table.rows, HEAD))]
    return table_of_rows(str(path), table.columns, table.decimals.guessed(rows), range(2, len(rows) + 2))


def _of_table(table: ColumnTable, options: Mapping[str, Any]) -> Mapping[str, Any] | None:
    reading = build(PanelOptions, {name: value for name, value in options.items() if hasattr(PanelOptions, name)})
    dated = (name for name, cells in table.columns.items() if are_dated(cells, options.get("missing")))
    time = reading.time or next(dated, None)
    if time is None or len(table) < _FEWEST:
        return None
    times, _ = parse_times(table, time, reading.time_format, reading.missing)
    others = {name: cells for name, cells in table.columns.items() if name != time}
    named = (reading.series,) if reading.series else _series_of(times, others, reading.missing)
    series = next((name for name in named if _rising(times, None if name is None else others[name])), "")
    numbers = [name for name, cells in others.items() if name != series and are_numbers(cells, reading.missing)]
    labels = [cells for name, cells in others.items() if name != series and name not in numbers]
    wanted = set((reading.target or "").split(",")) - {""}
    if (
        series == ""
        or not numbers
        or not wanted <= {*numbers}
        or any(_are_texts(cells) for cells in labels if not looks_dated(str(cells[0])))
    ):
        return None
    found = {} if series is None or reading.series else {"series": series}
    return found if "horizon" in options else {**found, "horizon": _horizon(times, None if series is None else others[series])}


def _series_of(times: NDArray[Any], columns: Mapping[str, NDArray[Any]], missing: str | None) -> Iterator[str | None]:
    """Columns that may say to which series a row belongs, None for no column. The first rows of a longer table may all be of one series."""
    names = [name for name, cells in columns.items() if len({*cells.tolist()}) * 3 <= len(cells)]
    constant = [name for name in names if len({*columns[name].tolist()}) == 1 and not are_numbers(columns[name], missing)]
    if len(times) >= HEAD:
        yield from constant
    yield None
    yield from (name for name in names if not any(is_missing(cell, missing) for cell in columns[name].tolist()))


def _rising(times: NDArray[Any], names: NDArray[Any] | None) -> bool:
    """Whether times rise from row to row, in each series."""
    return all(bool((part[1:] > part[:-1]).all()) for part in _parts(times, names))


def _parts(times: NDArray[Any], names: NDArray[Any] | None) -> list[NDArray[Any]]:
    if names is None:
        return [times]
    cells = names.astype(str)
    return [times[cells == name] for name in np.unique(cells)]


def _are_texts(cells: NDArray[Any]) -> bool:
    return len({*cells.tolist()}) > _DISTINCT * len(cells)


def _horizon(times: NDArray[Any], names: NDArray[Any] | None) -> int:
    """A season, if the times say which, but no more than a tenth of the rows that are seen."""
    longest = max(_parts(times, names), key=len)
    try:
        usual = (*Frequency.found(longest).seasons, _USUAL)[0] if np.issubdtype(longest.dtype, np.datetime64) else _USUAL
    except UnrolledError:
        usual = _USUAL
    return max(min(usual, len(longest) // 10), 1)
