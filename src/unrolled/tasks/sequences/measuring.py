"""What is measured of a network that says something of sequences, while it learns."""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

from torch import Tensor

from unrolled.tasks.sequences.predictor import TC, Predictor
from unrolled.tasks.sequences.reading import Part
from unrolled.tasks.sequences.trained import Score, Scores
from unrolled.training.criterion import Criterion
from unrolled.training.task import Measures, Tick


class SequenceMeasuring:
    """The loss, in which classes have their `weights` as in training, and the scores of a held-out part."""

    def __init__(
        self,
        predictor: Predictor[TC],
        part: Part,
        score: Score,
        criteria: Sequence[Criterion],
        require: Callable[[], None],
        weights: Tensor | None = None,
    ) -> None:
        self.predictor, self.part, self._score, self.criteria, self.require = predictor, part, score, criteria, require
        self.weights = weights
        each_step = predictor.codec.target.each_step
        self.size = part.steps if each_step else len(part)
        self.unit = "loss per step" if each_step else "loss per sequence"
        self.scores: Scores | None = None

    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """Scores, and the loss, unless none of the targets was learnt."""
        found, total, count = self.predictor.predict_all(self.part.encoded, self.part.which, tick, self.weights)
        loss = {"held_out": total / count} if count else {}
        if not isfinite(total):
            return loss
        self.scores = self._score(self.part.encoded, self.part.which, found)
        return {**loss, **self.scores.measures()}

    def describe(self, measures: Measures) -> str:
        """Loss and scores."""
        loss = f"loss {measures['held_out']:.4f}" if "held_out" in measures else "no loss, as no label there was learnt"
        return f"{loss}, {self.scores}"

    def remarks(self, measures: Mapping[str, float], best: float | None) -> tuple[str, ...]:
        """That nothing was learnt that one could not say without reading."""
        return () if self.scores is None or "held_out" not in measures or not (told := self.scores.warning) else (told,)
