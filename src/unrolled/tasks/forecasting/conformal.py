"""Intervals that hold what they say: widened or narrowed by what windows that were held out show."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.tasks.measures.forecasts import Forecasts, Numbers, shares

FEW, RENEWED, WIDEST = 10, 3, 5
"""Windows of which half is believed, in logarithms, first and where factors are renewed; the largest factor of an interval, and the inverse of the smallest."""


@dataclass(frozen=True)
class Calibration:
    """Factors `[K, Q]` by which the distances of quantiles at `levels` from the points are multiplied, in all steps of the horizon, or of N windows `[N, 1, K, Q]`.

    Conformalized quantile regression (Romano, Patterson and Candès 2019) with scores that are parts of the predicted distance (Kivaranovic et al.
    2020), so that uncertain windows stay wider than others. Both ends of an interval share a factor: whether forecasts lie too high or too low
    differs from one stretch of time to the next. The numbers of a window err together, so that windows are counted where conformal prediction
    counts numbers (Lee, Barber and Willett 2023), and of few windows less is believed. Quantiles stay on their side of the point.
    """

    levels: tuple[float, ...]
    factors: Numbers

    @classmethod
    def fit(cls, true: Numbers, forecasts: Forecasts, windows: int | None = None, before: Numbers | None = None) -> "Calibration":
        """From forecasts of held-out windows and their truth `[N, H, K]`, in which NaN is left out; so many of the `windows` do not overlap, or all.

        Of few windows less is believed, and more of the factors `before` them, `[K, Q]`, if there are some: then nothing is added for the windows' being few. A number of which nothing
        is known keeps its factors, or has 1.
        """
        windows = max(len(true) if windows is None else windows, 1)
        distances = forecasts.quantiles - forecasts.points[..., None]
        usable = distances != 0
        scores = np.where(usable, (true - forecasts.points)[..., None] / np.where(usable, distances, 1), np.nan)
        more, few = (1 + 1 / windows, FEW) if before is None else (1.0, RENEWED)
        before = np.ones(scores.shape[2:]) if before is None else before
        factors = before.copy()
        for at, other, share in _ends(forecasts.levels):
            both = np.fmax(scores[..., at], scores[..., other])
            for number in range(len(factors)):
                if not np.isnan(both[..., number]).all():
                    factors[number, at] = _factor(both[..., number], share * more)
        belief = windows / (windows + few)
        return cls(forecasts.levels, factors**belief * before ** (1 - belief))

    def apply(self, forecasts: Forecasts) -> Forecasts:
        """The same points with calibrated quantiles."""
        points = forecasts.points[..., None]
        # A wider level can never lie inside a narrower one.
        quantiles = np.sort(points + self.factors * (forecasts.quantiles - points), -1)
        return Forecasts(forecasts.points, quantiles, forecasts.levels)


def _ends(levels: Sequence[float]) -> Iterator[tuple[int, int, float]]:
    """The place of each level but the median, that of the other end of its interval, and the share of numbers between them; for a level without
    another end that on its side of all."""
    rounded = [round(level, 6) for level in levels]
    for at, level in enumerate(rounded):
        other = round(1 - level, 6)
        if other in rounded and other != level:
            yield at, rounded.index(other), abs(2 * level - 1)
        elif other != level:
            yield at, at, max(level, other)


def _factor(scores: Numbers, share: float) -> float:
    """By which distances from the point must be multiplied so that a share of the numbers, of which some are known, lies inside."""
    known = np.sort(scores[~np.isnan(scores)])
    place = int(np.ceil(len(known) * share - _ROUNDED)) - 1
    return float(np.clip(known[min(place, len(known) - 1)], 1 / WIDEST, WIDEST))


_ROUNDED = 1e-9
"""A part of a number that comes of rounding."""


def coverage_of(true: Numbers, forecasts: Forecasts) -> dict[float, float]:
    """The part of the known numbers inside each interval, by the share that it shall hold; none where nothing is known."""
    known = ~np.isnan(true)
    found: dict[float, float] = {}
    if not known.any():
        return found
    for share in shares(forecasts.levels):
        low, high = forecasts.interval(share)
        found[share] = float(((low <= true) & (true <= high))[known].mean())
    return found


def crossed_coverage(true: Numbers, forecasts: Forecasts) -> tuple[dict[float, float], dict[float, float]]:
    """Coverage of held-out windows before calibration, and after one that did not see them: each half is calibrated by the other.

    Of a number of which only one half knows something the other one says nothing, and it is left out of what comes after.
    """
    halves = [np.arange(len(true)) % 2 == half for half in range(2)]
    parts = [_some(forecasts, half) for half in halves]
    after, told = [], []
    for at, half in enumerate(halves):
        other = true[halves[1 - at]]
        after.append(Calibration.fit(other, parts[1 - at]).apply(parts[at]))
        told.append(np.where((~np.isnan(other)).any((0, 1)), true[half], np.nan))
    return coverage_of(true, forecasts), coverage_of(np.concatenate(told), after[0].and_those(after[1]))


def _some(forecasts: Forecasts, which: NDArray[np.bool_]) -> Forecasts:
    return Forecasts(forecasts.points[which], forecasts.quantiles[which], forecasts.levels)
