"""A picture of what was heard, and when it was said."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unrolled.inspect.draw.style import PALETTE, drawn, new_figure, shown

INCHES, WIDEST, HEIGHT, ROW = 2.2, 40.0, 3.6, 0.2
"""Inches of a second, the most of a picture, its height, and that of a row for a symbol."""

Spoken = tuple[str, float, float]
"""A text, and the seconds from which and up to which it is said."""


@drawn
def spoken(frames: np.ndarray, step: float, words: Sequence[Spoken], symbols: Sequence[Spoken], moved: np.ndarray | None = None) -> Figure:
    """Log energies `[T, M]`, a frame every `step` seconds, dark where it is loud; under them the symbols and the words, where they are said; and
    how much each frame `moved` each of the symbols, `[S, T]`, a row for each, if that is given."""
    seconds = len(frames) * step
    rows = 0 if moved is None else len(moved)
    ratios = (3, 1, 0.35 + ROW * rows) if rows else (3, 1)
    figure = new_figure(min(1.6 + INCHES * seconds, WIDEST), HEIGHT + (ROW * rows if rows else 0))
    above, below, *lowest = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios)
    above.imshow(frames.T, cmap="Greys", aspect="auto", origin="lower", extent=(0, seconds, 0, frames.shape[1]), interpolation="none")
    above.set_ylabel("mel band")
    above.grid(False)
    for _, begin, end in words:
        for axes in (above, below):
            axes.axvspan(begin, end, color=PALETTE["blue"], alpha=0.12, linewidth=0)
    _write(below, symbols, 0.75, "ink")
    _write(below, words, 0.25, "blue")
    if lowest and moved is not None:
        _draw_moved(lowest[0], moved, seconds, symbols)
    (lowest or [below])[0].set_xlabel("seconds")
    below.set_xlim(0, seconds)
    below.set_ylim(0, 1)
    below.set_yticks([0.25, 0.75], ["words", "symbols"])
    below.grid(False)
    return figure


def _draw_moved(axes: Axes, moved: np.ndarray, seconds: float, symbols: Sequence[Spoken]) -> None:
    axes.imshow(moved, cmap="Oranges", aspect="auto", vmin=0, vmax=1, extent=(0, seconds, len(moved), 0), interpolation="none")
    axes.set_yticks(np.arange(len(moved)) + 0.5, [shown(text) for text, _, _ in symbols], fontsize=8)
    axes.set_ylabel("moved by")
    axes.grid(False)


def _write(axes: Axes, texts: Sequence[Spoken], height: float, colour: str) -> None:
    for text, begin, end in texts:
        axes.text((begin + end) / 2, height, shown(text), ha="center", va="center", color=PALETTE[colour], fontsize=9)
