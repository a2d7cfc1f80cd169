"""How pictures look, as files and inside a page."""

import functools
import io
import re
import warnings
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import MaxNLocator

from unrolled.files import replace_file
from unrolled.labels import readable

PALETTE = {
    "ink": "#1b2430",
    "quiet": "#5a6676",
    "rim": "#d4dae2",
    "blue": "#1f5fbf",
    "orange": "#c2500c",
    "green": "#0a7f52",
    "violet": "#7a3fb0",
    "red": "#b3261e",
    "teal": "#0b7285",
}
"""The colours of pictures by name. In a page each is a variable of that name, so that a page can have others in the dark."""

CYCLE = tuple(PALETTE[name] for name in ("blue", "orange", "green", "violet", "red", "teal"))
"""The colours of lines, one after the other."""

MARK: dict[str, Any] = {"color": PALETTE["quiet"], "linewidth": 0.8, "linestyle": ":"}
"""How a line is drawn that only marks something."""

WIDTH, HEIGHT, WIDE = 4.6, 3.1, 9.4
"""Of a picture, in inches, and the width of one with more than `MOST_NAMED` steps."""

DECADES = 12
"""Powers of ten that a logarithmic scale shows at most."""

MOST_INSIDE = 4
"""Up to so many lines are named inside the axes."""

MOST_NAMED = 48
"""Up to so many steps are marked by what they read, and not by their numbers."""

_RC: dict[str, Any] = {
    "axes.edgecolor": PALETTE["rim"],
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": PALETTE["ink"],
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "grid.color": PALETTE["rim"],
    "grid.linewidth": 0.6,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "text.color": PALETTE["ink"],
    "xtick.color": PALETTE["quiet"],
    "ytick.color": PALETTE["quiet"],
}
_BARE = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_IMAGE = re.compile(r' id="image[0-9a-f]+"')
_NAMED = re.compile(r'(\bid="|url\(#|href="#)')
_SIGNS = str.maketrans({"\n": "⏎", "\t": "⇥", " ": "␣"})

P = ParamSpec("P")


def drawn(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function that draws, with this style."""

    @functools.wraps(draw)
    def styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with matplotlib.rc_context(_RC):
            return draw(*args, **kwargs)

    return styled


def new_figure(width: float = WIDTH, height: float = HEIGHT) -> Figure:
    """An empty figure of a size in inches, which belongs to no window."""
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def new_axes(x: str, y: str, *, log: bool = False, whole: bool = True, wide: bool = False) -> tuple[Figure, Axes]:
    """A figure with one pair of axes and what they mean; along x there are `whole` numbers."""
    figure = new_figure(WIDE if wide else WIDTH)
    axes = figure.add_subplot()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.xaxis.set_major_locator(MaxNLocator(integer=whole))
    if log:
        axes.set_yscale("log")
    return figure, axes


def positive(values: np.ndarray) -> np.ndarray:
    """For a logarithmic scale: NaN, which leaves a gap, where nothing is."""
    return np.where(values > 0, values, np.nan)


def name_lines(axes: Axes) -> None:
    """The legend: where there is room inside, or below where there are more than `MOST_INSIDE` lines, with a figure that is higher by that."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) <= MOST_INSIDE:
        if labels:
            axes.legend()
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.set_figheight(figure.get_figheight() + 0.2 * -(-len(labels) // 2))
    figure.legend(handles, labels, loc="outside lower center", ncols=2)


def bound(axes: Axes) -> None:
    """On a logarithmic scale nothing is shown that is `DECADES` powers of ten below the largest: one that dies at once would flatten all others.
    Along x there is what is left to see then."""
    top = axes.dataLim.y1
    if not 0 < top < inf:
        return
    low = max(axes.dataLim.minposy, top * 10.0**-DECADES)
    margin = max((top / low) ** 0.05, 1.1)
    axes.set_ylim(low / margin, top * margin)
    seen = np.concatenate([np.asarray(line.get_xdata())[np.nan_to_num(np.asarray(line.get_ydata())) >= low] for line in axes.lines])
    beside = max(0.05 * np.ptp(seen), 0.5)
    axes.set_xlim(seen.min() - beside, seen.max() + beside)


def name_steps(axes: Axes, symbols: Sequence[str], *, most: int = MOST_NAMED, vertical: bool = False) -> None:
    """Mark steps by what they read, as long as there are at most so many."""
    if len(symbols) > most:
        return
    axis = axes.yaxis if vertical else axes.xaxis
    axis.set_ticks(range(len(symbols)), [shown(s) for s in symbols])
    axis.set_tick_params(length=0)
    for label, symbol in zip(axis.get_ticklabels(), symbols, strict=True):
        label.set_rotation(0 if vertical or len(symbol) == 1 else 90)


def shown(symbol: str) -> str:
    """A symbol as text, with visible blanks and without mathematics."""
    return readable(symbol).translate(_SIGNS)


def to_svg(figure: Figure, prefix: str) -> str:
    """A figure as an SVG element for a page: its ids begin with `prefix`, and colours of the palette are variables of the page."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": prefix}):
        _save(figure, buffer, format="svg", facecolor="none", metadata=_BARE)
    text = buffer.getvalue()
    # Equal images have equal ids, which nothing asks for.
    text = _NAMED.sub(rf"\1{prefix}-", _IMAGE.sub("", text[text.index("<svg") :]))
    for name, colour in PALETTE.items():
        text = text.replace(colour, f"var(--{name}, {colour})")
    return text


def save(figure: Figure, path: Path | str) -> None:
    """Write a figure; the end of `path` names the kind of picture (png, svg, pdf)."""
    path = Path(path)
    kind = path.suffix[1:].lower()
    options: dict[str, Any] = {"metadata": _BARE} if kind == "svg" else {}
    replace_file(path, lambda file: _save(figure, file, format=kind or None, dpi=160, facecolor="white", **options))


def _save(figure: Figure, target: Any, **options: Any) -> None:
    with warnings.catch_warnings():
        # Texts have letters that the font of pictures has not; a page shows them in a font of its own.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(target, **options)
