"""Pictures of forecasts: fans, and forecasts from several origins beside what came. They need matplotlib: import this where they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unrolled.inspect.draw.style import MARK, PALETTE, WIDE, drawn, new_figure
from unrolled.tasks.measures.forecasts import Numbers, shares
from unrolled.training.plot import literal

Times = NDArray[Any]
"""Times `datetime64`, or numbers where there are none."""

MOST_PANELS = 6
"""Series, or numbers of one, that are drawn at most."""


@dataclass(frozen=True)
class Fan:
    """One number of one series: its `past` `[P]` at `past_times`, the forecast `points` `[H]` with `quantiles` `[H, Q]` at `levels`, and what came, if it is known."""

    name: str
    past_times: Times
    past: Numbers
    times: Times
    points: Numbers
    quantiles: Numbers
    levels: tuple[float, ...]
    true: Numbers | None = None


@drawn
def draw_fans(fans: Sequence[Fan]) -> Figure:
    """A panel for each fan, at most `MOST_PANELS`: past, forecast with bands of its intervals, and what came."""
    shown = fans[:MOST_PANELS]
    figure = new_figure(WIDE, 2.6 * len(shown) + 0.4)
    for fan, axes in zip(shown, figure.subplots(len(shown), 1, squeeze=False)[:, 0], strict=True):
        axes.plot(fan.past_times, fan.past, color=PALETTE["ink"], linewidth=1.1, label="past")
        _bands(axes, fan, PALETTE["blue"], named=True)
        axes.plot(fan.times, fan.points, color=PALETTE["blue"], linewidth=1.8, label="forecast", zorder=3)
        if fan.true is not None:
            axes.plot(fan.times, fan.true, color=PALETTE["orange"], linewidth=1.2, linestyle="--", label="what came", zorder=4)
        _finish(axes, fan.name)
    return figure


@drawn
def draw_backtest(name: str, times: Times, true: Numbers, fans: Sequence[Fan]) -> Figure:
    """Forecasts of one number from several origins, whose pasts are not drawn, over what came at `times`."""
    figure = new_figure(WIDE, 3.4)
    axes = figure.add_subplot()
    axes.plot(times, true, color=PALETTE["ink"], linewidth=1.1, label="what came", zorder=3)
    for number, fan in enumerate(fans):
        colour = PALETTE["blue" if number % 2 == 0 else "orange"]
        _bands(axes, fan, colour, named=number == 0)
        axes.plot(fan.times, fan.points, color=colour, linewidth=1.6, label="forecast" if number == 0 else None, zorder=4)
        axes.axvline(fan.times[0], **MARK)
    _finish(axes, name)
    return figure


def _bands(axes: Axes, fan: Fan, colour: str, *, named: bool) -> None:
    """The intervals, widest and faintest first."""
    rounded = [round(level, 6) for level in fan.levels]
    for share in reversed(shares(fan.levels)):
        low, high = (fan.quantiles[:, rounded.index(round((1 + sign * share) / 2, 6))] for sign in (-1, 1))
        label = f"{share:.0%} interval" if named else None
        axes.fill_between(fan.times, low, high, color=colour, alpha=0.12 + 0.2 * (1 - share), linewidth=0, label=label)


def _finish(axes: Axes, name: str) -> None:
    axes.set_title(literal(name), loc="left", fontsize=10)
    axes.margins(x=0.01)
    if np.issubdtype(np.asarray(axes.lines[0].get_xdata()).dtype, np.datetime64):
        locator = AutoDateLocator(minticks=4, maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.legend(loc="upper left", ncols=4)
