"""What known columns say of the steps to come, from a table of its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.panels.cells import labels_of, numbers_of
from unrolled.data.panels.codec import PanelCodec
from unrolled.data.panels.covariates import NumberColumn
from unrolled.data.panels.options import LONG, PanelOptions, several
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.tables import ColumnTable
from unrolled.data.panels.times import parse_times, require_same_kind
from unrolled.errors import DataError


def fill_future(panel: Panel, table: ColumnTable, options: PanelOptions, kinds: Mapping[str, bool]) -> Panel:
    """A panel in whose rows after the histories a table says what its known columns are. Rows of other times and series are passed over.

    `DataError` for a table without rows, and for times of another kind or zone than those of the panel.
    """
    names = several(options.known, [*table.columns])
    if not names:
        raise DataError("This network learnt no `known` columns, and a table of the `future` says nothing to it. Leave it out.")
    if not len(table):
        raise DataError(f"{table.name} has no rows. Pass a table that has some.")
    columns = {name: (numbers_of if kinds[name] else labels_of)(table, name, "known", options.missing) for name in names}
    known = {name: panel.known[name].copy() for name in names}
    times = _times(panel, table, options)
    for number, rows in _rows(panel, table, options):
        at, rows = _places(panel, number, times, rows)
        for name in names:
            known[name][panel.starts[number] + at] = columns[name][rows]
    return replace(panel, known=known)


def require_known(
    panel: Panel, codec: PanelCodec, series: Places, origins: Places, horizon: int, told: NDArray[np.bool_] | None = None
) -> None:
    """`DataError` if a known column says nothing of a step of windows that begin at rows `origins` `[W]` of some series `[W]`.

    Of a column in which gaps were learnt it is one if it says nothing in all windows of a series. Of labels that may only be no rows at all, where
    `told` `[N]` says of which series there are some.
    """
    rows = panel.starts[series][:, None] + origins[:, None] + np.arange(horizon)
    for name, column in codec.known.items():
        cells = panel.known[name][rows]
        lacks = np.array(cells == np.array(None), bool) if cells.dtype == object else np.isnan(cells)
        if column.gaps:
            says = ~lacks.all(1) if isinstance(column, NumberColumn) else np.ones(len(series), bool) if told is None else told[series]
            lacks &= (np.bincount(series, says, len(panel)) == 0)[series][:, None]
        if lacks.any():
            window, step = (int(at[0]) for at in np.nonzero(lacks))
            number = int(series[window])
            time = panel.clock.style.text(panel.times(number, int(origins[window]) + step, 1)[0])
            raise DataError(
                f"The known column {name!r} says nothing of {time}, which is to be forecast for the series {panel.names[number]!r}. Add rows with it "
                "and without a target to the table, or pass a table with them as `future`."
            )


def _times(panel: Panel, table: ColumnTable, options: PanelOptions) -> NDArray[Any] | None:
    """The times of all rows of the table; None where rows are in order."""
    if options.time is None:
        return None
    times, style = parse_times(table, options.time, options.time_format, options.missing)
    require_same_kind(style, panel.clock.style, table.place(0))
    return times


def _rows(panel: Panel, table: ColumnTable, options: PanelOptions) -> list[tuple[int, Places]]:
    """For each series, its rows in the table."""
    everything = np.arange(len(table))
    if options.series is None or options.layout != LONG:
        return [(number, everything) for number in range(len(panel))]
    cells = np.array([str(cell).strip() for cell in table.find(options.series, "series").tolist()], object)
    return [(number, np.flatnonzero(cells == name)) for number, name in enumerate(panel.names)]


def _places(panel: Panel, number: int, times: NDArray[Any] | None, rows: Places) -> tuple[Places, Places]:
    """At which rows of a series, after its history, some rows of the table lie, and which of them do."""
    end, size = int(panel.ends[number]), int(panel.sizes[number])
    if times is None:
        count = min(len(rows), size - end)
        return end + np.arange(count), rows[:count]
    steps = panel.times(number, end, size - end)
    at = np.searchsorted(steps, times[rows])
    there = (at < len(steps)) & (_at(steps, at) == times[rows])
    return end + at[there], rows[there]


def _at(steps: NDArray[Any], at: Places) -> NDArray[Any]:
    return steps[np.minimum(at, len(steps) - 1)]
