"""Simple forecasts from the past of windows: shown to a network, and taken away from what it learns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from math import gcd

import numpy as np

from unrolled.data.codecs.numbers import CONSTANT
from unrolled.data.columns import Places
from unrolled.data.panels.shape import BEST, DRIFT, LAST, MEAN, NAIVE, NOTHING, SEASONS_BACK, Numbers, WindowShape

LEAST = 0.02
"""The part of the spread of a context that the scale of what is learnt above a base has at least."""

FEWEST = 4
"""A simple forecast is compared with others where it can be made for the numbers that are known divided by this."""

POWER = 4
"""The weight of a simple forecast is its error to the power of minus this: the nearest ones make the base, and an accident does not choose it."""

AHEAD = 5
"""Steps of the horizon for which the last number is compared."""

FAR_STEPS = 128
"""About so many steps before those that are read are compared: of more of them some that lie evenly between, each in the place of those beside it."""

TINY = 1e-9

ALL = slice(None)


class Path:
    """Scaled numbers of windows, `[B, R, K]`, and what several forecasts need of them."""

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers

    @cached_property
    def longer(self) -> Numbers:
        """With a last step that stands for all before the first: nothing is known of it."""
        return np.pad(self.numbers, ((0, 0), (0, 1), (0, 0)), constant_values=np.nan)

    @cached_property
    def filled(self) -> Numbers:
        """The last number that is there, at each step."""
        return np.take_along_axis(self.numbers, self._known, 1)

    @property
    def since(self) -> Numbers:
        """How many steps ago that was."""
        return (self._steps - self._known).astype(np.float64)

    @property
    def _steps(self) -> Places:
        return np.arange(self.numbers.shape[1])[None, :, None]

    @cached_property
    def _known(self) -> Places:
        """Where the last number is that is there; the first step where there is none yet."""
        return np.maximum.accumulate(np.where(np.isnan(self.numbers), 0, self._steps), 1)

    @cached_property
    def sums(self) -> tuple[Numbers, Numbers]:
        """The sum of the numbers before each step and how many there are, `[B, R + 1, K]`."""
        there = ~np.isnan(self.numbers)
        sums, counts = (np.pad(part.cumsum(1), ((0, 0), (1, 0), (0, 0))) for part in (np.where(there, self.numbers, 0), there))
        return sums, counts


@dataclass(frozen=True)
class Bases:
    """Simple forecasts of the steps of windows of a shape: the `looked` ones before the horizon, and the horizon.

    All are made of a `path`: scaled numbers from `reach` steps before the context on, of which only those before a step, or if not recursive before
    the horizon, are looked at.
    """

    shape: WindowShape

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Of which of the bases each forecast is one."""
        count = len(self.shape.seasons)
        return (*(NAIVE,) * count, *(DRIFT,) * (2 * count - 1 if count else 0), *(MEAN,) * count, LAST, NOTHING)

    def simple(self, path: Path, step: slice = ALL) -> Numbers:
        """The forecasts of some steps, `[C, B, T, K]`: for each season the last one, the same moved on, and the mean of the last ones; the longer
        seasons moved on by what the shortest has changed since; the last number; and 0, which is the mean of the context."""
        last, mean = [], []
        for season in self._places:
            seen = np.stack([path.longer[:, place[step]] for place in season])
            last.append(seen[0])
            mean.append(_mean(seen))
        moved = [self._drifting(path, number, naive, step) for number, naive in enumerate(last)]
        changed = [self._changed(path, number, last, step) for number in range(1, len(last))]
        before = self._last(path)[:, step]
        return np.stack([*last, *moved, *changed, *mean, before, np.zeros_like(before)])

    @cached_property
    def near(self) -> slice:
        """The steps that are read, and one before them."""
        return slice(self.shape.looked - self.shape.context - 1, None)

    @cached_property
    def _far(self) -> slice:
        """Of the steps before them those that are compared; they do not fall on the same places of each season."""
        least = max(self.near.start // FAR_STEPS, 1)
        apart = next(step for step in count(least) if all(gcd(step, season) == 1 for season in self.shape.seasons))
        return slice(self.near.start % apart, self.near.start, apart)

    @cached_property
    def _steps(self) -> Places:
        return np.arange(-self.shape.looked, self.shape.horizon)

    @cached_property
    def _places(self) -> list[list[Places]]:
        """For each season, and each number of seasons back, where in the path that stands which each step sees; -1 for what lies before it."""
        shape, steps = self.shape, self._steps
        found = []
        for season in shape.seasons:
            # In the horizon the last season that has come lies more than one back when a season is over.
            ahead = np.zeros_like(steps) if shape.recursive else np.maximum(steps, 0) // season
            places = [shape.reach + shape.context + steps - season * (ahead + 1 + back) for back in range(SEASONS_BACK)]
            found.append([np.maximum(place, -1) for place in places])
        return found

    def _changed(self, path: Path, number: int, last: Sequence[Numbers], step: slice) -> Numbers:
        """A longer season, with what has changed between the shortest one before it and the last one."""
        here = self.shape.reach + self.shape.context + self._steps
        then = self._places[number][0] - (here - self._places[0][0])
        return last[number] - path.longer[:, np.maximum(then, -1)[step]] + last[0]

    def _drifting(self, path: Path, number: int, naive: Numbers, step: slice) -> Numbers:
        """The last season, moved on by what its mean lies above that of the season before it; in the horizon for each season that has passed.

        Before the horizon, in windows that are not recursive, that is what was known a season before, as in a horizon it is known only at its beginning.
        """
        shape, season = self.shape, self.shape.seasons[number]
        steps = self._steps[step]
        origin = shape.reach + shape.context + (steps if shape.recursive else np.where(steps < 0, steps - season + 1, 0))
        passed = np.ones_like(steps) if shape.recursive else np.maximum(steps, 0) // season + 1
        levels = [self._level(*path.sums, origin - back, season) for back in (0, season)]
        return naive + (levels[0] - levels[1]) * passed[:, None]

    @staticmethod
    def _level(sums: Numbers, counts: Numbers, end: Places, season: int) -> Numbers:
        """The means of the seasons that end before some places; NaN where less than half of one is there."""
        end = np.maximum(end, 0)
        begin = np.maximum(end - season, 0)
        count = counts[:, end] - counts[:, begin]
        return np.where(2 * count >= season, (sums[:, end] - sums[:, begin]) / np.maximum(count, 1), np.nan)

    def _last(self, path: Path) -> Numbers:
        """The last number that is known at each step."""
        shape = self.shape
        before = path.filled[:, self._begin - 1 :][:, : len(self._steps)]
        if shape.recursive:
            return before
        return np.concatenate([before[:, : shape.looked], np.repeat(before[:, shape.looked, None], shape.horizon, 1)], 1)

    def weigh(self, path: Path, near: Numbers) -> tuple[Numbers, Numbers]:
        """How much of each forecast the base has, `[C, B, K]`, by how near it came before the horizon, and the mean absolute error of the nearest, `[B, K]`;
        NaN where none could be made. `near` are the forecasts of the steps that are read."""
        shape = self.shape
        true = path.numbers[:, self._begin + self._compared]
        said = np.concatenate([self.simple(path, self._far), near[:, :, : -shape.horizon]], 2)
        errors = self._errors(true, said)
        errors[self.kinds.index(LAST)] = self._error_of_last(path, true)
        errors = np.maximum(errors, TINY)
        allowed = np.array([self.shape.base in (kind, BEST) for kind in self.kinds])[:, None, None]
        least = np.where(allowed, errors, np.inf).min(0)
        known = np.isfinite(least)
        # What is not asked for stands in where all the rest says nothing.
        weights = np.minimum(np.where(known, least, 1) / errors, 1) ** POWER * np.where(allowed, 1, TINY)
        return weights, np.where(known, least, np.nan)

    @property
    def _begin(self) -> int:
        """Where in a path the steps begin in which forecasts are compared."""
        return self.shape.reach + self.shape.context - self.shape.looked

    @cached_property
    def _compared(self) -> Places:
        """The steps that are compared, from the first that is looked at on."""
        return np.concatenate([np.arange(self.near.start)[self._far], np.arange(self.near.start, self.shape.looked)])

    @cached_property
    def _counts(self) -> Numbers:
        """For how many steps each of them stands."""
        return np.where(self._compared < self.near.start, float(self._far.step), 1.0)

    def _errors(self, true: Numbers, said: Numbers) -> Numbers:
        """Mean absolute errors of forecasts `[C, B, T, K]` of the compared steps, each `[B, K]`; infinite where too little can be compared."""
        apart = np.abs(said - true)
        there = ~np.isnan(apart)
        known = self._counts @ there
        enough = known * FEWEST >= np.maximum(self._counts @ ~np.isnan(true), 1)
        apart[~there] = 0
        return np.where(enough, self._counts @ apart / np.maximum(known, 1), np.inf)

    def _error_of_last(self, path: Path, true: Numbers) -> Numbers:
        """That of the last number, the mean over some steps of the horizon, so that they do not lie a season apart by accident."""
        most = 1 if self.shape.recursive else min(self.shape.horizon, self._begin)
        ahead = np.unique(np.linspace(1, most, AHEAD).round().astype(int))
        said = np.stack([path.filled[:, self._begin + self._compared - back] for back in ahead])
        found: Numbers = self._errors(true, said).mean(0)
        return found


def mixed(simple: Numbers, weights: Numbers) -> Numbers:
    """The weighted mean of those forecasts that say something, `[B, T, K]`; of others where none of them does, and 0, the mean, where none does."""
    there = np.where(np.isnan(simple), 0, np.maximum(weights, TINY**2)[:, :, None])
    total = there.sum(0)
    found: Numbers = (np.where(there > 0, simple, 0) * there).sum(0) / np.where(total > 0, total, 1)
    return found


def size_of(error: Numbers) -> Numbers:
    """The scale of what is learnt above a base whose error is known, in parts of the context's spread."""
    return np.where(np.isnan(error), 1, np.maximum(error, LEAST))


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


def _mean(seen: Numbers) -> Numbers:
    """The mean of those that are there, of `[P, …]`; NaN where none is."""
    there = ~np.isnan(seen)
    count = there.sum(0)
    return np.where(count > 0, np.where(there, seen, 0).sum(0) / np.maximum(count, 1), np.nan)
