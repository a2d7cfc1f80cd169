"""Rows of series, in the order of their tables, brought to the steps of a grid."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import Frequency
from unrolled.data.columns import Places
from unrolled.data.panels.clock import Clock, clock_of
from unrolled.data.panels.options import LAST, MEAN
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.times import DATE, NUMBER, Style, require_same_kind
from unrolled.errors import DataError, UnrolledWarning


@dataclass(frozen=True)
class Rows:
    """The rows of several series as tables have them: `series` `[R]` numbers the one that each belongs to, `times` `[R]` is when it was, or None.

    `values` are `[R, K]`; `known`, `past` and `static` are columns `[R]`. `place` says in words where a row stands.
    """

    names: Sequence[str]
    targets: tuple[str, ...]
    series: Places
    times: NDArray[Any] | None
    style: Style
    values: NDArray[np.float64]
    known: Mapping[str, NDArray[Any]]
    past: Mapping[str, NDArray[Any]]
    static: Mapping[str, NDArray[Any]]
    place: Callable[[int], str]


def place_rows(rows: Rows, asked: Frequency | None, clock: Clock | None = None, merge: str | None = None) -> Panel:
    """The rows on a grid: what is missing between them is a gap, in which nothing is said.

    `clock` is that of another panel, which this one goes on with. Rows that are not in order of time are a `DataError`, and so are several on one step,
    unless `merge` says what becomes of them: then each belongs to the step in which it lies. Series in which no target is ever said are left
    out, which is an `UnrolledWarning`, and so is it where times were moved to the nearest step.
    """
    order = np.argsort(rows.series, kind="stable")
    bounds = np.searchsorted(rows.series[order], np.arange(len(rows.names) + 1))
    parts = [order[begin:end] for begin, end in pairwise(bounds)]
    said: NDArray[np.bool_] = np.any(~np.isnan(rows.values), axis=1)
    kept = [number for number, part in enumerate(parts) if said[part].any()]
    _tell_empty([name for number, name in enumerate(rows.names) if number not in set(kept)], len(rows.names))
    parts = [parts[number] for number in kept]
    if clock is not None:
        require_same_kind(rows.style, clock.style, rows.place(0))
    times = [_rising(rows, part, several=merge is not None) for part in parts]
    clock = clock or clock_of(times, rows.style, asked)
    places = [f"The series {rows.names[number]!r}" for number in kept]
    if merge is not None:
        within = [clock.within(when, place) for when, place in zip(times, places, strict=True)]
        return _panel(rows, clock, kept, parts, [clock.begin(when[0]) for when in times], within, said, merge)
    placed = [clock.positions(when, place) for when, place in zip(times, places, strict=True)]
    _tell_moved(sum(moved for _, moved in placed), sum(map(len, parts)), clock)
    return _panel(rows, clock, kept, parts, [when[0] for when in times], [at for at, _ in placed], said, LAST)


def _panel(
    rows: Rows,
    clock: Clock,
    kept: Sequence[int],
    parts: Sequence[Places],
    firsts: Sequence[Any],
    placed: Sequence[Places],
    said: NDArray[np.bool_],
    merge: str,
) -> Panel:
    """The panel of rows whose steps, from a first one on, are known; a series begins with the first row in which a target is said."""
    begins = [int(at[said[part]][0]) for part, at in zip(parts, placed, strict=True)]
    ends = [int(at[said[part]][-1]) + 1 - begin for part, at, begin in zip(parts, placed, begins, strict=True)]
    sizes = [int(at[-1]) + 1 - begin for at, begin in zip(placed, begins, strict=True)]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    inside = [at >= begin for at, begin in zip(placed, begins, strict=True)]
    source = _joined([part[there] for part, there in zip(parts, inside, strict=True)])
    goal = _joined([start + at[there] - begin for start, at, there, begin in zip(starts, placed, inside, begins, strict=False)])

    def spread(column: NDArray[Any], how: str = LAST if merge == LAST else MEAN) -> NDArray[Any]:
        return merged(column[source], goal, int(starts[-1]), how)

    first = [clock.grid(when, begin + 1)[begin] for when, begin in zip(firsts, begins, strict=True)]
    return Panel(
        tuple(rows.names[number] for number in kept),
        rows.targets,
        clock,
        np.array(first),
        starts,
        np.array(ends, np.int64),
        np.stack([spread(target, merge) for target in rows.values.T], -1),
        {name: spread(column) for name, column in rows.known.items()},
        {name: spread(column) for name, column in rows.past.items()},
        {name: _constant(name, column, parts, rows) for name, column in rows.static.items()},
    )


def merged(cells: NDArray[Any], goal: Places, count: int, how: str) -> NDArray[Any]:
    """A column `[count]` of cells that belong to some of its rows, `goal`: where several do, their mean or sum, or the last that says something. Of
    labels it is the last."""
    labels = cells.dtype == object
    there = np.array([cell is not None for cell in cells.tolist()], bool) if labels else ~np.isnan(cells)
    cells, goal = cells[there], goal[there]
    found = np.full(count, None if labels else np.nan, cells.dtype)
    found[goal] = cells
    if labels or how == LAST:
        return found
    sums, counts = np.bincount(goal, cells, count), np.bincount(goal, minlength=count)
    return np.where(counts > 0, sums / (np.maximum(counts, 1) if how == MEAN else 1), np.nan)


def _joined(parts: Sequence[Places]) -> Places:
    return np.concatenate([*parts, np.zeros(0, np.int64)])


def _rising(rows: Rows, part: Places, *, several: bool) -> NDArray[Any]:
    """The times of the rows of a series, which must rise, or if there may be `several` of one time not fall; numbers from 1 on where there are none."""
    if rows.times is None:
        return np.arange(1.0, len(part) + 1)
    times = rows.times[part]
    falls = np.flatnonzero(times[1:] < times[:-1] if several else times[1:] <= times[:-1])
    if not len(falls):
        return times
    row = int(falls[0])
    before, here = (f"{rows.place(int(part[at]))} ({rows.style.text(times[at])})" for at in (row, row + 1))
    clocks = (
        " Where clocks were set back, write times in UTC, as 2024-10-27T01:00Z, and pass the `zone`."
        if _set_back(rows.style, times[row + 1])
        else ""
    )
    if times[row] == times[row + 1]:
        cure = (
            "Take one of them away, name the column that tells series apart as `series`, or pass as `merge` what becomes of several rows."
        )
        raise DataError(f"{here}: the series {rows.names[rows.series[part[0]]]!r} has a row of this time already, {before}. {cure}{clocks}")
    cure = "Sort the rows by time. If day and month were exchanged, pass `time_format`; if they are several series, `series`."
    raise DataError(f"{here}: this time comes before that of the row before it, {before}. {cure}{clocks}")


def _set_back(style: Style, time: Any) -> bool:
    """Whether clocks may have been set back at a time that has no zone: in the first hours of a Sunday in spring or autumn."""
    if style.form == NUMBER or style.zone:
        return False
    date = time.astype(DATE).item()
    return "%H" in style.form and date.weekday() == 6 and date.hour <= 3 and date.month in (3, 4, 9, 10, 11)


def _constant(name: str, column: NDArray[Any], parts: Sequence[Places], rows: Rows) -> NDArray[Any]:
    """What a column says of each series, which must be the same in all its rows."""
    found = column[[part[0] for part in parts]].copy() if parts else column[:0]
    for part in parts:
        cells = column[part]
        other = np.flatnonzero((cells != cells[0]) & ~((cells != cells) & (cells[0] != cells[0])))
        if len(other):
            row = int(part[other[0]])
            told = f"{name} is {column[row]} here and {cells[0]} in the first row of the series {rows.names[rows.series[row]]!r}"
            raise DataError(f"{rows.place(row)}: {told}. A `static` column has one value for a series; name this one as `known` or `past`.")
    return found


def _tell_empty(names: Sequence[str], total: int) -> None:
    if len(names) == total:
        raise DataError("No series has a number to forecast in it: all cells of the target are empty. Pass another `target`.")
    if names:
        shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
        warnings.warn(f"{len(names):,} of {total:,} series have no number at all and are left out: {shown}.", UnrolledWarning, stacklevel=2)


def _tell_moved(moved: int, total: int, clock: Clock) -> None:
    if moved:
        told = f"{moved:,} of {total:,} rows do not lie on the steps of the frequency {clock}, and were taken to be at the nearest one."
        warnings.warn(f"{told} Pass another `frequency` if that is wrong.", UnrolledWarning, stacklevel=2)


ORDER = Style(NUMBER)
"""The style of rows that are in order alone."""
