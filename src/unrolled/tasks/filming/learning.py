"""What is measured of a network of next frames while it learns."""

from collections.abc import Iterator, Sequence

import numpy as np

from unrolled.models import NextFrames
from unrolled.tasks.filming.reading import FilmCodecs
from unrolled.tasks.filming.scoring import score_windows
from unrolled.tasks.filming.windows import Windows
from unrolled.tasks.measures.frames import FrameScores
from unrolled.training.criterion import Criterion
from unrolled.training.task import Measures, Tick

MOST_MEASURED = 256
"""Held-out windows that are measured on the way, at most."""

CRITERIA = (Criterion("MSE", lowest=True), Criterion("MAE", lowest=True), Criterion("SSIM"), Criterion("PSNR"))


class FilmMeasuring:
    """The measures of held-out windows, with rivals at the end."""

    unit = "mean squared error of a pixel"

    def __init__(self, model: NextFrames, codecs: FilmCodecs, held: Windows) -> None:
        self.model, self.codecs, self.held, self.size = model, codecs, held, len(held)
        self.scores: FrameScores | None = None

    @property
    def criteria(self) -> Sequence[Criterion]:
        """The mean squared error, or another measure."""
        return CRITERIA

    def require(self) -> None:
        """Nothing is needed."""

    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """On the way of some windows, the same each time."""
        which = np.arange(len(self.held))
        if not exactly and len(which) > MOST_MEASURED:
            which = np.sort(np.random.default_rng(0).permutation(which)[:MOST_MEASURED])
        self.scores = score_windows(self.model, self.codecs, self.held, which, wholly=exactly, tick=tick)
        return {"held_out": self.scores.measures()["mse"], **self.scores.measures()}

    def describe(self, measures: Measures) -> str:
        """The measures."""
        return str(self.scores)

    def remarks(self, measures: Measures, best: float | None) -> Iterator[str]:
        """The table with teacher forcing and rivals."""
        if self.scores is not None:
            yield self.scores.text
