"""Pictures with the glimpses that were taken of them, in order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unrolled.inspect.draw.style import drawn, new_figure, shown

COLUMNS, INCHES = 6, 1.9
"""Most pictures in a row, and the inches of each."""

_COLOURS = "autumn"
"""The colours of glimpses, from the first to the last."""


@dataclass(frozen=True)
class Looked:
    """A picture `[H, W, C]`, in grey or in colours, and the upper left corners `[T, 2]`, rows and columns of pixels, of the glimpses of it in order; `title` stands above it."""

    picture: np.ndarray
    corners: np.ndarray
    title: str


@drawn
def looking(looked: Sequence[Looked], size: int, scales: int = 1) -> Figure:
    """Each picture with its glimpses of `size` pixels a side, numbered from 1 on, and joined by a line from middle to middle; with several `scales`
    around each the squares that are twice as wide, and so on, thinner."""
    columns = min(COLUMNS, len(looked))
    rows = -(-len(looked) // columns)
    figure = new_figure(INCHES * columns, (INCHES + 0.25) * rows)
    every = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes in every:
        axes.set_axis_off()
    for axes, one in zip(every, looked, strict=False):
        _draw(axes, one, size, scales)
    return figure


def _draw(axes: Axes, looked: Looked, size: int, scales: int) -> None:
    axes.imshow(looked.picture.squeeze(-1) if looked.picture.shape[2] == 1 else looked.picture, cmap="Greys_r", interpolation="none")
    axes.set_title(shown(looked.title), fontsize=8)
    middles = looked.corners + (size - 1) / 2
    axes.plot(middles[:, 1], middles[:, 0], color="white", linewidth=0.6, alpha=0.7)
    for number, (top, left) in enumerate(looked.corners.tolist()):
        colour = colormaps[_COLOURS](number / max(len(looked.corners) - 1, 1))
        for side in (size * 2**scale for scale in range(scales)):
            off = side // 2 - size // 2 + 0.5
            axes.add_patch(Rectangle((left - off, top - off), side, side, fill=False, edgecolor=colour, linewidth=size / side))
        axes.text(left, top, str(number + 1), color=colour, fontsize=6, ha="left", va="top", clip_on=True)
    height, width = looked.picture.shape[:2]
    axes.set_xlim(-0.5 - size / 2, width - 0.5 + size / 2)
    axes.set_ylim(height - 0.5 + size / 2, -0.5 - size / 2)
