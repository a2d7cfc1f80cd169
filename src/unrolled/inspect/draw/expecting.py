"""Pictures of what is expected, and of what a network looks at."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from unrolled.inspect.draw.style import MOST_NAMED, drawn, name_steps, new_axes, new_figure
from unrolled.inspect.predicting import Predictions

INCH = 0.32
"""Of a symbol."""


@drawn
def surprise(found: Predictions, symbols: Sequence[str] = ()) -> Figure:
    """The surprise at every symbol of the first sequence, in bits."""
    figure, axes = new_axes("step", "bits of surprise", wide=len(symbols) > MOST_NAMED)
    bits = found.surprise[:, 0]
    if len(bits) <= 120:
        axes.bar(range(len(bits)), np.nan_to_num(bits))
    else:
        axes.plot(bits, linewidth=0.8)
    name_steps(axes, symbols)
    return figure


@drawn
def attention(weights: np.ndarray, read: Sequence[str], written: Sequence[str]) -> Figure:
    """Weights `[written, read]`: a column for each symbol that was read, a row for each that was written; dark is much."""
    rows, columns = weights.shape
    figure = new_figure(1.5 + INCH * columns, 1.2 + INCH * rows)
    axes = figure.add_subplot()
    image = axes.imshow(weights, cmap="Greys", vmin=0, vmax=1, aspect="equal", interpolation="none")
    name_steps(axes, _parts(read), most=columns)
    name_steps(axes, _parts(written), most=rows, vertical=True)
    axes.xaxis.tick_top()
    axes.grid(False)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.6, label="weight")
    return figure


def _parts(symbols: Sequence[str]) -> list[str]:
    """Parts of words without the blank before them; a blank alone stays."""
    return [symbol.strip(" ") or symbol for symbol in symbols]
