"""Frames, and the pixels of them that move an answer."""

import numpy as np
from matplotlib.figure import Figure

from unrolled.inspect.draw.style import PALETTE, drawn, new_figure

MOST, SIDE = 10, 1.05
"""Frames that are drawn at most, and the inches of each."""


@drawn
def pixels(frames: np.ndarray, moves: np.ndarray, by_frame: np.ndarray) -> Figure:
    """The frames `[T, H, W]` that move the answer most, in their order, below them how much each of their pixels `moves` it, and the part of all
    frames in it `[T]`."""
    shown = np.sort(np.argsort(by_frame, kind="stable")[::-1][:MOST])
    figure = new_figure(max(SIDE * len(shown) + 0.8, 4.0), 2 * SIDE + 1.9)
    rows = figure.add_gridspec(3, len(shown), height_ratios=(1, 1, 0.9))
    for column, frame in enumerate(shown.tolist()):
        for row, (planes, colours, most) in enumerate(((frames, "Greys_r", frames.max()), (moves, "Oranges", moves.max()))):
            axes = figure.add_subplot(rows[row, column])
            axes.imshow(planes[frame], cmap=colours, vmin=planes.min(), vmax=most, interpolation="none")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.grid(False)
            if not row:
                axes.set_title(str(frame), fontsize=8)
    below = figure.add_subplot(rows[2, :])
    below.bar(np.arange(len(by_frame)), by_frame, color=PALETTE["blue"])
    below.set_xlabel("frame")
    below.set_ylabel("part")
    return figure
