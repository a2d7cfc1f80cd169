"""How near forecasts come, and how honest their intervals are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

MEASURES = ("mae", "rmse", "mase", "rmsse", "smape", "wql")
"""The names of the measures that are one number each."""


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of N windows of H steps and K numbers: `points` `[N, H, K]`, and `quantiles` `[N, H, K, Q]` at rising `levels`."""

    points: Numbers
    quantiles: Numbers
    levels: tuple[float, ...]

    def interval(self, share: float) -> tuple[Numbers, Numbers]:
        """The lower and the upper end `[N, H, K]` of the interval that shall hold a share of the numbers, which is one of `shares(levels)`."""
        low, high = intervals(self.levels)[share]
        return self.quantiles[..., low], self.quantiles[..., high]

    def and_those(self, other: "Forecasts") -> "Forecasts":
        """With the windows of another one behind."""
        points, quantiles = ([getattr(self, name), getattr(other, name)] for name in ("points", "quantiles"))
        return Forecasts(np.concatenate(points), np.concatenate(quantiles), self.levels)


def intervals(levels: Sequence[float]) -> dict[float, tuple[int, int]]:
    """The places of the two levels of each interval by the share that it shall hold: 0.1 and 0.9 make 0.8; narrowest first. `levels` rise."""
    rounded = [round(level, 6) for level in levels]
    found = {}
    for high in range(len(levels)):
        other = round(1 - levels[high], 6)
        if levels[high] > 0.5 and other in rounded:
            low = rounded.index(other)
            found[round(levels[high] - levels[low], 4)] = low, high
    return found


def shares(levels: Sequence[float]) -> tuple[float, ...]:
    """The shares of the `intervals` between levels."""
    return tuple(intervals(levels))


@dataclass(frozen=True)
class NaiveErrors:
    """How wrong it is, within each history, to repeat the season before: the mean absolute and the mean squared error, `[N, K]`.

    They are 0 for what never changes and NaN where nothing can be compared.
    """

    absolute: Numbers
    squared: Numbers


def naive_errors(histories: Sequence[Numbers], season: int) -> NaiveErrors:
    """Those of histories `[T, K]` of any lengths, in which NaN is left out. Histories that are no longer than a season repeat the last value."""
    found = []
    for history in histories:
        lag = season if len(history) > season else 1
        steps = history[lag:] - history[:-lag]
        known = (~np.isnan(steps)).sum(0)
        sums = np.stack([np.nansum(np.abs(steps), 0), np.nansum(steps**2, 0)])
        found.append(np.where(known, sums / np.maximum(known, 1), np.nan))
    absolute, squared = np.stack(found, 1)
    return NaiveErrors(absolute, squared)


@dataclass(frozen=True)
class ForecastMeasures:
    """Measures of one method, each the mean over those of its numbers of which it is known, if there are several:

    - `mae`, `rmse`: mean absolute error and root of the mean squared one, over all that is known;
    - `mase`, `rmsse`: errors of a window divided by the in-sample errors of the seasonal naive method, and `smape` (200 |y - f| / (|y| + |f|)),
      each first the mean of a series and then of all series, as the M4 competition has it (Makridakis et al. 2020);
    - `wql`: weighted quantile loss, the mean over levels of twice the pinball losses divided by the sum of |y|, which approximates the CRPS;
    - `coverage`, `width`: of the intervals by the share that they shall hold, over all that is known.

    `by_horizon` has MAE, WQL and coverage for each step ahead. What cannot be measured is NaN.
    """

    mae: float
    rmse: float
    mase: float
    rmsse: float
    smape: float
    wql: float
    coverage: Mapping[float, float]
    width: Mapping[float, float]
    by_horizon: Mapping[str, Numbers]

    def to_json(self) -> dict[str, Any]:
        """Plain values by name; what is unknown is None."""
        plain = {name: _plain(getattr(self, name)) for name in MEASURES}
        by_share = {name: {f"{share:g}": _plain(value) for share, value in getattr(self, name).items()} for name in ("coverage", "width")}
        return {**plain, **by_share, "by_horizon": {name: [*map(_plain, values.tolist())] for name, values in self.by_horizon.items()}}


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def measure(true: Numbers, forecasts: Forecasts, naive: NaiveErrors, series: NDArray[np.int64]) -> ForecastMeasures:
    """Measures of forecasts against the truth `[N, H, K]`, in which NaN is left out; `series` `[N]` says to which series each window belongs."""
    each = [_measure_number(true, forecasts, naive, series, number) for number in range(true.shape[-1])]

    def alone(name: str) -> float:
        return float(_mean(np.array([getattr(one, name) for one in each])))

    def by_share(name: str) -> dict[float, float]:
        return {share: float(_mean(np.array([getattr(one, name)[share] for one in each]))) for share in shares(forecasts.levels)}

    return ForecastMeasures(
        mae=alone("mae"),
        rmse=alone("rmse"),
        mase=alone("mase"),
        rmsse=alone("rmsse"),
        smape=alone("smape"),
        wql=alone("wql"),
        coverage=by_share("coverage"),
        width=by_share("width"),
        by_horizon={name: _mean(np.stack([one.by_horizon[name] for one in each]), 0) for name in each[0].by_horizon},
    )


def _measure_number(true: Numbers, forecasts: Forecasts, naive: NaiveErrors, series: NDArray[np.int64], number: int) -> ForecastMeasures:
    """Measures of one of the K numbers."""
    y, point = true[..., number], forecasts.points[..., number]
    error = np.abs(y - point)
    both = np.abs(y) + np.abs(point)
    relative = np.where(both == 0, 0, 200 * error / np.where(both == 0, 1, both))
    absolute, squared = (np.where(part > 0, part, np.nan)[:, number] for part in (naive.absolute, naive.squared))
    losses = pinball(y, forecasts.quantiles[:, :, number], forecasts.levels)
    size = np.where(np.isnan(y), np.nan, np.abs(y))
    coverage, width, ahead = {}, {}, {"mae": _mean(error, 0), "wql": _ratio(2 * losses.mean(-1), size, 0)}
    for share in shares(forecasts.levels):
        low, high = (end[..., number] for end in forecasts.interval(share))
        inside = np.where(np.isnan(y), np.nan, (low <= y) & (y <= high))
        coverage[share], width[share] = float(_mean(inside)), float(_mean(np.where(np.isnan(y), np.nan, high - low)))
        ahead[f"coverage {share:g}"] = _mean(inside, 0)
    return ForecastMeasures(
        mae=float(_mean(error)),
        rmse=float(np.sqrt(_mean(error**2))),
        mase=_over_series(_mean(error, 1) / absolute, series),
        rmsse=_over_series(np.sqrt(_mean(error**2, 1) / squared), series),
        smape=_over_series(_mean(np.where(np.isnan(y), np.nan, relative), 1), series),
        wql=float(_ratio(2 * losses.mean(-1), size)),
        coverage=coverage,
        width=width,
        by_horizon=ahead,
    )


def pinball(true: Numbers, quantiles: Numbers, levels: Sequence[float]) -> Numbers:
    """The pinball losses `[…, Q]` of quantiles `[…, Q]`: what is above costs its level, what is below costs the rest to 1."""
    over = true[..., None] - quantiles
    return np.maximum(np.multiply(levels, over), np.subtract(levels, 1) * over)


def _mean(values: NDArray[Any], axis: int | None = None) -> NDArray[Any]:
    """The mean of what is known; NaN where nothing is."""
    known = (~np.isnan(values)).sum(axis)
    return np.where(known, np.nansum(values, axis) / np.maximum(known, 1), np.nan)


def _ratio(losses: Numbers, sizes: Numbers, axis: int | None = None) -> Numbers:
    total = np.nansum(sizes, axis)
    return np.where(total > 0, np.nansum(losses, axis) / np.where(total > 0, total, 1), np.nan)


def _over_series(values: Numbers, series: NDArray[np.int64]) -> float:
    """The mean over series of the means over their windows."""
    _, places = np.unique(series, return_inverse=True)
    known = ~np.isnan(values)
    counts = np.bincount(places, known)
    sums = np.bincount(places, np.where(known, values, 0))
    return float(_mean(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)))
