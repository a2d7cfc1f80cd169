"""Pictures of where the gradient goes, and of what steps do to small differences."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from unrolled.inspect.draw.style import CYCLE, MARK, bound, drawn, name_lines, new_axes, positive
from unrolled.inspect.flow import GradientFlow
from unrolled.inspect.spectrum import JacobianSpectrum, Maps
from unrolled.inspect.walk import Place, place_name
from unrolled.labels import literal

LINES = ("-", "--", ":", "-.")
"""How the lines of different places are drawn."""

MOST_AREAS = 2
"""Areas that can be told apart where they lie on each other."""


@drawn
def flow(flows: Mapping[str, GradientFlow]) -> Figure:
    """The norm of the gradient at every step and layer of the first sequence, for networks by their names: the first one in full lines."""
    figure, axes = new_axes("step", "norm of the gradient", log=True)
    for number, (name, found) in enumerate(flows.items()):
        total = found.total
        for count, (place, norms) in enumerate((p, total[p][:, 0]) for p in np.ndindex(total.shape[:2])):
            told, where = literal(name), place_name(place, total.shape)
            style: dict[str, Any] = {"linestyle": "--", "linewidth": 1.0} if number else {}
            axes.plot(positive(norms), color=CYCLE[count % len(CYCLE)], label=f"{told}, {where}" if where else told, **style)
    bound(axes)
    name_lines(axes)
    return figure


@drawn
def maps(found: Mapping[Place, Maps]) -> Figure:
    """The singular values of every recurrent map, by layer and direction, the largest first."""
    figure, axes = new_axes("number, the largest first", "singular value")
    shape = [1 + max(numbers) for numbers in zip(*found, strict=True)]
    for number, (place, values) in enumerate(found.items()):
        where = place_name(place, shape)
        for count, (name, singular) in enumerate(values.items()):
            label, colour = f"{name}, {where}" if where else name, CYCLE[count % len(CYCLE)]
            axes.plot(np.arange(1, len(singular) + 1), singular, LINES[number % len(LINES)], color=colour, label=label)
    axes.axhline(1, **MARK)
    name_lines(axes)
    return figure


@drawn
def steps(spectrum: JacobianSpectrum) -> Figure:
    """The singular values of the Jacobians of the steps over the sequence: the largest, and, of one or two places, the quartiles of all."""
    figure, axes = new_axes("step", "singular value of the step", log=True)
    for number, place in enumerate(spectrum.places):
        where = place_name(place.place, spectrum.shape)
        found = place.singular[:, 0]
        colour, where = CYCLE[number % len(CYCLE)], where and f", {where}"
        axes.plot(place.steps, positive(found[:, 0]), label=f"largest{where}", color=colour)
        if len(spectrum.places) <= MOST_AREAS:
            low, high = map(positive, np.nanpercentile(found, (25, 75), axis=1))
            axes.fill_between(place.steps, low, high, color=colour, alpha=0.25, linewidth=0, label=f"middle half{where}")
    axes.axhline(1, **MARK)
    name_lines(axes)
    return figure
