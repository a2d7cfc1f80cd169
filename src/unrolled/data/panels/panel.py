"""Many series of numbers on regular grids of time, one after the other in flat arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.panels.clock import Clock

Covariates = Mapping[str, NDArray[Any]]
"""Columns by name: float64 with NaN for what is missing, or objects that are labels or None."""


@dataclass(frozen=True)
class Panel:
    """N series of K targets each. Series i has the rows `starts[i]` to `starts[i + 1] - 1`, a row for each step of its grid.

    Its first `ends[i]` rows are its history; those after them are of the future, of which only `known` columns say something. `values` `[S, K]` are
    NaN where nothing is said. `first` `[N]` are the times of the first rows. `known` and `past` are columns `[S]`, `static` columns `[N]`.
    """

    names: tuple[str, ...]
    targets: tuple[str, ...]
    clock: Clock
    first: NDArray[Any]
    starts: Places
    ends: Places
    values: NDArray[np.float64]
    known: Covariates
    past: Covariates
    static: Covariates

    def __len__(self) -> int:
        return len(self.names)

    @property
    def sizes(self) -> Places:
        """The number of rows of each series, with those of the future."""
        return np.diff(self.starts)

    @property
    def observed(self) -> int:
        """How many numbers of the histories are there."""
        return int((~np.isnan(self.values)).sum())

    def history(self, series: int) -> NDArray[np.float64]:
        """All numbers of the history of a series, `[T, K]`."""
        start = self.starts[series]
        return self.values[start : start + self.ends[series]]

    def times(self, series: int, begin: int, count: int) -> NDArray[Any]:
        """The times of some steps of the grid of a series, which may lie beyond its rows."""
        return self.clock.grid(self.first[series], begin + count)[begin:]

    def take(self, series: Places) -> "Panel":
        """Some of the series."""
        return self._of(series, np.zeros(len(series), np.int64), self.sizes[series])

    def last(self, rows: int) -> "Panel":
        """The last rows of each history, and what is known of the future."""
        begin = np.maximum(self.ends - rows, 0)
        return self._of(np.arange(len(self)), begin, self.sizes)

    def cut(self, rows: int) -> "Panel":
        """As if the last rows of each history had not come yet; `known` columns still say something of them."""
        ends = np.maximum(self.ends - rows, 0)
        within = np.arange(len(self.values)) - np.repeat(self.starts[:-1], self.sizes)
        future = within >= np.repeat(ends, self.sizes)
        values = np.where(future[:, None], np.nan, self.values)
        return replace(self, ends=ends, values=values, past={name: hidden(column, future) for name, column in self.past.items()})

    def with_future(self, rows: int) -> "Panel":
        """The same with so many rows after each history, in which nothing is said where nothing was; more than that are left out."""
        return self._of(np.arange(len(self)), np.zeros(len(self), np.int64), self.ends + rows)

    def _of(self, series: Places, begin: Places, end: Places) -> "Panel":
        """The rows `begin` to `end - 1` of some series; beyond those that there are nothing is said."""
        lengths = np.maximum(end - begin, 0)
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        within = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths) + np.repeat(begin, lengths)
        there = within < np.repeat(self.sizes[series], lengths)
        rows = np.where(there, np.repeat(self.starts[:-1][series], lengths) + within, 0)
        values = _rows(self.values, rows)
        moved = begin > 0
        first = self.first[series].copy()
        for at in np.flatnonzero(moved):
            first[at] = self.times(int(series[at]), int(begin[at]), 1)[0]
        return replace(
            self,
            names=tuple(self.names[i] for i in series),
            first=first,
            starts=starts,
            ends=np.minimum(self.ends[series], end) - begin,
            values=np.where(there[:, None], values, np.nan),
            known={name: hidden(_rows(column, rows), ~there) for name, column in self.known.items()},
            past={name: hidden(_rows(column, rows), ~there) for name, column in self.past.items()},
            static={name: column[series] for name, column in self.static.items()},
        )


def _rows(column: NDArray[Any], rows: Places) -> NDArray[Any]:
    """Some rows of a column; anything, if it has none."""
    return column[rows] if len(column) else np.zeros((len(rows), *column.shape[1:]), column.dtype)


def hidden(column: NDArray[Any], where: NDArray[np.bool_]) -> NDArray[Any]:
    """A column in which nothing is said at some places."""
    if not where.any():
        return column
    found = column.copy()
    found[where] = None if column.dtype == object else np.nan
    return found
