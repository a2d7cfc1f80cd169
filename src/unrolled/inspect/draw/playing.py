"""A picture of a piece of music."""

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unrolled.inspect.draw.style import MARK, drawn, new_figure

INCHES, LEAST, WIDEST, HEIGHT = 0.35, 5.0, 40.0, 4.0
"""Inches of a quarter note, the least and the most of a picture, and its height."""

_C, _OCTAVE = 60, 12
_MOST = 0.98
"""The part of the notes whose surprise the colours reach up to."""


@drawn
def roll(notes: np.ndarray, surprise: np.ndarray | None = None, bar: float | None = None, pickup: float = 0.0) -> Figure:
    """Notes `[N, 3]`, when each begins and ends, in quarter notes, and its pitch, as a piano roll; darker where the `surprise` `[N]`, in nats, was larger.
    `bar` are the quarter notes of a bar, and `pickup` those before the first one."""
    end = float(notes[:, 1].max(initial=1))
    figure = new_figure(float(np.clip(1.6 + INCHES * end, LEAST, WIDEST)), HEIGHT)
    axes = figure.subplots()
    boxes = [Rectangle((begin, pitch - 0.45), stop - begin, 0.9) for begin, stop, pitch in notes]
    shades = np.ones(len(notes)) if surprise is None else surprise
    most = float(np.quantile(shades, _MOST)) if len(shades) else 1.0
    found = PatchCollection(boxes, cmap="viridis_r", linewidths=0.3, edgecolors="white", zorder=3)
    found.set_array(shades)
    found.set_clim(0, max(most, 1e-3))
    axes.add_collection(found)
    if surprise is not None:
        figure.colorbar(found, ax=axes, label="surprise (nats)", pad=0.02, extend="max")
    for line in np.arange(pickup, end, bar) if bar else ():
        axes.axvline(line, **MARK)
    low, high = (float(notes[:, 2].min()), float(notes[:, 2].max())) if len(notes) else (_C, _C)
    axes.set_xlim(0, end)
    axes.set_ylim(low - 1, high + 1)
    octaves = np.arange(low // _OCTAVE * _OCTAVE, high + 1, _OCTAVE)
    octaves = octaves[octaves >= low - 1]
    axes.set_yticks(octaves, [f"C{int(pitch) // _OCTAVE - 1}" for pitch in octaves])
    axes.set_xlabel("quarter notes")
    axes.grid(axis="x", visible=False)
    return figure
