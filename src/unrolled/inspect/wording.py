"""How fast something shrinks or grows per step, and how that and a part of a whole are said."""

from collections.abc import Mapping, Sequence
from math import inf, isnan, log, nan

import numpy as np

LEAST = 1e-280
"""Below this, double precision loses digits, and a slope would be one of rounding."""

MATTERS = 1e-3
"""What is left no longer matters below this part of the largest: a long tail, which nobody sees, says nothing of how it got there."""

FEWEST_FITTED = 3
"""Values that are fitted at least, where there are so many."""

SHORT = 20
"""With fewer steps a rate may be one of the first few alone, so that their number is told with it."""

TOLD = 1e-6
"""A smaller part of a whole is not told."""


def reach(values: np.ndarray) -> int:
    """How many values, from the first, still matter: all up to the last one that is at least 0.1 % of the largest."""
    largest = values.max(initial=0, where=np.isfinite(values))
    return min(len(values), max(FEWEST_FITTED, int(np.flatnonzero(values >= MATTERS * largest).max(initial=0)) + 1))


def rate_of(distances: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The factor per step of values that shrink or grow exponentially: least squares on the logarithms of those that still matter.

    Values that are too small for double precision are left out; 0 where there are no others but at a single distance, NaN where there is
    but one distance at all. `weights` are the numbers of observations behind each.
    """
    return _slope(distances, values, weights, slice(reach(values)))


def tail_rate(distances: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The factor per step of what comes after all that still matters; NaN where there are too few values to tell."""
    rest = slice(reach(values), None)
    return _slope(distances, values, weights, rest) if (values[rest] > LEAST).sum() >= FEWEST_FITTED else nan


def _slope(distances: np.ndarray, values: np.ndarray, weights: np.ndarray | None, part: slice) -> float:
    weights = np.ones(len(values)) if weights is None else weights
    distances, values, weights = distances[part], values[part], weights[part]
    usable = np.isfinite(values) & (values > LEAST)
    if not usable.any() or np.ptp(distances) == 0:
        return nan
    d, y, w = distances[usable], np.log(values[usable]), weights[usable]
    from_mean = d - np.average(d, weights=w)
    spread = np.sum(w * from_mean**2)
    return float(np.exp(np.sum(w * from_mean * y) / spread)) if spread else 0.0


def half_life(rate: float) -> float:
    """Steps in which something is halved; infinite if it does not shrink."""
    return nan if isnan(rate) else inf if rate >= 1 else 0.0 if rate == 0 else log(0.5) / log(rate)


def sentence(opening: str, said: Mapping[str, str]) -> str:
    """One sentence from what is said of each place, by its name: places of which the same is said stand together, and a verb that comes again
    is left out."""
    places: dict[str, list[str]] = {}
    for place, words in said.items():
        places.setdefault(words, []).append(place)
    if len(places) == 1:
        return f"{opening} {next(iter(places))}."
    verbs = ["", *(words.split()[0] for words in places)]
    told = [
        f"{w if w.split()[0] != verb else w.partition(' ')[2]} {listed(where)}"
        for (w, where), verb in zip(places.items(), verbs, strict=False)
    ]
    return f"{opening} {listed(told, ', and ')}."


def listed(parts: Sequence[str], last: str = " and ") -> str:
    """Several as one: commas, and something else before the last."""
    return last.join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def verdict(rate: float, steps: float) -> str:
    """A factor per step in words, as it shows over so many steps: only what changes by a factor of 2 is said to change, and how many steps that
    rests on where they are few."""
    if isnan(rate):
        return "cannot be told: there are too few steps"
    if rate == 0:
        return "is gone after one step"
    if abs(log(rate)) * steps < log(2):
        return f"is kept within a factor of 2 over {steps:.0f} steps: {rate:.4g} per step"
    seen = f", seen over only {steps:.0f} steps" if steps < SHORT else ""
    if rate > 1:
        return f"explodes: {rate:.3g} per step{seen}"
    half = half_life(rate)
    words = (
        f"halves every {half:.0f} steps"
        if half >= 10
        else f"halves every {half:.1f} steps"
        if half > 1
        else f"vanishes: {rate:.2g} per step"
    )
    return words + seen


def percent(part: float) -> str:
    """A part of a whole, as a person reads it."""
    if part >= 0.001:
        return f"{part:.1%}"
    return "0%" if part == 0 else f"{100 * part:.2g}%" if part >= TOLD else "less than 0.0001%"
