"""Windows of series, many at once: what a network reads of a context and of the steps after it, scaled by the context alone."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.panels.bases import Bases, Path, centre_and_spread, mixed, size_of
from unrolled.data.panels.codec import PanelCodec
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.shape import NOTHING, Numbers, WindowShape

FAR, NEAR = 25.0, 10.0
"""Scaled numbers beyond it are read as it: a context that is nearly constant makes everything else far away. What lies above a base is so often large that
the limit is nearer."""


@dataclass(frozen=True)
class Window:
    """B windows of T = context + horizon steps.

    `numbers` `[T, B, F]` is what is read. `targets` `[T', B, K]` are the numbers of the last T' steps that are to be said, NaN where they are not
    known: by how many `scale` `[B, K]` they lie above `base` `[T', B, K]`, or counts as they are. `centre` and `spread` `[B, K]` scale what is
    read. `path` `[B, R, K]` are the scaled numbers from `reach` steps before the context on, and `weights` `[C, B, K]` say how much of each
    simple forecast the base has.
    """

    numbers: NDArray[np.float32]
    targets: Numbers
    base: Numbers
    scale: Numbers
    centre: Numbers
    spread: Numbers
    path: Numbers
    weights: Numbers

    def repeated(self, count: int) -> "Window":
        """Each window so many times, one after the other."""
        beside = {name: np.repeat(getattr(self, name), count, 1) for name in ("numbers", "targets", "base", "weights")}
        alone = {name: np.repeat(getattr(self, name), count, 0) for name in ("scale", "centre", "spread", "path")}
        return replace(self, **beside, **alone)


class Windows:
    """The windows of a panel, which must have as many rows after each history as the horizon has steps.

    Nothing of a window but its `targets` depends on what comes after its context, save `known` columns; of recursive ones also what is read in
    the horizon does, as each step reads the number before it.
    """

    def __init__(self, panel: Panel, codec: PanelCodec, shape: WindowShape) -> None:
        self.panel, self.shape, self.bases, self._gaps = panel, shape, Bases(shape), codec.gaps
        self._future, self._behind, self._constants = codec.future(panel), codec.behind(panel), codec.constants(panel)
        self._steps = np.arange(-shape.context, shape.horizon)

    @property
    def width(self) -> int:
        """How many numbers are read at each step."""
        return self._own_width + self._behind.shape[1] + self._future.shape[1] + self._constants.shape[1] + 2

    @property
    def _own_width(self) -> int:
        return (len(self.bases.kinds) + 5 + self._gaps) * len(self.panel.targets)

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
        whole = Path(path)
        simple = self.bases.simple(whole, self.bases.near)
        weights, error = self.bases.weigh(whole, simple)
        above = mixed(simple, weights)
        size = np.ones_like(spread) if shape.base == NOTHING else size_of(error)
        base, scale = above[:, -shape.said :] * spread[:, None] + centre[:, None], size * spread
        truth = np.concatenate([past, future], 1)[:, -shape.said :]
        targets = truth if shape.counts else (truth - base) / scale[:, None]
        parts: list[NDArray[Any]] = [
            self._own(whole, slice(-shape.steps - 1, None), simple, above, size),
            self.beside(series, rows, origins),
        ]
        parts.append(np.broadcast_to(self._position(), (*rows.shape, 2)))
        numbers = np.ascontiguousarray(np.concatenate(parts, -1, dtype=np.float32).swapaxes(0, 1))
        return Window(numbers, targets.swapaxes(0, 1), base.swapaxes(0, 1), scale, centre, spread, path, weights)

    def refill(
        self, window: Window, path: Numbers, step: int, beside: NDArray[np.float32] | None = None
    ) -> tuple[NDArray[np.float32], Numbers]:
        """What is read at a step `[B, F]` of recursive windows where the numbers before it are those of a `path`, and the base of the step, `[B, K]`.

        `beside` is what the columns beside them say of the step, if it is more than the window knew, as `beside` gives it.
        """
        begin = self.shape.looked - self.shape.context + step
        whole, place = Path(path), self.shape.reach + step
        simple = self.bases.simple(whole, slice(begin - 1, begin + 1))
        above = mixed(simple, window.weights)
        numbers = window.numbers[step].copy()
        own = self._own(whole, slice(place - 1, place + 1), simple, above, window.scale / window.spread)
        numbers[:, : self._own_width] = own[:, 0]
        if beside is not None:
            numbers[:, self._own_width :][:, : beside.shape[1]] = beside
        return numbers, above[:, 1] * window.spread + window.centre

    def _numbers(self, series: Places, origins: Places) -> Numbers:
        """The numbers from `reach` steps before the context on, `[B, R, K]`; NaN before and after a series."""
        rows = origins[:, None] + np.arange(-self.shape.context - self.shape.reach, self.shape.horizon)
        flat, inside = self._flat(series, rows)
        return np.where(inside[..., None], self.panel.values[flat], np.nan)

    def _flat(self, series: Places, rows: Places) -> tuple[Places, NDArray[np.bool_]]:
        """Where rows of series stand in flat arrays, and whether there are such rows."""
        inside = (rows >= 0) & (rows < self.panel.sizes[series][:, None])
        return self.panel.starts[series][:, None] + np.where(inside, rows, 0), inside

    def beside(self, series: Places, rows: Places, until: Places) -> NDArray[np.float32]:
        """What calendar and columns say of some rows `[B, T]` of series, `[B, T, F]`; `past` ones only of those before row `until` `[B]`."""
        constants = np.broadcast_to(self._constants[series][:, None], (*rows.shape, self._constants.shape[1]))
        flat, inside = self._flat(series, rows)
        return np.concatenate([self._seen(series, rows, until), self._future[flat] * inside[..., None], constants], -1)

    def _own(self, path: Path, steps: slice, simple: Numbers, above: Numbers, size: Numbers) -> Numbers:
        """What is read of the targets themselves at some steps of a path, but the first of them, `[B, T, F]`: the number of each step, or if recursive of the
        one before it, and whether it is there; the base; in the scale of what is learnt, how far the number lies above its base, and each simple forecast
        above that of the step; and where gaps were learnt, how long ago the last number was.
        """
        at = slice(None, -1) if self.shape.recursive else slice(1, None)
        own, size = path.numbers[:, steps][:, at], size[:, None]
        apart = [(each[:, 1:] - above[:, 1:]) / size for each in simple]
        parts = [(own - above[:, at]) / size, *apart, np.broadcast_to(np.log(size), own.shape)]
        read: list[Numbers] = [
            _plain(own),
            np.where(np.isnan(own), 0.0, 1.0),
            _plain(above[:, 1:]),
            *(_plain(part, NEAR) for part in parts),
            *([np.log1p(path.since[:, steps][:, at])] if self._gaps else []),
        ]
        return np.concatenate(read, -1)

    def _seen(self, series: Places, rows: Places, until: Places) -> NDArray[np.float32]:
        """What `past` columns say of the step, or if recursive of the one before it."""
        at = rows - self.shape.recursive
        flat, inside = self._flat(series, at)
        return self._behind[flat] * (inside & (at < until[:, None]))[..., None]

    def _position(self) -> NDArray[np.float32]:
        """Whether a step is to be forecast, and how far ahead it is; nothing of it where each step is forecast from the one before."""
        ahead = np.zeros_like(self._steps) if self.shape.recursive else np.maximum(self._steps + 1, 0)
        return np.stack([ahead > 0, ahead / self.shape.horizon], -1).astype(np.float32)


def _plain(numbers: Numbers, most: float = FAR) -> Numbers:
    """Scaled numbers as a network reads them: 0 where there is none."""
    return np.clip(np.where(np.isnan(numbers), 0, numbers), -most, most)
