"""Intervals that follow how wrong the network has been of late: calibrated anew at each origin, by the windows whose truth is known there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.panels import Panel, Windows
from unrolled.tasks.forecasting.conformal import Calibration
from unrolled.tasks.forecasting.predicting import Forecaster, truth_of
from unrolled.tasks.forecasting.reading import HeldOut
from unrolled.tasks.forecasting.scoring import first_unlearnt
from unrolled.tasks.measures.forecast_scores import without_overlap
from unrolled.tasks.measures.forecasts import Forecasts, Numbers

RECENT = 40
"""So many horizons before an origin windows calibrate, those that came last."""

BETWEEN = 4
"""So many windows of a series begin within a horizon, at most."""

MOST, MOST_DRAWN = 2000, 200
"""Windows that calibrate one origin, about, and where each is drawn as paths: of more some series are taken at random."""


@dataclass(frozen=True)
class Recent:
    """Forecasts of windows that begin after what was learnt, and what came: of some `series` `[C]` from row `origins` `[C]` on, which begin at the times
    `begins` and are known as a whole from the times `ends` on."""

    series: Places
    origins: Places
    begins: NDArray[np.generic]
    ends: NDArray[np.generic]
    true: Numbers
    forecasts: Forecasts

    def calibrate(self, which: NDArray[np.bool_], before: Numbers) -> Numbers:
        """The factors `[K, Q]` that some of them say, where those `before` them hold as far as they are few."""
        forecasts = Forecasts(self.forecasts.points[which], self.forecasts.quantiles[which], self.forecasts.levels)
        count = without_overlap(self.series[which], self.origins[which], self.true.shape[1])
        return Calibration.fit(self.true[which], forecasts, count, before).factors


def renewed(forecaster: Forecaster, windows: Windows, asked: HeldOut, learnt: Panel) -> Calibration:
    """The factors of the windows that are `asked` for, `[W, 1, K, Q]`: those of training, and as many windows as came since say of them.

    Nothing is looked at that came after the origin of a window, in any series, and nothing that was `learnt`, whose errors are too small.
    """
    before = forecaster.factors
    found = np.repeat(before[None], len(asked), 0)
    recent = _recent(forecaster, windows, asked, learnt)
    if recent is not None:
        now, since = _spans(asked, windows.shape.horizon)
        for origin in np.unique(now):
            same = np.flatnonzero(now == origin)
            which = (recent.ends <= origin) & (recent.begins >= since[same].min())
            if which.any():
                found[same] = recent.calibrate(which, before)
    return Calibration(forecaster.levels, found[:, None])


def _recent(forecaster: Forecaster, windows: Windows, asked: HeldOut, learnt: Panel) -> Recent | None:
    """The windows that may calibrate those that are asked for, forecast; None if there are none."""
    shape, panel = windows.shape, windows.panel
    horizon = shape.horizon
    most = MOST_DRAWN if shape.recursive else MOST
    stride = max(horizon // BETWEEN, 1) if len(panel) * RECENT * BETWEEN <= most else horizon
    # A series that was never learnt is forecast as soon as a context is there.
    begin = first_unlearnt(panel, learnt)
    begin = np.where(begin == 0, shape.context, begin)
    chosen = np.random.default_rng(0).permutation(len(panel))[: max(most // (RECENT * horizon // stride), 1)]
    parts = []
    for series in np.sort(chosen).tolist():
        origins = asked.origins[asked.series == series]
        if len(origins):
            first = max(int(origins.min()) - (RECENT + 1) * horizon, 0)
            steps = np.arange(begin[series], int(origins.max()) - horizon + 1, stride)
            parts.append((series, steps[steps >= first]))
    series = np.concatenate([np.full(len(steps), number) for number, steps in parts] or [np.zeros(0, np.int64)])
    if not len(series):
        return None
    origins = np.concatenate([steps for _, steps in parts])
    true = truth_of(windows, series, origins)
    known = ~np.isnan(true).all((1, 2))
    series, origins, true = series[known], origins[known], true[known]
    if not len(series):
        return None
    forecasts, _, _ = forecaster.forecast(windows, series, origins)
    begins, ends = (_times(panel, series, rows) for rows in (origins, origins + horizon))
    return Recent(series, origins, begins, ends, true, forecasts)


def _spans(asked: HeldOut, horizon: int) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    """The times at which windows that are asked for begin, and those from which on others calibrate them, `[W]`."""
    early = np.maximum(asked.origins - (RECENT + 1) * horizon, 0)
    return _times(asked.panel, asked.series, asked.origins), _times(asked.panel, asked.series, early)


def _times(panel: Panel, series: Places, rows: Places) -> NDArray[np.generic]:
    """The times of some rows of series, `[W]`."""
    found = np.empty(len(rows), panel.first.dtype)
    for number in np.unique(series).tolist():
        which = series == number
        found[which] = panel.times(number, 0, int(rows[which].max()) + 1)[rows[which]]
    return found
