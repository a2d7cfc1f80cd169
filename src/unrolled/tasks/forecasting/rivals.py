"""What needs no learning, beside which a network must show what it is worth: the last value, the season before, means of seasons, drift."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unrolled.tasks.measures.forecasts import Forecasts, Numbers

SEASONS = 4
"""So many seasons the mean of the last seasons has."""

FEWEST, MOST, MOST_SEASONS = 250, 1000, 20
"""Past forecasts of a method by whose errors its quantiles are known: the last ones, of so many of the longest seasons, within these limits. Older errors are those of other
times, and of another level where a series grows."""

_AT_ONCE = 256
"""Histories that are looked at together."""


def simple_rivals(histories: Sequence[Numbers], horizon: int, seasons: Sequence[int], levels: Sequence[float]) -> dict[str, Forecasts]:
    """Forecasts of H steps by simple methods, by their names, for N histories `[T, K]` in which NaN is what is missing.

    A quantile is a point and the quantile of the errors that the method made in the history as many steps ahead. Histories that are too short
    for a season have their last value instead, and what cannot be known, as no number is, is NaN.
    """
    methods: dict[str, Method] = {"last value": LastValue(), "drift": Drift()}
    for season in seasons:
        which = f" {season}" if len(seasons) > 1 else ""
        methods |= {f"seasonal naive{which}": SeasonalNaive(season), f"mean of {SEASONS} seasons{which}": SeasonMean(season)}
    origins = min(max(MOST_SEASONS * max(seasons, default=1), FEWEST), MOST)
    return {name: _forecast(method, histories, horizon, tuple(levels), origins) for name, method in methods.items()}


class Ends:
    """The ends of some histories `[T, K]` as R rows of one length, NaN before their beginnings, and room for H steps that are to come."""

    def __init__(self, histories: Sequence[Numbers], most: int, horizon: int) -> None:
        ends = [history[-most:].T for history in histories]
        self.length, self.horizon = max(end.shape[1] for end in ends), horizon
        self.values = np.concatenate([np.pad(end, ((0, 0), (self.length - end.shape[1], horizon)), constant_values=np.nan) for end in ends])
        firsts = [_first_known(number) for history in histories for number in history.T]
        lengths = np.repeat([len(history) for history in histories], [end.shape[0] for end in ends])
        self.first_values = np.array([value for value, _ in firsts])
        self.first_places = np.array([place for _, place in firsts]) + self.length - lengths

    def ago(self, values: Numbers, lag: int) -> Numbers:
        """What was `lag` steps before each time, NaN where that is before the first one."""
        found = np.full_like(values, np.nan)
        if lag < values.shape[1]:
            found[:, lag:] = values[:, : values.shape[1] - lag]
        return found

    def carried(self, lag: int) -> Numbers:
        """The last number known at each time, among those that are 0, 1, 2, … times `lag` steps old."""
        rows, steps = self.values.shape
        padded = np.pad(self.values, ((0, 0), (-steps % lag, 0)), constant_values=np.nan).reshape(rows, -1, lag)
        known = np.where(np.isnan(padded), -1, np.arange(padded.shape[1])[:, None])
        places = np.maximum.accumulate(known, 1)
        found = np.take_along_axis(padded, np.maximum(places, 0), 1)
        return found.reshape(rows, -1)[:, -steps:]


def _first_known(numbers: Numbers) -> tuple[float, int]:
    """The first number that is known, and its place; NaN and 0 if there is none."""
    known = ~np.isnan(numbers)
    place = int(known.argmax()) if known.any() else 0
    return (float(numbers[place]) if known.any() else np.nan), place


class Method:
    """A way to forecast each time from what was known some steps before."""

    reach = 1
    """How many steps back it looks beyond the horizon."""

    @abstractmethod
    def predict(self, ends: Ends, ahead: int) -> Numbers:
        """What it says of each time, `[R, T + H]`, from what is known `ahead` steps before it."""

    def steps_back(self, ahead: int) -> int:
        """What forecasts so far ahead have in common: those of one number are made in one way."""
        return ahead


class LastValue(Method):
    """The last number that is known."""

    def predict(self, ends: Ends, ahead: int) -> Numbers:
        """See `Method`."""
        return ends.ago(ends.carried(1), ahead)


class Drift(Method):
    """A line from the first number through the last one."""

    def predict(self, ends: Ends, ahead: int) -> Numbers:
        """See `Method`."""
        last = ends.carried(1)
        passed = np.arange(last.shape[1]) - ends.first_places[:, None]
        slope = np.where(passed > 0, (last - ends.first_values[:, None]) / np.maximum(passed, 1), 0)
        return ends.ago(last + ahead * slope, ahead)


class SeasonalNaive(Method):
    """The last number that is known at the same place of a season."""

    def __init__(self, season: int) -> None:
        self.season = self.reach = season

    def steps_back(self, ahead: int) -> int:
        """See `Method`."""
        return -(-ahead // self.season) * self.season

    def predict(self, ends: Ends, ahead: int) -> Numbers:
        """See `Method`."""
        return ends.ago(ends.carried(self.season), self.steps_back(ahead))


class SeasonMean(SeasonalNaive):
    """The mean of the numbers at the same place of the last seasons, of those that are known."""

    def __init__(self, season: int, seasons: int = SEASONS) -> None:
        super().__init__(season)
        self.seasons, self.reach = seasons, season * seasons

    def predict(self, ends: Ends, ahead: int) -> Numbers:
        """See `Method`."""
        parts = [ends.ago(ends.values, self.steps_back(ahead) + back * self.season) for back in range(self.seasons)]
        known = sum(~np.isnan(part) for part in parts)
        mean = sum(np.nan_to_num(part) for part in parts) / np.maximum(known, 1)
        return np.where(known > 0, mean, super().predict(ends, ahead))


def _forecast(method: Method, histories: Sequence[Numbers], horizon: int, levels: tuple[float, ...], origins: int) -> Forecasts:
    """Points and quantiles of a method, which are those of its errors from so many origins."""
    most = origins + horizon + method.reach
    parts = [
        _forecast_some(method, Ends(histories[at : at + _AT_ONCE], most, horizon), levels, origins)
        for at in range(0, len(histories), _AT_ONCE)
    ]
    points, quantiles = (np.concatenate(found) for found in zip(*parts, strict=True))
    count = len(histories), histories[0].shape[1]
    return Forecasts(points.reshape(*count, horizon).swapaxes(1, 2), quantiles.reshape(*count, horizon, -1).swapaxes(1, 2), levels)


def _forecast_some(method: Method, ends: Ends, levels: tuple[float, ...], origins: int) -> tuple[Numbers, Numbers]:
    """Points `[R, H]` and quantiles `[R, H, Q]`; the last value, with its errors, stands in where a method can say nothing."""
    points, offsets = _said(method, ends, levels, origins)
    if np.isnan(points).any() or np.isnan(offsets).any():
        other_points, other_offsets = _said(LastValue(), ends, levels, origins)
        points = np.where(np.isnan(points), other_points, points)
        offsets = np.where(np.isnan(offsets), np.nan_to_num(other_offsets), offsets)
    return points, points[..., None] + offsets


def _said(method: Method, ends: Ends, levels: tuple[float, ...], origins: int) -> tuple[Numbers, Numbers]:
    """Points `[R, H]`, and quantiles of the errors `[R, H, Q]`; NaN where nothing is known."""
    points = np.empty((len(ends.values), ends.horizon))
    offsets = np.empty((*points.shape, len(levels)))
    back, predicted, quantiles = 0, ends.values, ends.values
    for step in range(ends.horizon):
        if back != method.steps_back(step + 1):
            back = method.steps_back(step + 1)
            predicted = method.predict(ends, step + 1)
            quantiles = quantiles_of((ends.values - predicted)[:, : ends.length][:, -origins:], levels)
        points[:, step], offsets[:, step] = predicted[:, ends.length + step], quantiles
    return points, offsets


def quantiles_of(samples: Numbers, levels: Sequence[float]) -> Numbers:
    """Quantiles `[R, Q]` of the samples `[R, E]` that are known, with lines between them; NaN for rows without any."""
    ordered = np.sort(samples, 1)
    known = (~np.isnan(ordered)).sum(1)[:, None]
    place = np.asarray(levels) * np.maximum(known - 1, 0)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, np.maximum(known - 1, 0))
    below, above = (np.take_along_axis(ordered, part, 1) for part in (low, high))
    return np.where(known > 0, below + (above - below) * (place - low), np.nan)


def seasons_of(seasons: Sequence[int], lengths: NDArray[np.int64]) -> tuple[int, ...]:
    """Those seasons of which most histories have two."""
    return tuple(season for season in seasons if (lengths >= 2 * season).mean() > 0.5)
