"""Pictures of where a network looked while it wrote."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from unrolled.inspect.draw.expecting import INCH
from unrolled.inspect.draw.style import drawn, name_steps, new_figure, shown

SIDE, ACROSS = 1.7, 6
"""Inches of the longer side of a picture, and how many stand side by side."""

MOMENTS = 6
"""Frames of a video that are shown."""

EDGE = "#8a94a3"
"""The colour of the edge of a picture."""

DIMMED = 0.25
"""How much of the light is left where nothing was looked at."""


@drawn
def attending(picture: np.ndarray, written: Sequence[str], maps: np.ndarray) -> Figure:
    """A picture `[H, W, C]` of bytes, and once for each symbol that was written, light where it was looked at: weights `[written, h, w]`, of which
    the largest of each is as light as the picture; an edge around each shows where a light one ends on paper."""
    colours = np.repeat(picture, 3, 2) if picture.shape[2] == 1 else picture
    panels = len(written) + 1
    across, down = min(panels, ACROSS), -(-panels // ACROSS)
    high, wide = (side / max(picture.shape[:2]) * SIDE for side in picture.shape[:2])
    figure = new_figure(max(across * wide, 2.4), down * (high + 0.3))
    places = figure.subplots(down, across, squeeze=False).flat
    for axes in places:
        axes.set_axis_off()
    panels_of = list(zip(figure.axes, ("", *written), (None, *maps), strict=False))
    for axes, symbol, weights in panels_of:
        lit = colours if weights is None else (colours * _light(weights, picture.shape[:2])[..., None]).astype(np.uint8)
        axes.imshow(lit, interpolation="nearest")
        axes.set_axis_on()
        axes.set(xticks=(), yticks=())
        axes.spines[:].set(visible=True, color=EDGE, linewidth=0.6)
        axes.set_title(shown(symbol.strip(" ") or symbol), fontsize=9, pad=2)
    return figure


def _light(weights: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """How light each pixel `[H, W]` is for weights of places `[h, w]`: from `DIMMED` to 1 where the largest is."""
    rows, columns = (np.minimum(np.arange(n) * k // n, k - 1) for n, k in zip(size, weights.shape, strict=True))
    spread = weights[rows[:, None], columns]
    return DIMMED + (1 - DIMMED) * spread / max(float(weights.max()), np.finfo(np.float32).tiny)


@drawn
def watching(frames: np.ndarray, written: Sequence[str], weights: np.ndarray) -> Figure:
    """Weights `[written, T]` of the frames `[T, H, W, C]` of a video, dark is much, with some of these above them, each over its time."""
    steps = len(frames)
    figure = new_figure(max(1.8 + SIDE * MOMENTS, 1.8 + INCH * steps), SIDE + 0.8 + INCH * len(written))
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(SIDE, INCH * len(written)))
    some = np.unique(np.linspace(0, steps - 1, min(MOMENTS, steps)).astype(int))
    half = 0.45 * steps / len(some)
    for place in some:
        colours = np.repeat(frames[place], 3, 2) if frames.shape[3] == 1 else frames[place]
        left = min(max(place - half, -0.5), steps - 0.5 - 2 * half)
        above.imshow(colours, extent=(left, left + 2 * half, 0, 1), aspect="auto", interpolation="nearest")
    above.set_axis_off()
    above.set_ylim(0, 1)
    below.imshow(weights, cmap="Greys", vmin=0, vmax=float(weights.max()), aspect="auto", interpolation="none")
    below.set_xlim(-0.5, steps - 0.5)
    below.set_xlabel("frame")
    name_steps(below, [symbol.strip(" ") or symbol for symbol in written], most=len(written), vertical=True)
    below.grid(False)
    return figure
