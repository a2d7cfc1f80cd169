"""Whether probabilities are as good as they claim to be."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unrolled.extras import extra
from unrolled.tasks.pictures import save_picture

BINS = 15
"""Parts of equal width into which probabilities are sorted, as in Guo et al. (2017)."""


@dataclass(frozen=True)
class Calibration:
    """Answers by how probable the network called them: for each bin that has some their `count`, mean `confidence`, and the share that is `right`."""

    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    right: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean distance of confidence and share of right answers (Naeini et al. 2015; Guo et al. 2017)."""
        return float((self.count * np.abs(self.confidence - self.right)).sum() / max(self.count.sum(), 1))

    @property
    def excess(self) -> float:
        """By how much confidence is above the share of right answers on the whole; below 0 where it is too low."""
        return float((self.count * (self.confidence - self.right)).sum() / max(self.count.sum(), 1))

    def __str__(self) -> str:
        side = "too sure" if self.excess > 0 else "not sure enough"
        return f"expected calibration error {self.error:.2%} ({abs(self.excess):.2%} {side} on the whole)"

    def draw(self, path: str | Path) -> None:
        """Draw the reliability curve into a picture: on the line, answers are right as often as they claim; bars say how many there are."""
        figure = extra("matplotlib.figure").Figure(figsize=(4.6, 5.2), layout="constrained")
        extra("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
        axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
        axes.plot(self.confidence, self.right, marker="o", markersize=4)
        axes.set_ylabel("share of right answers")
        axes.set_title(f"expected calibration error {self.error:.2%}", fontsize=10)
        below.bar(self.confidence, self.count, width=0.8 / BINS)
        below.set_xlabel("probability of the answer")
        below.set_ylabel("answers")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        save_picture(figure, path)


def calibrate(confidences: Sequence[float], right: Sequence[bool]) -> Calibration:
    """Sort answers, with the probability of each and whether it is right, into bins of equal width."""
    sure, hits = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    # A probability at the edge of two bins belongs to the lower one.
    place = np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)
    count = np.bincount(place, minlength=BINS)
    some = count > 0
    means = (np.bincount(place, weights=weights, minlength=BINS)[some] / count[some] for weights in (sure, hits))
    confidence, share = means
    return Calibration(count[some], confidence, share)
