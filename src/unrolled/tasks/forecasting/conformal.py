"""Intervals that hold what they say: quantiles widened or narrowed by what windows that were held out show."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import DataError
from unrolled.tasks.measures.forecasts import Forecasts, Numbers, shares

FEWEST = 20
"""Numbers from which a factor of its own can be known; with fewer in each step, all steps share one."""


@dataclass(frozen=True)
class Calibration:
    """Factors `[H or 1, K, Q]` by which the distances of quantiles at `levels` from the points are multiplied.

    Conformalized quantile regression (Romano, Patterson and Candès 2019) for each side by itself, with scores that are parts of the predicted
    distance (Kivaranovic et al. 2020), so that uncertain windows stay wider than others. Quantiles stay on their side of the point.
    """

    levels: tuple[float, ...]
    factors: Numbers

    @classmethod
    def fit(cls, true: Numbers, forecasts: Forecasts, *, by_horizon: bool | None = None) -> "Calibration":
        """From forecasts of held-out windows and their truth `[N, H, K]`, in which NaN is left out.

        With `by_horizon` each step ahead has factors of its own; if nothing is said, where at least `FEWEST` windows know it. `DataError` if nothing is known.
        """
        known = ~np.isnan(true)
        if not known.any((0, 1)).all():
            raise DataError("No number of the held-out windows is known, by which intervals could be calibrated. Hold out more.")
        if by_horizon is None:
            by_horizon = bool(known.sum(0).min() >= FEWEST)
        apart = true - forecasts.points
        steps = [slice(step, step + 1) for step in range(true.shape[1])] if by_horizon else [slice(None)]
        factors = [
            [
                [
                    _factor(apart[:, step, number], _distance(forecasts, at)[:, step, number], level)
                    for at, level in enumerate(forecasts.levels)
                ]
                for number in range(true.shape[2])
            ]
            for step in steps
        ]
        return cls(forecasts.levels, np.array(factors))

    def apply(self, forecasts: Forecasts) -> Forecasts:
        """The same points with calibrated quantiles."""
        points = forecasts.points[..., None]
        # A wider level can never lie inside a narrower one.
        quantiles = np.sort(points + self.factors * (forecasts.quantiles - points), -1)
        return Forecasts(forecasts.points, quantiles, forecasts.levels)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"levels": [*self.levels], "factors": self.factors.tolist()}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Calibration":
        """What `to_json` gave."""
        return cls(tuple(found["levels"]), np.array(found["factors"], np.float64))


def _distance(forecasts: Forecasts, at: int) -> Numbers:
    return forecasts.quantiles[..., at] - forecasts.points


def _factor(apart: Numbers, distance: Numbers, level: float) -> float:
    """By which distances from the point must be multiplied so that the part `level` of the truth lies below; 1 for the median."""
    if round(level, 6) == 0.5:
        return 1.0
    usable = ~np.isnan(apart) & (distance != 0)
    if not usable.any():
        return 1.0
    scores = np.sort(apart[usable] / distance[usable])
    # Of the scores of a lower quantile, those above the factor lie below it.
    share = max(level, 1 - level)
    place = int(np.ceil((len(scores) + 1) * share)) - 1
    return float(max(scores[min(place, len(scores) - 1)], 0.0))


def coverage_of(true: Numbers, forecasts: Forecasts) -> dict[float, float]:
    """The part of the known numbers inside each interval, by the share that it shall hold."""
    known = ~np.isnan(true)
    found = {}
    for share in shares(forecasts.levels):
        low, high = forecasts.interval(share)
        found[share] = float(((low <= true) & (true <= high))[known].mean())
    return found


def crossed_coverage(true: Numbers, forecasts: Forecasts) -> tuple[dict[float, float], dict[float, float]]:
    """Coverage of held-out windows before calibration, and after one that did not see them: each half is calibrated by the other."""
    halves = [np.arange(len(true)) % 2 == half for half in range(2)]
    if len(true) < 2:
        return coverage_of(true, forecasts), {}
    parts = [_some(forecasts, half) for half in halves]
    after = [Calibration.fit(true[other], parts[1 - at]).apply(parts[at]) for at, other in enumerate(reversed(halves))]
    points, quantiles = (np.concatenate([getattr(part, name) for part in after]) for name in ("points", "quantiles"))
    joined = Forecasts(points, quantiles, forecasts.levels)
    return coverage_of(true, forecasts), coverage_of(np.concatenate([true[half] for half in halves]), joined)


def _some(forecasts: Forecasts, which: NDArray[np.bool_]) -> Forecasts:
    return Forecasts(forecasts.points[which], forecasts.quantiles[which], forecasts.levels)
