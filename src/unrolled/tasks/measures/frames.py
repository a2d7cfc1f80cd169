"""How near frames come to what was to come: errors of pixels, structural similarity, signal to noise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

WINDOW, DEVIATION = 11, 1.5
"""Side and standard deviation of the Gaussian window of SSIM."""

_C1, _C2 = 0.01**2, 0.03**2
_MOST_PSNR = 100.0
"""Decibels of frames without an error."""

NAMES = ("mse", "mae", "ssim", "psnr")
"""The measures, each by step."""


def measure_frames(said: Tensor, true: Tensor, scope: float = 1.0) -> NDArray[np.float64]:
    """Sums over B windows of clips of the measures of each step, `[4, F]` in the order of `NAMES`, of frames `[F, B, C, H, W]` from 0 to 1. Errors are those of
    values that go so far from each other as `scope` says."""
    said, true = said.double(), true.double()
    apart = said - true
    squares = apart.square().mean((2, 3, 4))
    similar = ssim(said.flatten(0, 1), true.flatten(0, 1)).view(squares.shape)
    noise = (-10 * squares.log10()).clamp(max=_MOST_PSNR)
    errors = scope**2 * squares, scope * apart.abs().mean((2, 3, 4))
    found: NDArray[np.float64] = torch.stack([measure.sum(1) for measure in (*errors, similar, noise)]).numpy()
    return found


def ssim(one: Tensor, other: Tensor) -> Tensor:
    """The structural similarity of frames `[N, C, H, W]` from 0 to 1, `[N]`, with a Gaussian window that lies inside the frame (Wang et al. 2004,
    "Image Quality Assessment: From Error Visibility to Structural Similarity"); in frames that are smaller than the window it is cut."""
    channels, height, width = one.shape[1:]
    rows, columns = (_gaussian(min(WINDOW, size), one) for size in (height, width))
    down, across = (window.view(shape).expand(channels, 1, -1, -1) for window, shape in ((rows, (-1, 1)), (columns, (1, -1))))

    def mean(planes: Tensor) -> Tensor:
        return functional.conv2d(functional.conv2d(planes, down, groups=channels), across, groups=channels)

    first, second = mean(one), mean(other)
    varies, also, together = mean(one * one) - first**2, mean(other * other) - second**2, mean(one * other) - first * second
    alike = (2 * first * second + _C1) / (first**2 + second**2 + _C1) * (2 * together + _C2) / (varies + also + _C2)
    return alike.mean((1, 2, 3))


def _gaussian(size: int, like: Tensor) -> Tensor:
    places = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weights = (-(places**2) / (2 * DEVIATION**2)).exp()
    return weights / weights.sum()


@dataclass(frozen=True)
class FrameScores:
    """Means over `windows` of clips of each of `NAMES` for each step, `[4, F]`: `free` of frames that were said one from the other, `forced` of those said from true ones (None of
    a network without recurrence), and those of `rivals` by name. `pixels` are those of a frame, in all channels; values go through a `range`."""

    free: NDArray[np.float64]
    forced: NDArray[np.float64] | None
    rivals: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    windows: int = 0
    pixels: int = 1
    range: tuple[float, float] = (0.0, 1.0)

    def measures(self) -> dict[str, float]:
        """Means over all steps, for the log of a run."""
        return _means(self.free)

    def to_json(self) -> dict[str, Any]:
        """Means over all steps, the same by step, with teacher forcing, and of rivals. `mse_per_frame` and `mae_per_frame` are sums over pixels."""
        found: dict[str, Any] = {**self.measures(), "windows": self.windows, "range": [*self.range]}
        found |= {f"{name}_per_frame": found[name] * self.pixels for name in NAMES[:2]}
        found["steps"] = dict(zip(NAMES, self.free.tolist(), strict=True))
        found["teacher_forcing"] = None if self.forced is None else _means(self.forced)
        found["rivals"] = {name: _means(rival) for name, rival in self.rivals.items()}
        return found

    def __str__(self) -> str:
        return ", ".join(f"{name.upper()} {value:.4g}" for name, value in self.measures().items())

    @property
    def text(self) -> str:
        """A table: free running, teacher forcing and rivals."""
        rows = {"free running": self.free, **({} if self.forced is None else {"teacher forcing": self.forced}), **self.rivals}
        lines = [f"{'':16}{''.join(f'{name.upper():>10}' for name in NAMES)}{'MSE at the last frame':>24}"]
        for name, row in rows.items():
            lines.append(f"{name:16}{''.join(f'{value:>10.4f}' for value in row.mean(1))}{row[0, -1]:>24.4f}")
        values = "" if self.range == (0, 1) else f", of values from {self.range[0]:g} to {self.range[1]:g}"
        return "\n".join([*lines, f"over {self.windows:,} windows with {self.free.shape[1]} frames to say{values}"])


def _means(steps: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(NAMES, steps.mean(1).tolist(), strict=True))
