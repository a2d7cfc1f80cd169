"""Measures of a network that looks at pictures in glimpses, beside itself where it looks anywhere."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.data.formats import read_examples
from unrolled.models.glimpses import RANDOM
from unrolled.tasks.glimpsing.options import require_glimpses
from unrolled.tasks.glimpsing.paths import mean_glimpses
from unrolled.tasks.measures.labels import Scores
from unrolled.tasks.sequences.trained import TrainedPredictor
from unrolled.tasks.trained import Measured

RIVAL = "random-glimpses"


@dataclass(frozen=True)
class LookingScores:
    """The `scores` of a network, and the accuracy of the same network with `random` glimpses; `glimpses` are those that it takes of a picture, in the mean."""

    scores: Scores
    random: float
    glimpses: float

    @property
    def text(self) -> str:
        """All of it in words."""
        return f"{self.scores.text}\n{self.glimpses:.2f} glimpses of each; with as many at random places: accuracy {self.random:.2%}"

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return {**self.scores.to_json(), "glimpses": self.glimpses, "rivals": {RIVAL: {"accuracy": self.random}}}


def measured_looking(
    trained: TrainedPredictor[Any],
    data: Sequence[str],
    reading: Mapping[str, Any],
    asked: Mapping[str, Any],
    measure: Callable[[bool], Any],
) -> Measured:
    """What is measured of a network, with `asked` of `LookingOptions`; beside random glimpses, if it looks at pictures.

    `measure` gives the scores on `data`, which is read with the options `reading`; it is told whether they are those of the network itself.
    """
    model = require_glimpses(trained.model, asked)
    if model is None:
        return measure(True)
    with model.looking_otherwise(**asked):
        own = measure(True)
        glimpses = mean_glimpses(trained, model, read_examples(data, trained.reading_of(data, **reading), trained.wanted))
        with model.looking_otherwise(locations=RANDOM):
            return LookingScores(own, measure(False).accuracy, glimpses)
