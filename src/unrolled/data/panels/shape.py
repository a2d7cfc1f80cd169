"""The shape of windows: how much is shown, how much is to be said, and what both have behind them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

SEASONS_BACK = 4
"""Seasons whose mean is shown."""

SEASONS_LOOKED = 4
"""Seasons before a horizon in which simple forecasts are compared, if the context has fewer."""

NOTHING, LAST, NAIVE, DRIFT, MEAN, BEST = "none", "last", "season-naive", "season-drift", "season-mean", "best"
BASES = (NOTHING, LAST, NAIVE, DRIFT, MEAN, BEST)
"""What a network may learn the rest above: the mean of the context, the last number, the last season, the same moved on by what it lies above the
season before it, the mean of the last seasons, or whichever of these was nearest in the context."""

SEASONAL = (NAIVE, DRIFT, MEAN)
"""Those that need seasons."""


@dataclass(frozen=True)
class WindowShape:
    """`context` steps that are shown, `horizon` steps that are to be forecast, steps of `seasons`, and above which of `BASES` the rest is learnt.

    With `recursive` each step reads the number before it, in the horizon too; else numbers of the horizon are hidden. With `counts` numbers
    are scaled by their mean, and targets are not scaled at all.
    """

    context: int
    horizon: int
    seasons: tuple[int, ...] = ()
    base: str = NOTHING
    recursive: bool = False
    counts: bool = False

    @property
    def reach(self) -> int:
        """Steps before the context that are looked at."""
        return max([SEASONS_BACK * season for season in self.seasons] or [2])

    @property
    def looked(self) -> int:
        """Steps before the horizon in which simple forecasts are compared."""
        return min(self.context + self.reach - 1, max(self.context + 1, SEASONS_LOOKED * max(self.seasons, default=1)))

    @property
    def steps(self) -> int:
        """Steps that a network reads."""
        return self.context + self.horizon

    @property
    def said(self) -> int:
        """Of these the last ones, whose numbers are targets."""
        return self.steps if self.recursive else self.horizon
