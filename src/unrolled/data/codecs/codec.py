"""What a codec of the field that is to be said of sequences must be able to do."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.dataset import Dataset
from unrolled.data.examples import Prediction, Target

SHOWN = 4
"""Steps of a sequence that are shown when training begins."""

NAMED = 10
"""Labels, and channels, that are named when training begins."""


class Targets(Protocol):
    """What a codec makes of that field of a dataset."""

    def take(self, which: Places) -> NDArray[Any]:
        """The targets of some sequences, `[B, …]`; of steps all of them, one sequence after the other, `[S, …]`."""

    def known(self, which: Places) -> NDArray[np.bool_]:
        """Of which of them all targets are there, and were learnt, `[B]`."""


class TargetCodec(Protocol):
    """The field that is to be said: learnt from the training part alone, and stored with the network."""

    @property
    def target(self) -> Target:
        """Which field it is."""

    def encode(self, dataset: Dataset) -> Targets:
        """What it makes of a dataset."""

    def notice_unknown(self, dataset: Dataset, which: Places) -> None:
        """Say, as an `UnrolledWarning`, what of some sequences it does not know."""

    def absent(self, dataset: Dataset, which: Places) -> str:
        """What was learnt and does not come in some sequences, in words; nothing if all does."""

    def supposed(self, prediction: Prediction) -> NDArray[Any]:
        """What a prediction says, as targets of one sequence: `[1, …]`, or `[T, 1, …]` of steps."""

    def describe(self) -> str:
        """What can be said, in a few words."""

    def show(self, dataset: Dataset, sequence: int) -> str:
        """What a dataset has of it for a sequence, in a few words."""

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
