"""A run as pictures: its losses, and what was seen where it was watched. Colours and sizes are those that matplotlib is set to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.extras import extra
from unrolled.training.checkpoint import save_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Records = Sequence[Mapping[str, Any]]

_LONGEST = 60

SIZE = (7.0, 4.2)
"""In inches, if nothing is said."""


def plot_losses(path: Path, records: Records, unit: str) -> None:
    """Draw training and held-out loss against updates into a PNG; nothing if there is nothing to draw yet."""
    figure = draw_losses(records, unit)
    if figure.axes[0].lines:
        save_whole(path, lambda file: figure.savefig(file, format="png", dpi=120))


def draw_losses(records: Records, unit: str = "loss", size: tuple[float, float] = SIZE) -> "Figure":
    """Training and held-out loss against updates."""
    figure, axes = _axes(unit, size)
    for key, label, style in (("loss", "training", {"linewidth": 1.2}), ("held_out", "held out", {"marker": "o", "markersize": 4})):
        found = points(records, key)
        if found:
            axes.plot(*zip(*found, strict=True), label=f"{label}: {found[-1][1]:.3f} at the end", **style)
    return _told(figure, axes)


def draw_layers(groups: Mapping[str, np.ndarray], update: np.ndarray, what: str, size: tuple[float, float] = SIZE) -> "Figure":
    """A number of every layer, as `Readings.gradients` and `Readings.ratios` give them, against updates."""
    figure, axes = _axes(what, size)
    axes.set_yscale("log")
    for name, values in groups.items():
        axes.plot(update, np.where(values > 0, values, np.nan), label=_short(name))
    return _told(figure, axes)


def draw_gates(gates: Mapping[str, np.ndarray], update: np.ndarray, size: tuple[float, float] = SIZE) -> "Figure":
    """The parts of every gate's values at the lower and the upper end of its range, `[R, 2]`, against updates: full lines the upper end, dashed ones the lower."""
    figure, axes = _axes("part of the values at an end", size)
    for name, parts in gates.items():
        known = np.isfinite(parts[:, 1])
        (line,) = axes.plot(update[known], parts[known, 1], label=_short(name))
        axes.plot(update[known], parts[known, 0], color=line.get_color(), linestyle="--")
    return _told(figure, axes)


def literal(text: str) -> str:
    """A text for a picture: as it is, without mathematics between dollars, and no longer than can be read."""
    return (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…").replace("$", r"\$")


def points(records: Records, key: str) -> list[tuple[int, float]]:
    """The updates at which a number was recorded, and the numbers."""
    return [(r["update"], r[key]) for r in records if isinstance(r.get(key), (int, float))]


def _axes(what: str, size: tuple[float, float]) -> "tuple[Figure, Axes]":
    figure = extra("matplotlib.figure").Figure(figsize=size, layout="constrained")
    extra("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_xlabel("updates")
    axes.set_ylabel(what)
    axes.grid(alpha=0.3)
    return figure, axes


def _told(figure: "Figure", axes: "Axes") -> "Figure":
    if axes.lines:
        axes.legend(frameon=False, ncols=1 if len(axes.lines) < 5 else 2)
    return figure


def _short(name: str) -> str:
    return literal(name.replace("recurrent.", ""))
