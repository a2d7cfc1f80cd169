"""How fast something shrinks or grows per step, and how that is said."""

from collections.abc import Mapping, Sequence
from math import inf, isnan, log, nan

import numpy as np

LEAST = 1e-280
"""Below this, double precision loses digits, and a slope would be one of rounding."""


def rate_of(distances: np.ndarray, values: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The factor per step of values that shrink or grow exponentially: least squares on their logarithms.

    Values that are too small for double precision are left out; 0 where there are no others but at a single distance, NaN where there is
    but one distance at all. `weights` are the numbers of observations behind each.
    """
    usable = np.isfinite(values) & (values > LEAST)
    if not usable.any() or np.ptp(distances) == 0:
        return nan
    weight = np.ones(len(values)) if weights is None else weights
    d, y, w = distances[usable], np.log(values[usable]), weight[usable]
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
    """A factor per step in words, as it shows over so many steps: only what changes by a factor of 2 is said to change."""
    if isnan(rate):
        return "cannot be told: there are too few steps"
    if rate == 0:
        return "is gone after one step"
    if abs(log(rate)) * steps < log(2):
        return f"is kept within a factor of 2 over {steps:.0f} steps: {rate:.4g} per step"
    if rate > 1:
        return f"explodes: {rate:.3g} per step"
    half = half_life(rate)
    return (
        f"halves every {half:.0f} steps"
        if half >= 10
        else f"halves every {half:.1f} steps"
        if half > 1
        else f"vanishes: {rate:.2g} per step"
    )
