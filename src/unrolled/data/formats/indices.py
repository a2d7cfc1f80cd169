"""Columns of numbers that tell rows or series apart and measure nothing: in sorted files they would give away what is to be predicted."""

import math
from collections.abc import Iterable, Sequence

from unrolled.data.numerals import as_number

_ROWS, _SERIES = 10, 5
"""Rows, and series, in which such a column can be told from one that happens to look like it."""


class Indices:
    """Looks at the rows of all files for columns that go up by one step from row to row of a file, or from row to row of several series,
    or that have a whole number of its own for each series."""

    def __init__(self, columns: Iterable[int]) -> None:
        self._counting = {*columns}
        self._growing, self._naming = {*self._counting}, {*self._counting}
        self._before: dict[int, float] = {}
        self._step: dict[int, float] = {}
        self._numbers: dict[int, dict[str, float]] = {column: {} for column in self._counting}
        self._series: set[str] = set()
        self._rows = 0

    def look(self, series: str, row: Sequence[str], *, begins: bool) -> None:
        """Look at a row of a series, which may be the first of its file."""
        self._rows += 1
        self._series.add(series)
        for column in self._counting | self._growing | self._naming:
            try:
                number = as_number(row[column])
            except ValueError:
                number = math.nan
            step = number - self._before.get(column, number - 1)
            if not begins and not math.isclose(step, self._step.setdefault(column, step), rel_tol=1e-3):
                self._counting.discard(column)
            if not step > 0:
                self._growing.discard(column)
                if not begins:
                    self._counting.discard(column)
            if not number.is_integer() or self._numbers[column].setdefault(series, number) != number:
                self._naming.discard(column)
            self._before[column] = number

    def found(self) -> set[int]:
        """Those columns, as far as there are rows enough to know."""
        if self._rows < _ROWS:
            return set()
        several, many = len(self._series) > 1, _SERIES <= len(self._series) <= self._rows / 2
        naming = {column for column in self._naming if many and len({*self._numbers[column].values()}) == len(self._series)}
        return self._counting | naming | (self._growing if several else set())
