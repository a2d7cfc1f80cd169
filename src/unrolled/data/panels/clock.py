"""When the rows of series come: the steps of a grid, as dates, as numbers, or in order alone."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import Frequency
from unrolled.data.columns import Places
from unrolled.data.panels.times import DATE, NUMBER, Style
from unrolled.errors import DataError, UnrolledWarning

MOST_GAPS = 50
"""A grid may have so many times as many steps as there are rows; with more its frequency is taken to be wrong."""

RARE = 0.05
"""The part of days that are on weekends up to which these are taken to be an accident."""

SLACK, ROUNDED = 1e-6, 0.05
"""The part of a step by which numbers may lie beside the grid because they are rounded, and months in decimal years."""

MONTH, DIGITS = 1 / 12, 4
"""The step of months in decimal years, 1949.0833, and the digits with which they are written."""

_PLACES = 2
"""To so many digits a place in a month is known where years have few."""

_YEARS = 1800, 2200
"""Decimal numbers between them, a twelfth apart, are years."""


@dataclass(frozen=True)
class Clock:
    """The steps from one row to the next: those of a `frequency` where times are dates, and else of so many units, `step`; `style` is how times are
    written. A frequency may be known where there are no dates, and says which seasons are usual.
    """

    style: Style
    frequency: Frequency | None = None
    step: float = 1.0

    @property
    def dated(self) -> bool:
        """Whether times are dates."""
        return self.style.form != NUMBER

    def __str__(self) -> str:
        return f"every {self.step:g}" if self.frequency is None else str(self.frequency)

    def grid(self, first: Any, count: int) -> NDArray[Any]:
        """So many times from `first` on."""
        if not self.dated or self.frequency is None:
            if self.step == MONTH:
                return np.round((np.round(first / MONTH, _PLACES) + np.arange(count)) * MONTH, DIGITS)
            return first + self.step * np.arange(count)
        return np.concatenate([np.array([first], DATE), self.frequency.after(first, max(count - 1, 0))])[:count]

    def begin(self, time: Any) -> Any:
        """Where the step begins in which a time lies."""
        return self.frequency.floor(time) if self.dated and self.frequency is not None else time

    def within(self, times: NDArray[Any], place: str) -> Places:
        """In which steps of the grid increasing times lie, `[R]`, from that of the first of them on. Times that are too far apart are a `DataError`."""
        return self._before(times, self.begin(times[0]), place)

    def positions(self, times: NDArray[Any], place: str) -> tuple[Places, int]:
        """On which steps of the grid from the first of them increasing times lie, `[R]`, and how many were moved to the nearest step.

        Times of which two lie on one step, or that are too far apart, are a `DataError`.
        """
        before = self._before(times, times[0], place)
        grid = self.grid(times[0], int(before[-1]) + 2)
        found = before + (grid[before + 1] - times < times - grid[before])
        twice = np.flatnonzero(np.diff(found) == 0)
        if len(twice):
            one, other = (self.style.text(time) for time in times[twice[0] : twice[0] + 2])
            raise DataError(
                f"{place}: {one} and {other} lie on one step of the frequency {self}: it is too coarse, or the times are irregular. "
                "Pass a finer `frequency`, or as `merge` what becomes of several rows."
            )
        apart = grid[found] != times if self.dated else np.abs(grid[found] - times) > self._slack * self.step
        return found, int(apart.sum())

    @property
    def _slack(self) -> float:
        return ROUNDED if self.step == MONTH else SLACK

    def _before(self, times: NDArray[Any], first: Any, place: str) -> Places:
        """The last step before each time, or at it, counted from a first one."""
        if self.dated and self.frequency is not None:
            found = self.frequency.places(first, times)
        else:
            found = np.floor((times - first) / self.step + self._slack).astype(np.int64)
        if found[-1] >= MOST_GAPS * len(times) + 1000:
            raise DataError(
                f"{place}: from {self.style.text(times[0])} to {self.style.text(times[-1])} there are {found[-1]:,} steps of the frequency {self}, "
                f"and {len(times):,} rows. Check the times, or pass another `frequency`."
            )
        return found


def clock_of(times: Sequence[NDArray[Any]], style: Style, asked: Frequency | None) -> Clock:
    """The clock of the increasing times of several series: the frequency that is `asked` for, or that of the longest series; of decimal years a twelfth apart months."""
    if style.form != NUMBER:
        longest = max(times, key=len)
        if asked is None:
            _tell_weekends(longest, frequency := Frequency.found(longest))
        return Clock(style, frequency if asked is None else asked)
    steps = np.concatenate([np.diff(np.unique(part)) for part in times])
    step = float(np.percentile(steps, 50, method="lower")) if len(steps) else 1.0
    months = abs(step / MONTH - 1) < ROUNDED and all(_YEARS[0] <= part[0] and part[-1] <= _YEARS[1] for part in times)
    return Clock(style, asked or Frequency.parse("MS"), MONTH) if months else Clock(style, asked, step)


def _tell_weekends(times: NDArray[Any], frequency: Frequency) -> None:
    """Say it if days are taken to be all days for the sake of few that are on weekends."""
    free = int((~np.is_busday(times.astype("datetime64[D]"))).sum())
    if str(frequency) == "D" and 0 < free <= RARE * len(times):
        told = f"{free} of {len(times):,} rows {'is' if free == 1 else 'are'} on a weekend, so that the frequency is D, and all other weekends are gaps."
        warnings.warn(f"{told} Take such rows out for business days, B, or pass `frequency` and `merge`.", UnrolledWarning, stacklevel=2)
