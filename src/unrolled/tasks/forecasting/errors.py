"""Forecasts that were wrong, as rows of a table."""

from collections.abc import Iterator

import numpy as np

from unrolled.data.numerals import rounded
from unrolled.data.panels import Windows
from unrolled.data.panels.layouts import UNNAMED
from unrolled.tasks.forecasting.predicting import histories_of, truth_of
from unrolled.tasks.forecasting.reading import HeldOut
from unrolled.tasks.measures.forecasts import Forecasts
from unrolled.tasks.mistakes import AROUND, Mistake


def errors_of(windows: Windows, held: HeldOut, said: Forecasts) -> Iterator[Mistake]:
    """A row for each step of each target whose number is known and is not the median: its series and time, the last numbers before the window, the
    number, the median and the quantiles, how many steps ahead it was said, and how far the median is off."""
    panel, asked = held.panel, (windows, held.series, held.origins)
    true, before = truth_of(*asked), histories_of(*asked)
    wrong = ~np.isnan(true) & (true != said.points)
    for window, step, target in zip(*np.nonzero(wrong), strict=True):
        series = int(held.series[window])
        time = panel.clock.style.text(panel.times(series, int(held.origins[window]) + int(step), 1)[0])
        name, number, point = panel.names[series], true[window, step, target], said.points[window, step, target]
        yield {
            "place": time if name == UNNAMED else f"{name}, {time}",
            "input": " ".join(rounded(value) for value in before[window][-2 * AROUND :, target]),
            "label": rounded(number),
            "answer": rounded(point),
            **({"target": panel.targets[target]} if len(panel.targets) > 1 else {}),
            "ahead": int(step) + 1,
            **{f"q{level:g}": rounded(value) for level, value in zip(said.levels, said.quantiles[window, step, target], strict=True)},
            "error": float(rounded(abs(number - point))),
        }
