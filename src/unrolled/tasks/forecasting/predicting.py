"""What a network says of the steps to come of windows, in the units of the series."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.columns import Places
from unrolled.data.panels import Window, Windows
from unrolled.models import NUMBERS, StepsAhead
from unrolled.models.arrangements.steps_ahead import SCALE
from unrolled.tasks.forecasting.conformal import Calibration
from unrolled.tasks.measures.forecasts import Forecasts

AT_ONCE = 256
"""Windows, or paths of them, that are forecast together."""

SAMPLES = 200
"""Paths that are drawn of each window."""

_ROUNDED = 1e-4
"""A part of a count that comes of rounding."""


def batch_of(window: Window, counts: bool, device: torch.device) -> Batch:
    """Windows as a network takes them, with their targets."""
    fields = {NUMBERS: torch.from_numpy(window.numbers)}
    if counts:
        fields[SCALE] = torch.from_numpy(window.scale.astype(np.float32))[None]
    return Batch(fields, targets=torch.from_numpy(window.targets)).to(device)


class Forecaster:
    """A network and the way in which it forecasts the windows of one shape; `samples` paths are drawn of each where it feeds on its own draws."""

    def __init__(self, model: StepsAhead, samples: int = SAMPLES, seed: int = 0) -> None:
        self.model, self.samples, self.seed = model, samples, seed

    @property
    def levels(self) -> tuple[float, ...]:
        """Those of the quantiles."""
        return self.model.levels

    @property
    def factors(self) -> NDArray[np.float64]:
        """Those of the quantiles `[K, Q]`, as held-out windows showed that they must be."""
        return self.model.calibration.double().cpu().numpy()

    def calibrated(self, forecasts: Forecasts, calibration: Calibration | None = None) -> Forecasts:
        """With quantiles of a calibration, or that of training; those of counts are whole, so that as many counts lie between them."""
        found = (calibration or Calibration(self.levels, self.factors)).apply(forecasts)
        if not self.model.head.counts:
            return found
        inwards = np.where(np.array(self.levels) < 0.5, np.ceil(found.quantiles - _ROUNDED), np.floor(found.quantiles + _ROUNDED))
        return Forecasts(found.points, inwards, found.levels)

    @torch.inference_mode()
    def forecast(
        self, windows: Windows, series: Places, origins: Places, tick: Callable[[int, int], None] | None = None
    ) -> tuple[Forecasts, float, int]:
        """Forecasts of windows, not calibrated yet, and the summed loss of the targets that are known, of which there are so many."""
        points, quantiles, total, count = [], [], 0.0, 0
        step = AT_ONCE if not windows.shape.recursive else max(AT_ONCE * 16 // self.samples, 1)
        for begin in range(0, len(series), step):
            some = slice(begin, begin + step)
            window = windows.get(series[some], origins[some])
            scores, loss, known = self._read(windows, window)
            say = self._drawn if windows.shape.recursive else self._direct
            middle, spread = say(windows, window, scores)
            points.append(middle)
            quantiles.append(spread)
            total, count = total + loss, count + known
            if tick:
                tick(min(begin + step, len(series)), len(series))
        return Forecasts(np.concatenate(points), np.concatenate(quantiles), self.levels), total, count

    def _read(self, windows: Windows, window: Window) -> tuple[Tensor, float, int]:
        """The scores of the steps with targets, and their loss."""
        batch = batch_of(window, windows.shape.counts, next(self.model.parameters()).device)
        assert batch.targets is not None
        scores, _ = self.model(batch, last=len(batch.targets))
        # What a recursive network says of the context is no forecast.
        horizon, targets = scores[-windows.shape.horizon :], batch.targets[-windows.shape.horizon :]
        scale = batch[SCALE] if windows.shape.counts else None
        return horizon, float(self.model.loss_of(horizon, targets, scale=scale)), int((~targets.isnan()).sum())

    def _direct(self, windows: Windows, window: Window, scores: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Medians `[B, H, K]` and quantiles `[B, H, K, Q]`."""
        scale = torch.from_numpy(window.scale.astype(np.float32)).to(scores.device)[None] if windows.shape.counts else None
        asked = (*self.levels, 0.5)
        found = self.model.head.quantiles(scores, asked, scale).double().cpu().numpy()
        if not windows.shape.counts:
            found = found * window.scale[..., None] + window.base[..., None]
        found = found.swapaxes(0, 1)
        return found[..., -1], found[..., :-1]

    def _drawn(self, windows: Windows, window: Window, scores: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same from paths that are drawn."""
        paths = self.paths(windows, window)
        found = np.quantile(paths, (*self.levels, 0.5), axis=1, method="inverted_cdf" if windows.shape.counts else "linear")
        return found[-1], np.moveaxis(found[:-1], 0, -1)

    def paths(self, windows: Windows, window: Window) -> NDArray[np.float64]:
        """Sample paths `[B, S, H, K]` of recursive windows: each step is drawn, and the next one reads the draw."""
        shape, device = windows.shape, next(self.model.parameters()).device
        generator = torch.Generator(device=device).manual_seed(self.seed)
        past = Batch({NUMBERS: torch.from_numpy(window.numbers[: shape.context]).to(device)})
        _, state = self.model.encoder(past)
        size, count = window.numbers.shape[1], self.samples
        state = tuple(part.repeat_interleave(count, -2) for part in state)
        many = window.repeated(count)
        path = many.path.copy()
        path[:, -shape.horizon :] = np.nan
        found = np.empty((size * count, shape.horizon, path.shape[2]))
        scale = torch.from_numpy(many.scale.astype(np.float32)).to(device)[None] if shape.counts else None
        for step in range(shape.horizon):
            numbers, base = windows.refill(many, path, shape.context + step)
            scores, state = self.model(Batch({NUMBERS: torch.from_numpy(numbers)[None].to(device)}), state)
            drawn = self.model.head.sample(scores, generator, scale)[0].double().cpu().numpy()
            found[:, step] = drawn if shape.counts else drawn * many.scale + base
            path[:, path.shape[1] - shape.horizon + step] = (found[:, step] - many.centre) / many.spread
        return found.reshape(size, count, shape.horizon, -1)


def truth_of(windows: Windows, series: Places, origins: Places) -> NDArray[np.float64]:
    """What came in the horizons of windows, `[W, H, K]`; NaN where it is not known."""
    rows = windows.panel.starts[series][:, None] + origins[:, None] + np.arange(windows.shape.horizon)
    return windows.panel.values[rows]


def histories_of(windows: Windows, series: Places, origins: Places) -> list[NDArray[np.float64]]:
    """What came before the horizons of windows, each `[T, K]`."""
    starts = windows.panel.starts[series]
    return [windows.panel.values[start : start + origin] for start, origin in zip(starts, origins, strict=True)]
