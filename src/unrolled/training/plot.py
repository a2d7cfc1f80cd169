"""A run as pictures: its losses, and what was seen where it was watched. Colours and sizes are those that matplotlib is set to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.extras import extra
from unrolled.labels import literal
from unrolled.later import Later

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from unrolled.training import checkpoint
else:
    checkpoint = Later("unrolled.training.checkpoint")

Records = Sequence[Mapping[str, Any]]

SIZE = (7.0, 4.2)
"""In inches, if nothing is said."""

WIDE = (10.0, 4.2)
"""That of two pictures side by side."""


def plot_losses(path: Path, records: Records, unit: str) -> None:
    """Draw training and held-out loss against updates into a PNG; nothing if there is nothing to draw yet."""
    figure = draw_losses(records, unit)
    if figure.axes[0].lines:
        checkpoint.save_whole(path, lambda file: figure.savefig(file, format="png", dpi=120))


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


def draw_comparison(groups: Mapping[str, Sequence[Records]], size: tuple[float, float] = WIDE) -> "Figure":
    """Held-out losses of runs against updates and against seconds: for each group of runs its mean, and a band of one standard deviation."""
    figure, left = _axes("held-out loss", size, places=121)
    right = figure.add_subplot(122, sharey=left)
    right.set_xlabel("seconds")
    right.grid(alpha=0.3)
    for axes, key in ((left, "update"), (right, "seconds")):
        for label, runs in groups.items():
            along = [found for records in runs if (found := points(records, "held_out", key))]
            if along:
                x, mean, deviation = _together(along)
                if not len(x):
                    continue
                (line,) = axes.plot(x, mean, marker="o", markersize=3, label=literal(label))
                axes.fill_between(x, mean - deviation, mean + deviation, color=line.get_color(), alpha=0.2, linewidth=0)
    _told(figure, left)
    return figure


def _together(runs: Sequence[Sequence[tuple[float, float]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where several lines were measured, their mean and standard deviation there, between the points where all are known."""
    lines = [np.array(run, float).T for run in runs]
    first, last = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
    where = np.unique(np.concatenate([x for x, _ in lines]))
    where = where[(where >= first) & (where <= last)]
    values = np.stack([np.interp(where, x, y) for x, y in lines])
    return where, values.mean(0), values.std(0, ddof=1) if len(lines) > 1 else np.zeros(len(where))


def points(records: Records, key: str, along: str = "update") -> list[tuple[int, float]]:
    """The updates, or the seconds, at which a number was recorded, and the numbers."""
    return [(r[along], r[key]) for r in records if isinstance(r.get(key), (int, float))]


def _axes(what: str, size: tuple[float, float], places: int = 111) -> "tuple[Figure, Axes]":
    figure = extra("matplotlib.figure").Figure(figsize=size, layout="constrained")
    extra("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    axes = figure.add_subplot(places)
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
