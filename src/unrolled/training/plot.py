"""The loss over a run as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from unrolled.training.checkpoint import replace_file


def plot_losses(path: Path, records: Sequence[dict[str, Any]], unit: str) -> None:
    """Draw training and held-out loss against updates into a PNG; nothing if there is nothing to draw yet."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for key, label, style in (("loss", "training", {"linewidth": 1.2}), ("held_out", "held out", {"marker": "o", "markersize": 4})):
        points = [(r["update"], r[key]) for r in records if isinstance(r.get(key), (int, float))]
        if points:
            axes.plot(*zip(*points, strict=True), label=f"{label}: {points[-1][1]:.3f} at the end", **style)
    if not axes.lines:
        return
    axes.set_xlabel("updates")
    axes.set_ylabel(unit)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    replace_file(path, lambda aside: figure.savefig(aside, format="png", dpi=120))
