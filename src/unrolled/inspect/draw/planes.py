"""What a convolutional layer does with frames, as maps."""

from collections.abc import Mapping
from math import copysign, inf, isfinite

import numpy as np
from matplotlib.figure import Figure

from unrolled.inspect.draw.style import drawn, new_figure

MOST, SIDE = 10, 0.95
"""Frames that are drawn at most, and the inches of each."""


@drawn
def planes(frames: np.ndarray, lines: Mapping[str, np.ndarray], bounds: Mapping[str, tuple[float, float]]) -> Figure:
    """The frames `[T, H, W]`, evenly spaced if there are many, and below each a map `[T, h, w]` of each line of a cell, between `bounds` or about 0."""
    shown = np.unique(np.linspace(0, len(frames) - 1, min(len(frames), MOST)).round().astype(int))
    figure = new_figure(SIDE * len(shown) + 1.2, SIDE * (1 + len(lines)) + 0.4)
    grid = figure.subplots(1 + len(lines), len(shown), squeeze=False)
    for row, (name, values) in enumerate((("frame", frames), *lines.items())):
        low, high = bounds.get(name, (-inf, inf)) if row else (frames.min(), frames.max())
        widest = np.abs(values).max() or 1.0
        low, high = (bound if isfinite(bound) else copysign(widest, bound) for bound in (low, high))
        colours = "Greys_r" if not row else "viridis" if low == 0 else "RdBu_r"
        for axes, frame in zip(grid[row], shown.tolist(), strict=True):
            axes.imshow(values[frame], cmap=colours, vmin=low, vmax=high, interpolation="none")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.grid(False)
            if not row:
                axes.set_title(str(frame), fontsize=8)
        grid[row, 0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure
