"""Forecasts of series as tables, JSON and pictures."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from unrolled.data.numerals import rounded
from unrolled.data.panels import Panel, PanelOptions
from unrolled.data.panels.layouts import UNNAMED, VALUE
from unrolled.extras import extra
from unrolled.plain import or_null
from unrolled.tasks.measures.forecasts import Forecasts
from unrolled.tasks.pictures import save_picture

SHOWN, LEAST_SHOWN = 3, 20
"""So many horizons of the past, and steps more, are drawn before a forecast."""


@dataclass(frozen=True)
class SeriesForecasts:
    """What comes after each of N series: `forecasts` of H steps and K numbers, in the units of the series.

    `times` has the H times of each series, `panel` the series themselves. `points` are medians.
    """

    panel: Panel
    times: Sequence[NDArray[Any]]
    forecasts: Forecasts
    options: PanelOptions
    like: Any = None

    @property
    def points(self) -> NDArray[np.float64]:
        """`[N, H, K]`."""
        return self.forecasts.points

    @property
    def quantiles(self) -> NDArray[np.float64]:
        """`[N, H, K, Q]`."""
        return self.forecasts.quantiles

    def columns(self) -> dict[str, list[Any]]:
        """A row for each series, target and step: its series, time and target, the median, and a column for each quantile."""
        return self._columns(self._times)

    def _columns(self, written: Callable[[NDArray[Any]], list[Any]]) -> dict[str, list[Any]]:
        """The same with times as `written` has them. Columns of the table keep their names; another one that has the same gets a longer one."""
        names, targets = self.panel.names, self.panel.targets
        count, steps, numbers = self.points.shape
        found: list[tuple[str, list[Any]]] = []
        if self.named:
            found.append((self.options.series or "series", [name for name in names for _ in range(steps * numbers)]))
        found.append((self.options.time or "time", [time for times in self.times for _ in range(numbers) for time in written(times)]))
        if numbers > 1:
            found.append(("target", [target for _ in range(count) for target in targets for _ in range(steps)]))
        found.append(("forecast", self.points.swapaxes(1, 2).ravel().tolist()))
        for at, level in enumerate(self.forecasts.levels):
            found.append((f"q{level:g}", self.quantiles[..., at].swapaxes(1, 2).ravel().tolist()))
        return _under_own_names(found)

    @property
    def named(self) -> bool:
        """Whether series have names."""
        return self.panel.names != (UNNAMED,)

    def _times(self, times: NDArray[Any]) -> list[Any]:
        if not self.panel.clock.dated:
            return [_whole(float(time)) for time in times]
        zone = self.panel.clock.style.tzinfo
        return [time.astype("datetime64[us]").item().replace(tzinfo=zone) for time in times]

    def to_frame(self) -> Any:
        """A data frame of the kind that was forecast from, or else of the first of pandas, polars and pyarrow that is installed."""
        narwhals = extra("narwhals")
        columns = self.columns()
        if self.like is not None and not isinstance(self.like, Mapping):
            return narwhals.from_dict(columns, backend=narwhals.get_native_namespace(self.like)).to_native()
        for backend in ("pandas", "polars", "pyarrow"):
            try:
                return narwhals.from_dict(columns, backend=backend).to_native()
            except ModuleNotFoundError:
                continue
        return columns

    def rows(self) -> list[Sequence[Any]]:
        """The names of the columns and the rows, with times written as they were in the series."""
        style = self.panel.clock.style
        columns = self._columns(lambda times: [style.text(time) for time in times])
        return [[*columns], *zip(*(map(_cell, column) for column in columns.values()), strict=True)]

    def write_csv(self, file: TextIO) -> None:
        """The rows as a table."""
        csv.writer(file, lineterminator="\n").writerows(self.rows())

    def write_parquet(self, file: Any) -> None:
        """The same as a parquet file, into an open binary one."""
        arrow, parquet = extra("pyarrow"), extra("pyarrow.parquet")
        parquet.write_table(arrow.table(self.columns()), file)

    def to_json(self) -> Iterator[dict[str, Any]]:
        """An object for each series and target."""
        style = self.panel.clock.style
        for number, name in enumerate(self.panel.names):
            for at, target in enumerate(self.panel.targets):
                yield {
                    "series": name,
                    "target": target,
                    "times": [style.text(time) for time in self.times[number]],
                    "forecast": [or_null(value) for value in self.points[number, :, at].tolist()],
                    "quantiles": {
                        f"{level:g}": [or_null(value) for value in self.quantiles[number, :, at, place].tolist()]
                        for place, level in enumerate(self.forecasts.levels)
                    },
                }

    def write_json(self, file: TextIO) -> None:
        """An object a line for each series and target."""
        file.writelines(json.dumps(each, ensure_ascii=False) + "\n" for each in self.to_json())

    def write(self, file: TextIO, form: str) -> None:
        """As csv, json or parquet."""
        if form == "parquet":
            self.write_parquet(file.buffer)
        else:
            (self.write_json if form == "json" else self.write_csv)(file)

    def draw(self, path: Any) -> None:
        """Draw the first series with what comes after them into a picture (PNG, SVG or PDF), a panel for each number; it says how many are not drawn."""
        figures = drawing()
        places = [(number, at) for number in range(len(self.panel)) for at in range(len(self.panel.targets))]
        fans = [self._fan(figures, *place) for place in places[: figures.MOST_PANELS]]
        save_picture(figures.draw_fans(fans, len(places)), path)

    def _fan(self, figures: Any, number: int, at: int) -> Any:
        """One number of one series."""
        panel = self.panel
        begin = max(int(panel.ends[number]) - SHOWN * self.points.shape[1] - LEAST_SHOWN, 0)
        past = panel.history(number)[begin:, at]
        times = panel.times(number, begin, len(past))
        said = self.points[number, :, at], self.quantiles[number, :, at]
        return figures.Fan(title_of(panel, number, at), times, past, self.times[number], *said, self.forecasts.levels)


def title_of(panel: Panel, number: int, at: int) -> str:
    """The names of one series and one of its numbers, as far as they have some."""
    series, target = panel.names[number], panel.targets[at]
    return ", ".join(dict.fromkeys(name for name, plain in ((series, UNNAMED), (target, VALUE)) if name != plain))


def drawing() -> Any:
    """The module that draws, where matplotlib is installed."""
    extra("matplotlib")
    return import_module("unrolled.tasks.forecasting.figures")


def _under_own_names(columns: Sequence[tuple[str, list[Any]]]) -> dict[str, list[Any]]:
    """Columns by their names, with underscores behind the name of one that is there already."""
    found: dict[str, list[Any]] = {}
    for name, cells in columns:
        while name in found:
            name += "_"
        found[name] = cells
    return found


def _cell(value: Any) -> Any:
    return rounded(value, 10, 6) if isinstance(value, float) else value


def _whole(value: float) -> float | int:
    return int(value) if value.is_integer() else value
