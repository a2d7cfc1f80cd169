"""A picture of what was heard, and when it was said."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.inspect.draw.style import PALETTE, drawn, new_figure

INCHES, WIDEST, HEIGHT = 2.2, 40.0, 3.6
"""Inches of a second, the most of a picture, and its height."""

Spoken = tuple[str, float, float]
"""A text, and the seconds from which and up to which it is said."""


@drawn
def spoken(frames: np.ndarray, step: float, words: Sequence[Spoken], symbols: Sequence[Spoken]) -> Figure:
    """Log energies `[T, M]`, a frame every `step` seconds, dark where it is loud; under them the symbols and the words, where they are said."""
    seconds = len(frames) * step
    figure = new_figure(min(1.2 + INCHES * seconds, WIDEST), HEIGHT)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.imshow(frames.T, cmap="Greys", aspect="auto", origin="lower", extent=(0, seconds, 0, frames.shape[1]), interpolation="none")
    above.set_ylabel("mel band")
    above.grid(False)
    for _, begin, end in words:
        for axes in (above, below):
            axes.axvspan(begin, end, color=PALETTE["blue"], alpha=0.12, linewidth=0)
    _write(below, symbols, 0.75, "ink")
    _write(below, words, 0.25, "blue")
    below.set_xlabel("seconds")
    below.set_xlim(0, seconds)
    below.set_ylim(0, 1)
    below.set_yticks([0.25, 0.75], ["words", "symbols"])
    below.grid(False)
    return figure


def _write(axes: Axes, texts: Sequence[Spoken], height: float, colour: str) -> None:
    for text, begin, end in texts:
        shown = text.replace(" ", "␣").replace("$", r"\$")
        axes.text((begin + end) / 2, height, shown, ha="center", va="center", color=PALETTE[colour], fontsize=9)
