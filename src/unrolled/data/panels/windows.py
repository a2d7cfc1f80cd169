"""Windows of series, many at once: what a network reads of a context and of the steps after it, scaled by the context alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.panels.codec import PanelCodec
from unrolled.data.panels.panel import Panel

Numbers = NDArray[np.float64]

Lags = Sequence[tuple[Numbers, Numbers]]
"""Of each season, the last one and the mean of the last ones, scaled, NaN where there is none."""

SEASONS_BACK = 4
"""Seasons whose mean is shown."""

FAR = 25.0
"""Scaled numbers beyond it are read as it: a context that is nearly constant makes everything else far away."""

LEAST = 0.05
"""The part of the spread of a context that the scale of what is learnt above a base has at least."""

NOTHING, LAST, NAIVE, MEAN = "none", "last", "season-naive", "season-mean"
BASES = (NOTHING, LAST, NAIVE, MEAN)
"""What a network may learn the rest above: the mean of the context, its last number, the last season, the mean of the last seasons."""


@dataclass(frozen=True)
class WindowShape:
    """`context` steps that are shown, `horizon` steps that are to be forecast, steps of `seasons`, and above which of `BASES` the rest is learnt.

    With `recursive` each step reads the number before it, in the horizon too; else numbers of the horizon are hidden. With `counts` numbers
    are scaled by their mean, and targets are not scaled at all.
    """

    context: int
    horizon: int
    seasons: tuple[int, ...] = ()
    base: str = NOTHING
    recursive: bool = False
    counts: bool = False

    @property
    def reach(self) -> int:
        """Steps before the context that are looked at."""
        return max([SEASONS_BACK * season for season in self.seasons] or [1])

    @property
    def steps(self) -> int:
        """Steps that a network reads."""
        return self.context + self.horizon


@dataclass(frozen=True)
class Window:
    """B windows of T = context + horizon steps.

    `numbers` `[T, B, F]` is what is read, of which the first `seen` are those of the step's own number (of the one before it if recursive).
    `targets` `[T', B, K]` are the numbers of the last T' steps that are to be said, `base` `[T', B, K]` above which they are, in `scale` `[B, K]`; NaN where they
    are not known. `centre` and `spread` `[B, K]` scale what is read. `path` `[B, R, K]` are the scaled numbers from `reach` steps before
    the context on, those of the horizon NaN.
    """

    numbers: NDArray[np.float32]
    targets: Numbers
    base: Numbers
    scale: Numbers
    centre: Numbers
    spread: Numbers
    path: Numbers


class Windows:
    """The windows of a panel, which must have as many rows after each history as the horizon has steps.

    Nothing of a window but its `targets` depends on what comes after its context, save `known` columns.
    """

    def __init__(self, panel: Panel, codec: PanelCodec, shape: WindowShape) -> None:
        self.panel, self.shape = panel, shape
        self._future, self._behind, self._constants = codec.future(panel), codec.behind(panel), codec.constants(panel)
        self._steps = np.arange(-shape.context, shape.horizon)
        self._lags = [[self._back(season, times) for times in range(SEASONS_BACK)] for season in shape.seasons]

    @property
    def seen(self) -> int:
        """How many of what is read at a step are those of its own number."""
        return 2 * len(self.panel.targets) + self._behind.shape[1]

    @property
    def width(self) -> int:
        """How many numbers are read at each step."""
        lags = 3 * len(self.shape.seasons) * len(self.panel.targets)
        return self.seen + lags + self._future.shape[1] + self._constants.shape[1] + 2

    def _back(self, season: int, times: int) -> Places:
        """For each step where the step stands, in the path, that is the last of its phase which has come, and `times` seasons before it."""
        ahead = np.zeros_like(self._steps) if self.shape.recursive else np.maximum(self._steps, 0) // season
        place: Places = self.shape.reach + self.shape.context + self._steps - season * (ahead + 1 + times)
        return place

    def get(self, series: Places, origins: Places, until: Places | None = None) -> Window:
        """The windows whose horizon begins at row `origins` `[B]` of some series `[B]`; nothing from row `until` `[B]` on is a target."""
        shape, panel = self.shape, self.panel
        steps = np.arange(-shape.context - shape.reach, shape.horizon)
        values = self._numbers(series, origins, steps)
        rows = origins[:, None] + self._steps
        future = values[:, -shape.horizon :]
        if until is not None:
            future = np.where((rows[:, -shape.horizon :] < until[:, None])[..., None], future, np.nan)
        past = values[:, : -shape.horizon]
        centre, spread = _scale(past[:, shape.reach :], counts=shape.counts)
        hidden = np.full_like(future, np.nan)
        path = (np.concatenate([past, future if shape.recursive else hidden], 1) - centre[:, None]) / spread[:, None]
        numbers, lags = self._read(series, rows, path)
        base, scale = self._base(past, path, lags, centre, spread)
        truth = np.concatenate([past[:, shape.reach :], future], 1) if shape.recursive else future
        targets = truth if shape.counts else (truth - base) / scale[:, None]
        return Window(numbers, targets.swapaxes(0, 1), base.swapaxes(0, 1), scale, centre, spread, path)

    def _numbers(self, series: Places, origins: Places, steps: Places) -> Numbers:
        """The numbers of some steps from the origins on, `[B, R, K]`; NaN before and after a series."""
        rows = origins[:, None] + steps
        inside = (rows >= 0) & (rows < self.panel.sizes[series][:, None])
        flat = self.panel.starts[series][:, None] + np.where(inside, rows, 0)
        return np.where(inside[..., None], self.panel.values[flat], np.nan)

    def _read(self, series: Places, rows: Places, path: Numbers) -> tuple[NDArray[np.float32], Lags]:
        """What is read `[T, B, F]`, and for each season the last one and the mean of the last ones, scaled, `[B, T, K]`."""
        shape = self.shape
        lags = self.lags(path)
        parts = [*self._own(path), self._behind_of(series, rows), *self._of_lags(lags), self._ahead_of(series, rows)]
        parts.append(np.broadcast_to(self._constants[series][:, None], (*rows.shape, self._constants.shape[1])))
        parts.append(np.broadcast_to(self._position(), (*rows.shape, 2)))
        return np.ascontiguousarray(np.concatenate(parts, -1, dtype=np.float32).swapaxes(0, 1)), lags

    def refill(self, window: Window, path: Numbers, step: int) -> tuple[NDArray[np.float32], Numbers]:
        """What is read at a step `[B, F]` of recursive windows where the numbers before it are those of a `path`, and the base of the step, `[B, K]`."""
        at = slice(step, step + 1)
        lags = self.lags(path, at)
        numbers = window.numbers[step].copy()
        own = np.concatenate([*self._own(path, at)], -1)[:, 0]
        numbers[:, : own.shape[1]] = own
        if lags:
            seasons = np.concatenate([*self._of_lags(lags)], -1)[:, 0]
            numbers[:, self.seen : self.seen + seasons.shape[1]] = seasons
        if self.shape.counts or self.shape.base == NOTHING:
            return numbers, window.centre
        return numbers, self.base(path, lags, window.centre, window.spread, at)[:, 0]

    def _own(self, path: Numbers, step: slice = slice(None)) -> Iterator[NDArray[Any]]:
        """The number of each step, or if recursive of the one before it, and whether it is there."""
        shape = self.shape
        own = path[:, shape.reach - shape.recursive :][:, : shape.steps][:, step]
        yield from (_read(own), ~np.isnan(own))

    def lags(self, path: Numbers, step: slice = slice(None)) -> Lags:
        """Those of some steps `[B, T, K]`."""
        return [_lag(np.stack([path[:, place[step]] for place in season])) for season in self._lags]

    @staticmethod
    def _of_lags(lags: Lags) -> Iterator[NDArray[Any]]:
        for last, mean in lags:
            yield from (_read(last), _read(mean), ~np.isnan(mean))

    def _behind_of(self, series: Places, rows: Places) -> NDArray[np.float32]:
        """What `past` columns say of the step, or of the one before it; nothing in the horizon."""
        at = rows - self.shape.recursive
        inside = (at >= 0) & (at < rows[:, self.shape.context, None])
        flat = self.panel.starts[series][:, None] + np.where(inside, at, 0)
        return self._behind[flat] * inside[..., None]

    def _ahead_of(self, series: Places, rows: Places) -> NDArray[np.float32]:
        inside = (rows >= 0) & (rows < self.panel.sizes[series][:, None])
        flat = self.panel.starts[series][:, None] + np.where(inside, rows, 0)
        return self._future[flat] * inside[..., None]

    def _position(self) -> NDArray[np.float32]:
        """Whether a step is to be forecast, and how far ahead it is; nothing of it where each step is forecast from the one before."""
        ahead = np.zeros_like(self._steps) if self.shape.recursive else np.maximum(self._steps + 1, 0)
        return np.stack([ahead > 0, ahead / self.shape.horizon], -1).astype(np.float32)

    def _base(self, past: Numbers, path: Numbers, lags: Lags, centre: Numbers, spread: Numbers) -> tuple[Numbers, Numbers]:
        """Above what numbers are said, `[B, T', K]`, and in which scale, `[B, K]`."""
        shape = self.shape
        if shape.counts or shape.base == NOTHING:
            steps = shape.steps if shape.recursive else shape.horizon
            return np.repeat(centre[:, None], steps, 1), spread
        before = 1 if shape.base == LAST else shape.seasons[0]
        return self.base(path, lags, centre, spread), _usual(past[:, before:], past[:, :-before], spread)

    def base(self, path: Numbers, lags: Lags, centre: Numbers, spread: Numbers, step: slice = slice(None)) -> Numbers:
        """The numbers above which others are said, of some steps `[B, T', K]`: those of the longest season of which there are some, or else the centre."""
        shape = self.shape
        if shape.base == LAST:
            filled = _filled(path)
            found = filled[:, shape.reach - 1 : -1][:, step] if shape.recursive else np.repeat(filled[:, -1:], shape.horizon, 1)
        else:
            found = np.full_like(lags[0][0], np.nan)
            for naive, mean in lags:
                part = naive if shape.base == NAIVE else mean
                found = np.where(np.isnan(part), found, part)
            found = found if shape.recursive else found[:, -shape.horizon :]
        return np.where(np.isnan(found), 0, found) * spread[:, None] + centre[:, None]


def _filled(path: Numbers) -> Numbers:
    """The last number that is there, at each step."""
    at = np.where(np.isnan(path), 0, np.arange(path.shape[1])[None, :, None])
    return np.take_along_axis(path, np.maximum.accumulate(at, 1), 1)


def _scale(past: Numbers, *, counts: bool) -> tuple[Numbers, Numbers]:
    """The centre and the spread of what is there of a context, `[B, K]`: mean and standard deviation, or of counts 0 and the mean."""
    there = ~np.isnan(past)
    count = np.maximum(there.sum(1), 1)
    known = np.where(there, past, 0)
    mean = known.sum(1) / count
    if counts:
        return np.zeros_like(mean), np.abs(mean) + 1
    deviation = np.sqrt(np.where(there, (known - mean[:, None]) ** 2, 0).sum(1) / count)
    return mean, np.where(deviation > 1e-9 * np.abs(mean), deviation, np.where(mean == 0, 1, np.abs(mean)))


def _usual(numbers: Numbers, before: Numbers, spread: Numbers) -> Numbers:
    """The usual size of a difference, `[B, K]`, but no less than a small part of the spread, which it is where there is none."""
    apart = np.abs(numbers - before)
    there = ~np.isnan(apart)
    count = there.sum(1)
    usual = np.where(there, apart, 0).sum(1) / np.maximum(count, 1)
    return np.where(count > 0, np.maximum(usual, LEAST * spread), spread)


def _read(numbers: Numbers) -> Numbers:
    """Scaled numbers as a network reads them: 0 where there is none."""
    return np.clip(np.where(np.isnan(numbers), 0, numbers), -FAR, FAR)


def _lag(taken: Numbers) -> tuple[Numbers, Numbers]:
    """The first, and the mean of those that are there, of `[P, …]`."""
    there = ~np.isnan(taken)
    count = there.sum(0)
    return taken[0], np.where(count > 0, np.where(there, taken, 0).sum(0) / np.maximum(count, 1), np.nan)
