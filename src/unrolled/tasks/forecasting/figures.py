"""Pictures of forecasts: fans, and forecasts from several origins beside what came. They need matplotlib: import this where they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unrolled.inspect.draw.style import MARK, PALETTE, WIDE, drawn, new_figure
from unrolled.labels import literal
from unrolled.tasks.measures.forecasts import Numbers, intervals

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


@dataclass(frozen=True)
class Origins:
    """One number of one series that came, `true` at `times`, and its `fans` from several origins, whose pasts are not drawn."""

    name: str
    times: Times
    true: Numbers
    fans: Sequence[Fan]


@drawn
def draw_fans(fans: Sequence[Fan], of: int | None = None) -> Figure:
    """A panel for each fan, at most `MOST_PANELS` of so many: past, forecast with bands of its intervals, and what came."""
    figure, panels = _panels(len(fans), of)
    for number, (fan, axes) in enumerate(zip(fans, panels, strict=False)):
        axes.plot(fan.past_times, fan.past, color=PALETTE["ink"], linewidth=1.1, label="past")
        if fan.true is not None:
            axes.plot(fan.times, fan.true, color=PALETTE["orange"], linewidth=1.3, label="what came", zorder=4)
        _draw_forecast(axes, _joined(fan), PALETTE["blue"])
        _finish(axes, fan.name, named=number == 0)
    return figure


@drawn
def draw_backtest(numbers: Sequence[Origins]) -> Figure:
    """A panel for each number, at most `MOST_PANELS`: forecasts from several origins over what came."""
    figure, panels = _panels(len(numbers))
    for number, (each, axes) in enumerate(zip(numbers, panels, strict=False)):
        axes.plot(each.times, each.true, color=PALETTE["ink"], linewidth=1.1, label="what came", zorder=4)
        for fan in each.fans:
            _draw_forecast(axes, fan, PALETTE["blue"])
            axes.axvline(fan.times[0], **MARK)
        _finish(axes, each.name, named=number == 0)
    return figure


def _panels(count: int, of: int | None = None) -> tuple[Figure, Sequence[Axes]]:
    """A figure with so many panels, but at most `MOST_PANELS`, which says of how many these are the first."""
    shown, of = min(count, MOST_PANELS), of or count
    figure = new_figure(WIDE, (2.4 if shown > 1 else 2.8) * shown + 0.6)
    if of > shown:
        figure.supxlabel(f"the first {shown} of {of:,}", fontsize=9)
    return figure, [*figure.subplots(shown, 1, squeeze=False)[:, 0]]


def _joined(fan: Fan) -> Fan:
    """A fan that begins at the last number of the past, if that is known."""
    if not len(fan.past) or np.isnan(fan.past[-1]):
        return fan
    last = fan.past[-1:]
    return replace(
        fan,
        times=np.concatenate([fan.past_times[-1:], fan.times]),
        points=np.concatenate([last, fan.points]),
        quantiles=np.concatenate([np.broadcast_to(last, (1, len(fan.levels))), fan.quantiles]),
    )


def _draw_forecast(axes: Axes, fan: Fan, colour: str) -> None:
    """The points and the intervals, widest and palest first, as opaque tints, so that a band has the colour that the legend shows."""
    axes.plot(fan.times, fan.points, color=colour, linewidth=1.6, label="forecast", zorder=3)
    for rank, (share, (low, high)) in enumerate(reversed(intervals(fan.levels).items())):
        tint = 1 - (1 - np.array(to_rgb(colour))) * min(0.15 + 0.15 * rank, 0.6)
        axes.fill_between(
            fan.times, fan.quantiles[:, low], fan.quantiles[:, high], color=tuple(tint), linewidth=0, label=f"{share:.0%} interval"
        )


def _finish(axes: Axes, name: str, *, named: bool) -> None:
    """Title, dates along x, and what lines and bands mean, each of which is said once."""
    axes.set_title(literal(name), loc="left", fontsize=10)
    axes.margins(x=0.01)
    if np.issubdtype(np.asarray(axes.lines[0].get_xdata()).dtype, np.datetime64):
        locator = AutoDateLocator(minticks=4, maxticks=9)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    if named:
        handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        axes.legend(handles.values(), handles, loc="lower right", bbox_to_anchor=(1, 1), ncols=len(handles), borderaxespad=0.2)
