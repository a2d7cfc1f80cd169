"""Simple forecasts from the past of windows: shown to a network, and taken away from what it learns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from unrolled.data.columns import Places
from unrolled.data.panels.shape import BEST, DRIFT, LAST, MEAN, NAIVE, NOTHING, SEASONS_BACK, Numbers, WindowShape

LEAST = 0.05
"""The part of the spread of a context that the scale of what is learnt above a base has at least."""

FEWEST = 4
"""A simple forecast is compared with others where it can be made for the context's steps divided by this."""

Lags = Sequence[tuple[Numbers, Numbers]]
"""Of each season, the last one and the mean of the last ones, NaN where there is none."""

ALL = slice(None)


@dataclass(frozen=True)
class Bases:
    """Simple forecasts of the steps of windows of a shape.

    All are made of a `path` `[B, R, K]`: scaled numbers from `reach` steps before the context on, of which only those before a step, or if not
    recursive before the horizon, are looked at.
    """

    shape: WindowShape

    def lags(self, path: Numbers, step: slice = ALL) -> Lags:
        """Those of some steps, each `[B, T, K]`."""
        return [_lag(np.stack([path[:, place[step]] for place in season])) for season in self._places]

    @cached_property
    def _places(self) -> list[list[Places]]:
        """For each season, and each number of seasons back, where in the path that stands which each step sees."""
        shape, steps = self.shape, np.arange(-self.shape.context, self.shape.horizon)
        found = []
        for season in shape.seasons:
            # In the horizon the last season that has come lies more than one back when a season is over.
            ahead = np.zeros_like(steps) if shape.recursive else np.maximum(steps, 0) // season
            found.append([shape.reach + shape.context + steps - season * (ahead + 1 + back) for back in range(SEASONS_BACK)])
        return found

    def simple(self, path: Numbers, lags: Lags, step: slice = ALL) -> list[Numbers]:
        """The forecasts among which the base is, each `[B, T, K]` of some steps."""
        kind = self.shape.base
        found = [naive for naive, _ in lags] if kind in (NAIVE, BEST) else []
        found += [self._drifting(path, number, naive, step) for number, (naive, _) in enumerate(lags)] if kind in (DRIFT, BEST) else []
        found += [mean for _, mean in lags] if kind in (MEAN, BEST) else []
        found += [self._last(path)[:, step]] if kind in (LAST, BEST) else []
        flat = np.zeros((len(path), self.shape.steps, path.shape[2]))[:, step]
        return [*found, flat] if kind in (NOTHING, BEST) else found

    def _drifting(self, path: Numbers, number: int, naive: Numbers, step: slice) -> Numbers:
        """The last season, moved on by what its mean lies above that of the season before it; in the horizon for each season that has passed.

        In the context of windows that are not recursive, that is what was known a season before, as in a horizon it is known only at its beginning.
        """
        shape, season = self.shape, self.shape.seasons[number]
        steps = np.arange(-shape.context, shape.horizon)[step]
        origin = shape.reach + shape.context + (steps if shape.recursive else np.where(steps < 0, steps - season + 1, 0))
        passed = np.ones_like(steps) if shape.recursive else np.maximum(steps, 0) // season + 1
        there = ~np.isnan(path)
        sums, counts = (np.pad(part.cumsum(1), ((0, 0), (1, 0), (0, 0))) for part in (np.where(there, path, 0), there))
        levels = [self._level(sums, counts, origin - back, season) for back in (0, season)]
        return naive + (levels[0] - levels[1]) * passed[:, None]

    @staticmethod
    def _level(sums: Numbers, counts: Numbers, end: Places, season: int) -> Numbers:
        """The means of the seasons that end before some places; NaN where less than half of one is there."""
        begin = np.maximum(end - season, 0)
        count = counts[:, end] - counts[:, begin]
        return np.where(2 * count >= season, (sums[:, end] - sums[:, begin]) / np.maximum(count, 1), np.nan)

    def _last(self, path: Numbers) -> Numbers:
        """The last number that is known at each step."""
        shape, filled = self.shape, _filled(path)
        before = filled[:, shape.reach - 1 :][:, : shape.steps]
        if shape.recursive:
            return before
        return np.concatenate([before[:, : shape.context], np.repeat(before[:, shape.context, None], shape.horizon, 1)], 1)

    def choose(self, path: Numbers, simple: Sequence[Numbers]) -> tuple[Places, Numbers]:
        """Which of the forecasts came nearest in the context, `[B, K]`, and its mean absolute error there, NaN where none could be made."""
        shape = self.shape
        true = path[:, shape.reach :][:, : shape.context]
        guesses = [each[:, : shape.context] for each in simple]
        if shape.base in (LAST, BEST):
            at = -1 if shape.base == LAST else -2
            guesses[at] = self._ago(path)
        apart = np.abs(np.stack(guesses) - true)
        there = ~np.isnan(apart)
        count = there.sum(2)
        errors = np.where(there, apart, 0).sum(2) / np.maximum(count, 1)
        errors = np.where(count * FEWEST >= shape.context, errors, np.inf)
        chosen = errors.argmin(0)
        least = np.take_along_axis(errors, chosen[None], 0)[0]
        return chosen, np.where(np.isfinite(least), least, np.nan)

    def _ago(self, path: Numbers) -> Numbers:
        """What the last number was for each step of the context where it is as far ahead as the middle of the horizon."""
        shape = self.shape
        back = 1 if shape.recursive else min((shape.horizon + 1) // 2, shape.reach)
        return _filled(path)[:, shape.reach - back :][:, : shape.context]


def taken(simple: Sequence[Numbers], chosen: Places) -> Numbers:
    """The chosen one of some forecasts, `[B, T, K]`; where it says nothing another one, and 0, the mean, where none does."""
    found = np.take_along_axis(np.stack(simple), chosen[None, :, None], 0)[0]
    for each in simple:
        found = np.where(np.isnan(found), each, found)
    return np.where(np.isnan(found), 0, found)


def scale_of(error: Numbers, spread: Numbers) -> Numbers:
    """The scale of what is learnt above a base whose error in the context is known, in parts of the context's spread."""
    return np.where(np.isnan(error), 1, np.maximum(error, LEAST)) * spread


def centre_and_spread(past: Numbers, *, counts: bool) -> tuple[Numbers, Numbers]:
    """The mean and the standard deviation of what is there of a context, `[B, K]`, or of counts 0 and the mean, at least 1.

    A context that is constant has its own size as its spread.
    """
    there = ~np.isnan(past)
    count = np.maximum(there.sum(1), 1)
    known = np.where(there, past, 0)
    mean = known.sum(1) / count
    if counts:
        return np.zeros_like(mean), np.maximum(mean, 1)
    deviation = np.sqrt(np.where(there, (known - mean[:, None]) ** 2, 0).sum(1) / count)
    size = np.where(mean == 0, 1, np.abs(mean))
    return mean, np.where(deviation > CONSTANT * np.abs(mean), deviation, size)


CONSTANT = 1e-9
"""The standard deviation, as a part of the mean, up to which a context is taken to be constant."""


def _filled(path: Numbers) -> Numbers:
    """The last number that is there, at each step."""
    at = np.where(np.isnan(path), 0, np.arange(path.shape[1])[None, :, None])
    return np.take_along_axis(path, np.maximum.accumulate(at, 1), 1)


def _lag(seen: Numbers) -> tuple[Numbers, Numbers]:
    """The first, and the mean of those that are there, of `[P, …]`."""
    there = ~np.isnan(seen)
    count = there.sum(0)
    return seen[0], np.where(count > 0, np.where(there, seen, 0).sum(0) / np.maximum(count, 1), np.nan)
