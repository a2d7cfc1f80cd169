"""A picture of what a network looked at while it wrote."""

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from unrolled.errors import ConfigError
from unrolled.tasks.translation.trained import Translation

INCH = 0.32
"""Of a symbol."""


def draw_alignment(said: Translation, path: Path) -> None:
    """Draw the weights of a translation: a column for each symbol that was read, a row for each that was written; dark is much.

    The end of `path` names the kind of picture (png, svg, pdf). `ConfigError` for a network without attention.
    """
    if said.weights is None:
        raise ConfigError("This network has no attention, so there is nothing to draw. Train one with `--attention general`.")
    rows, columns = said.weights.shape
    figure = Figure(figsize=(1.5 + INCH * columns, 1.2 + INCH * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    image = axes.imshow(said.weights, cmap="Greys", vmin=0, vmax=1, aspect="equal")
    axes.set_xticks(range(columns), map(_label, said.read))
    axes.xaxis.tick_top()
    for label in axes.get_xticklabels():
        label.set_rotation(90 if len(label.get_text()) > 1 else 0)
    axes.set_yticks(range(rows), map(_label, said.written))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.6, label="weight")
    figure.savefig(path, dpi=144)


def _label(symbol: str) -> str:
    """A symbol without the blank before it, unless it is one, and without mathematics."""
    return (symbol.strip() or "␣").replace("$", r"\$")
