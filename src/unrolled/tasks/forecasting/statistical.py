"""Rivals that fit a statistical model to each series: those of statsforecast, which the extra `rivals` installs."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unrolled.errors import ConfigError, UnrolledWarning
from unrolled.extras import extra
from unrolled.tasks.forecasting.rivals import simple_rivals
from unrolled.tasks.measures.forecasts import Forecasts, Numbers

STATISTICAL = ("AutoETS", "AutoARIMA", "MSTL")
"""The names of the methods."""

LONGEST_SEASON = 24
"""The longest season that exponential smoothing takes."""

MOST_SEASONS = 20
"""So many seasons of each history are looked at: the last ones. Older ones cost time, and change little."""

FEWEST_ROWS = 500
"""Rows of each history that are looked at in any case."""


def statistical_rivals(
    histories: Sequence[Numbers], horizon: int, seasons: Sequence[int], levels: Sequence[float], methods: Sequence[str] = ("AutoETS",)
) -> dict[str, Forecasts]:
    """Forecasts of H steps by `AutoETS`, `AutoARIMA` and `MSTL`, by their names, for N histories `[T, K]`.

    The first two know the shortest season, `MSTL` all of them: it takes them out and forecasts the rest with exponential smoothing. AutoETS does the same
    where the shortest season is longer than `LONGEST_SEASON`. AutoARIMA takes about a minute for a series with a season of 24.

    These methods take no missing numbers: a line is drawn through gaps. Where a method fails, the season before stands in for it, and an
    `UnrolledWarning` says how often. `ConfigError` where statsforecast is missing, and for other methods.
    """
    models = extra("statsforecast.models")
    known: Mapping[str, Callable[[], Any]] = {
        "AutoETS": lambda: _ets(models, seasons),
        "AutoARIMA": lambda: models.AutoARIMA(season_length=min(seasons, default=1), approximation=True),
        "MSTL": lambda: _mstl(models, seasons),
    }
    for method in methods:
        if method not in known:
            raise ConfigError(f"A statistical rival must be one of {', '.join(known)}, got {method!r}.")
    most = max(FEWEST_ROWS, MOST_SEASONS * max(seasons, default=1))
    return {
        method: _forecast(method, known[method], [history[-most:] for history in histories], horizon, seasons, levels) for method in methods
    }


def _ets(models: Any, seasons: Sequence[int]) -> Any:
    shortest = min(seasons, default=1)
    return models.AutoETS(season_length=shortest) if shortest <= LONGEST_SEASON else _mstl(models, seasons)


def _mstl(models: Any, seasons: Sequence[int]) -> Any:
    return models.MSTL(season_length=[*seasons] or [1], trend_forecaster=models.AutoETS(model="ZZN"))


def _forecast(
    name: str, make: Callable[[], Any], histories: Sequence[Numbers], horizon: int, seasons: Sequence[int], levels: Sequence[float]
) -> Forecasts:
    """Points and quantiles of a method, series by series and number by number."""
    stand_in = next(reversed(simple_rivals(histories, horizon, [*seasons][:1], levels).values()))
    points, quantiles, failed = stand_in.points.copy(), stand_in.quantiles.copy(), 0
    for at, history in enumerate(histories):
        for number, values in enumerate(history.T):
            try:
                points[at, :, number], quantiles[at, :, number] = _one(make(), _without_gaps(values), horizon, levels)
            except Exception:
                failed += 1
    if failed:
        warnings.warn(
            f"{name} failed for {failed} of {len(histories)} series, for which the season before stands in.", UnrolledWarning, stacklevel=3
        )
    return Forecasts(points, quantiles, tuple(levels))


def _one(model: Any, values: Numbers, horizon: int, levels: Sequence[float]) -> tuple[Numbers, Numbers]:
    """Points `[H]` and quantiles `[H, Q]` of a model: the ends of its intervals, and the points for the median."""
    percents = {level: round(abs(200 * level - 100), 6) for level in levels}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.forecast(values, horizon, level=sorted({percent for percent in percents.values() if percent}) or None)
    sides = [found["mean"] if percent == 0 else found[f"{'lo' if level < 0.5 else 'hi'}-{percent}"] for level, percent in percents.items()]
    if not np.isfinite(sides).all():
        raise ValueError("what came is not finite")
    return found["mean"], np.stack(sides, -1)


def _without_gaps(values: Numbers) -> Numbers:
    """The numbers from the first one known, with lines through gaps; a gap at the end repeats the last one."""
    known = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(known[0], len(values)), known, values[known])
