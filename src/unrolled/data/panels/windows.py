"""Windows of series, many at once: what a network reads of a context and of the steps after it, scaled by the context alone."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.panels.bases import ALL, Bases, Lags, centre_and_spread, scale_of, taken
from unrolled.data.panels.codec import PanelCodec
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.shape import NOTHING, Numbers, WindowShape

FAR = 25.0
"""Scaled numbers beyond it are read as it: a context that is nearly constant makes everything else far away."""


@dataclass(frozen=True)
class Window:
    """B windows of T = context + horizon steps.

    `numbers` `[T, B, F]` is what is read. `targets` `[T', B, K]` are the numbers of the last T' steps that are to be said, NaN where they are not
    known: by how many `scale` `[B, K]` they lie above `base` `[T', B, K]`, or counts as they are. `centre` and `spread` `[B, K]` scale what is
    read. `path` `[B, R, K]` are the scaled numbers from `reach` steps before the context on, and `chosen` `[B, K]` is which of the simple
    forecasts is the base.
    """

    numbers: NDArray[np.float32]
    targets: Numbers
    base: Numbers
    scale: Numbers
    centre: Numbers
    spread: Numbers
    path: Numbers
    chosen: Places

    def repeated(self, count: int) -> "Window":
        """Each window so many times, one after the other."""
        beside = {name: np.repeat(getattr(self, name), count, 1) for name in ("numbers", "targets", "base")}
        alone = {name: np.repeat(getattr(self, name), count, 0) for name in ("scale", "centre", "spread", "path", "chosen")}
        return replace(self, **beside, **alone)


class Windows:
    """The windows of a panel, which must have as many rows after each history as the horizon has steps.

    Nothing of a window but its `targets` depends on what comes after its context, save `known` columns; of recursive ones also what is read in
    the horizon does, as each step reads the number before it.
    """

    def __init__(self, panel: Panel, codec: PanelCodec, shape: WindowShape) -> None:
        self.panel, self.shape, self.bases = panel, shape, Bases(shape)
        self._future, self._behind, self._constants = codec.future(panel), codec.behind(panel), codec.constants(panel)
        self._steps = np.arange(-shape.context, shape.horizon)

    @property
    def width(self) -> int:
        """How many numbers are read at each step."""
        lags = 3 * len(self.shape.seasons) * len(self.panel.targets)
        return self._own_width + self._behind.shape[1] + lags + self._future.shape[1] + self._constants.shape[1] + 2

    @property
    def _own_width(self) -> int:
        return 2 * len(self.panel.targets)

    def get(self, series: Places, origins: Places, until: Places | None = None) -> Window:
        """The windows whose horizon begins at row `origins` `[B]` of some series `[B]`; nothing from row `until` `[B]` on is a target."""
        shape, rows = self.shape, origins[:, None] + self._steps
        values = self._numbers(series, origins)
        past, future = values[:, : -shape.horizon], values[:, -shape.horizon :]
        if until is not None:
            future = np.where((rows[:, -shape.horizon :] < until[:, None])[..., None], future, np.nan)
        centre, spread = centre_and_spread(past[:, shape.reach :], counts=shape.counts)
        shown = future if shape.recursive else np.full_like(future, np.nan)
        path = (np.concatenate([past, shown], 1) - centre[:, None]) / spread[:, None]
        lags = self.bases.lags(path)
        base, scale, chosen = self._base(path, lags, centre, spread)
        truth = np.concatenate([past, future], 1)[:, -shape.said :]
        targets = truth if shape.counts else (truth - base) / scale[:, None]
        numbers = self._read(series, rows, path, lags)
        return Window(numbers, targets.swapaxes(0, 1), base.swapaxes(0, 1), scale, centre, spread, path, chosen)

    def refill(self, window: Window, path: Numbers, step: int) -> tuple[NDArray[np.float32], Numbers]:
        """What is read at a step `[B, F]` of recursive windows where the numbers before it are those of a `path`, and the base of the step, `[B, K]`."""
        at = slice(step, step + 1)
        lags = self.bases.lags(path, at)
        numbers, begin = window.numbers[step].copy(), self._own_width + self._behind.shape[1]
        numbers[:, : self._own_width] = np.concatenate([*self._own(path, at)], -1)[:, 0]
        seasons = np.concatenate([np.zeros((len(path), 1, 0)), *_shown(lags)], -1)[:, 0]
        numbers[:, begin : begin + seasons.shape[1]] = seasons
        base = taken(self.bases.simple(path, lags, at), window.chosen)[:, 0]
        return numbers, base * window.spread + window.centre

    def _numbers(self, series: Places, origins: Places) -> Numbers:
        """The numbers from `reach` steps before the context on, `[B, R, K]`; NaN before and after a series."""
        rows = origins[:, None] + np.arange(-self.shape.context - self.shape.reach, self.shape.horizon)
        flat, inside = self._flat(series, rows)
        return np.where(inside[..., None], self.panel.values[flat], np.nan)

    def _flat(self, series: Places, rows: Places) -> tuple[Places, NDArray[np.bool_]]:
        """Where rows of series stand in flat arrays, and whether there are such rows."""
        inside = (rows >= 0) & (rows < self.panel.sizes[series][:, None])
        return self.panel.starts[series][:, None] + np.where(inside, rows, 0), inside

    def _base(self, path: Numbers, lags: Lags, centre: Numbers, spread: Numbers) -> tuple[Numbers, Numbers, Places]:
        """Above what numbers are said, `[B, T', K]`, in which scale, `[B, K]`, and which of the simple forecasts that is, `[B, K]`."""
        simple = self.bases.simple(path, lags)
        chosen, error = self.bases.choose(path, simple)
        base = taken(simple, chosen)[:, -self.shape.said :] * spread[:, None] + centre[:, None]
        return base, spread if self.shape.base == NOTHING else scale_of(error, spread), chosen

    def _read(self, series: Places, rows: Places, path: Numbers, lags: Lags) -> NDArray[np.float32]:
        """What is read, `[T, B, F]`."""
        constants = np.broadcast_to(self._constants[series][:, None], (*rows.shape, self._constants.shape[1]))
        position = np.broadcast_to(self._position(), (*rows.shape, 2))
        flat, inside = self._flat(series, rows)
        parts = [*self._own(path), self._seen(series, rows), *_shown(lags), self._future[flat] * inside[..., None], constants, position]
        return np.ascontiguousarray(np.concatenate(parts, -1, dtype=np.float32).swapaxes(0, 1))

    def _own(self, path: Numbers, step: slice = ALL) -> Iterator[NDArray[Any]]:
        """The number of each step, or if recursive of the one before it, and whether it is there."""
        own = path[:, self.shape.reach - self.shape.recursive :][:, : self.shape.steps][:, step]
        yield from (_plain(own), ~np.isnan(own))

    def _seen(self, series: Places, rows: Places) -> NDArray[np.float32]:
        """What `past` columns say of the step, or if recursive of the one before it; nothing in the horizon."""
        at = rows - self.shape.recursive
        flat, inside = self._flat(series, at)
        return self._behind[flat] * (inside & (at < rows[:, self.shape.context, None]))[..., None]

    def _position(self) -> NDArray[np.float32]:
        """Whether a step is to be forecast, and how far ahead it is; nothing of it where each step is forecast from the one before."""
        ahead = np.zeros_like(self._steps) if self.shape.recursive else np.maximum(self._steps + 1, 0)
        return np.stack([ahead > 0, ahead / self.shape.horizon], -1).astype(np.float32)


def _plain(numbers: Numbers) -> Numbers:
    """Scaled numbers as a network reads them: 0 where there is none."""
    return np.clip(np.where(np.isnan(numbers), 0, numbers), -FAR, FAR)


def _shown(lags: Lags) -> Iterator[NDArray[Any]]:
    """What was one season before, the mean of some seasons, and whether there is one."""
    for last, mean in lags:
        yield from (_plain(last), _plain(mean), ~np.isnan(mean))
