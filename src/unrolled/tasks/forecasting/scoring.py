"""Forecasts of windows beside what came, and beside what rivals say."""

import warnings
from collections.abc import Sequence

import numpy as np

from unrolled.data.columns import Places
from unrolled.data.panels import Panel, Windows
from unrolled.errors import DataError, UnrolledWarning
from unrolled.tasks.forecasting.options import SIMPLE
from unrolled.tasks.forecasting.predicting import histories_of, truth_of
from unrolled.tasks.forecasting.reading import HeldOut
from unrolled.tasks.forecasting.rivals import simple_rivals
from unrolled.tasks.forecasting.statistical import statistical_rivals
from unrolled.tasks.measures.forecast_scores import ForecastScores, score_forecasts
from unrolled.tasks.measures.forecasts import Forecasts, naive_errors


def score_windows(
    windows: Windows, held: HeldOut, forecasts: Forecasts, rivals: Sequence[str], as_trained: Forecasts | None = None
) -> ForecastScores:
    """Measures of forecasts of windows that are held out, beside those of `rivals`, as `rivals_named` gives them; `as_trained` are
    the same forecasts as the factors of training have them, if they were calibrated anew."""
    shape = windows.shape
    histories = histories_of(windows, held.series, held.origins)
    asked = histories, shape.horizon, shape.seasons, forecasts.levels
    others = simple_rivals(*asked) if SIMPLE in rivals else {}
    if statistical := [name for name in rivals if name != SIMPLE]:
        others |= statistical_rivals(*asked, statistical)
    naive = naive_errors(histories, shape.seasons[0] if shape.seasons else 1)
    true = truth_of(windows, held.series, held.origins)
    about = {"series": held.series, "origins": held.origins}
    return score_forecasts(true, forecasts, naive, others, as_trained, **about, names=windows.panel.targets)


def windows_at_end(panel: Panel, horizon: int, count: int = 1, step: int | None = None) -> HeldOut:
    """Windows of each series: the last one ends with it, and each other begins `step` rows before the next; as many as there are rows for, at most `count`.

    Series without a row before a horizon are left out, which is an `UnrolledWarning`; `DataError` if all are.
    """
    step = step or horizon
    counts = np.minimum(np.maximum((panel.ends - 1 - horizon) // step + 1, 0), count)
    if not counts.any():
        raise DataError(
            f"No series has more rows than the horizon, {horizon}: the longest has {int(panel.ends.max(initial=0))}. "
            "Pass longer series: their last rows are what is forecast, from all rows before them."
        )
    short = int((counts == 0).sum())
    if short:
        told = f"{short:,} of {len(panel):,} series have no row before the last {horizon}, and are not measured."
        warnings.warn(told, UnrolledWarning, stacklevel=2)
    series = np.repeat(np.arange(len(panel)), counts)
    back = horizon + step * np.concatenate([np.arange(each - 1, -1, -1) for each in counts])
    return HeldOut(panel.with_future(horizon), series, panel.ends[series] - back)


def learnt_windows(held: HeldOut, learnt: Panel) -> int:
    """How many windows begin before the end of what was learnt of the series of their name."""
    return int((held.origins < first_unlearnt(held.panel, learnt)[held.series]).sum())


def first_unlearnt(panel: Panel, learnt: Panel) -> Places:
    """The first row of each series of a panel that was not learnt under its name, `[N]`."""
    numbers = {name: number for number, name in enumerate(learnt.names)}
    found = np.zeros(len(panel), np.int64)
    for series, name in enumerate(panel.names):
        if name in numbers:
            number = numbers[name]
            end = learnt.times(number, int(learnt.ends[number]), 1)[0]
            # Numbers are rounded, each table for itself.
            slack = 0 if panel.clock.dated else panel.clock.step / 2
            found[series] = (panel.times(series, 0, int(panel.ends[series])) < end - slack).sum()
    return found
