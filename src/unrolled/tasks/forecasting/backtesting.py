"""Forecasts from many origins: by horizon, beside rivals, and drawn over what came."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from unrolled.tasks.forecasting.answers import drawing, title_of
from unrolled.tasks.forecasting.reading import HeldOut
from unrolled.tasks.measures.forecast_scores import NETWORK, ForecastScores
from unrolled.tasks.measures.forecasts import Forecasts
from unrolled.tasks.pictures import save_picture

LINES = 12
"""Lines of a table by horizon, at most; of longer horizons some steps are shown."""


@dataclass(frozen=True)
class Backtest:
    """Measures of forecasts of the windows `held`, and the forecasts themselves."""

    scores: ForecastScores
    held: HeldOut
    forecasts: Forecasts

    @property
    def text(self) -> str:
        """Measures beside rivals, and a line for each step ahead."""
        return f"{self.scores.text}\n\n{self.by_horizon()}"

    def by_horizon(self) -> str:
        """Mean absolute errors of all methods, and the network's quantile loss and coverage, for steps ahead."""
        methods = {NETWORK: self.scores, **self.scores.rivals}
        own = [name for name in self.scores.by_horizon if name != "mae"]
        steps = np.unique(np.linspace(0, self.scores.horizon - 1, min(self.scores.horizon, LINES)).round().astype(int))
        rows = [["steps ahead", *(f"MAE {name}" for name in methods), *(_title(name) for name in own)]]
        for step in steps:
            errors = [f"{each.by_horizon['mae'][step]:.4g}" for each in methods.values()]
            others = [_cell(name, float(self.scores.by_horizon[name][step])) for name in own]
            rows.append([str(step + 1), *errors, *others])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return self.scores.to_json()

    def draw(self, path: Any) -> None:
        """Draw what came of the first series, and its forecasts from all origins, into a picture, a panel for each number."""
        figures, panel = drawing(), self.held.panel
        which = np.flatnonzero(self.held.series == self.held.series[0])
        series, horizon = int(self.held.series[0]), self.scores.horizon
        begin = max(int(self.held.origins[which].min()) - horizon, 0)
        true = panel.history(series)[begin:]
        when = [panel.times(series, int(self.held.origins[window]), horizon) for window in which]

        def origins(at: int) -> Any:
            said = [(self.forecasts.points[window, :, at], self.forecasts.quantiles[window, :, at]) for window in which]
            fans = [figures.Fan("", t[:0], true[:0, at], t, *each, self.forecasts.levels) for t, each in zip(when, said, strict=True)]
            return figures.Origins(title_of(panel, series, at), panel.times(series, begin, len(true)), true[:, at], fans)

        save_picture(figures.draw_backtest([origins(at) for at in range(len(panel.targets))]), path)


def _title(name: str) -> str:
    share = name.removeprefix("coverage ")
    return f"in {float(share):.0%}" if share != name else name.upper()


def _cell(name: str, value: float) -> str:
    return f"{value:.1%}" if name.startswith("coverage") else f"{value:.4f}"
