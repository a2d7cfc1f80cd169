"""Pictures of gates and units."""

from collections.abc import Sequence
from math import copysign, inf, isfinite

import numpy as np
from matplotlib.figure import Figure

from unrolled.inspect.draw.style import MARK, WIDE, drawn, name_steps, new_axes, new_figure
from unrolled.inspect.gating import Gates
from unrolled.labels import literal

MOST_UNITS, FEW_UNITS, MOST_STEPS = 48, 12, 240
"""Units, evenly spaced, also of a small picture, and steps, the last ones, that are drawn."""


@drawn
def gates(found: Gates, symbols: Sequence[str] = (), *, small: bool = False) -> Figure:
    """A heat map of every gate and state of the first sequence: a row for each unit, a column for each step."""
    length = int(found.lengths[0])
    first = max(0, length - MOST_STEPS)
    most = FEW_UNITS if small else MOST_UNITS
    figure = new_figure(WIDE, 0.5 + (0.6 if small else 1.35) * len(found))
    rows = figure.subplots(len(found), squeeze=False)[:, 0]
    for axes, (name, values) in zip(rows, found.items(), strict=True):
        units = np.linspace(0, values.shape[2] - 1, min(values.shape[2], most)).round().astype(int)
        shown = values[first:length, 0, units].T
        widest = np.abs(shown).max() or 1
        low, high = (b if isfinite(b) else copysign(widest, b) for b in found.bounds.get(name, (-inf, inf)))
        colours = "viridis" if low == 0 else "RdBu_r"
        extent = (first - 0.5, length - 0.5, values.shape[2] - 0.5, -0.5)
        image = axes.imshow(shown, aspect="auto", cmap=colours, vmin=low, vmax=high, interpolation="none", extent=extent if first else None)
        axes.set_ylabel(name if small else f"{name}\nunit", rotation=0, ha="right", va="center")
        axes.set_yticks([])
        axes.grid(False)
        axes.tick_params(labelbottom=axes is rows[-1])
        ticks = [low, high] if small else None
        figure.colorbar(
            image, ax=axes, pad=0.01, aspect=4 if small else 8, ticks=ticks, format="%.2g" if small else None
        ).outline.set_visible(False)
    if not first:
        name_steps(rows[-1], symbols)
    return figure


@drawn
def saturation(found: Gates) -> Figure:
    """For each unit of each gate the part of the steps at which it is at its lower and at its upper end (Karpathy et al. 2016)."""
    figure, axes = new_axes("part of the steps at the lower end", "at the upper end", whole=False)
    ends = found.saturation
    for name, left in ends.left.items():
        axes.scatter(left, ends.right[name], s=14, alpha=0.6, label=literal(name), linewidth=0)
    axes.plot([0, 1], [1, 0], **MARK)
    axes.set_xlim(-0.03, 1.03)
    axes.set_ylim(-0.03, 1.03)
    axes.legend(loc="upper right", handletextpad=0.1)
    return figure
