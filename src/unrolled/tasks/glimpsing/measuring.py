"""Measures of a network that looks at pictures in glimpses, beside the rivals that were trained with it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from unrolled.data.formats import read_examples
from unrolled.models import Glimpses
from unrolled.tasks.glimpsing.options import require_glimpses
from unrolled.tasks.glimpsing.paths import mean_glimpses
from unrolled.tasks.glimpsing.rivals import NAMES, beside
from unrolled.tasks.measures.labels import Scores
from unrolled.tasks.recipe import AnyRecipe
from unrolled.tasks.rivals import runs_of_rivals
from unrolled.tasks.runs import load_run
from unrolled.tasks.sequences.trained import TrainedPredictor
from unrolled.tasks.trained import Measured


@dataclass(frozen=True)
class LookingScores:
    """The `scores` of a network, which has some `parameters`; the same of its `rivals` by name; those that are `unfinished` are not measured.
    `glimpses` are those that it takes of a picture, in the mean."""

    scores: Scores
    parameters: int
    rivals: Mapping[str, tuple[Scores, int]]
    unfinished: tuple[str, ...]
    glimpses: float

    @property
    def text(self) -> str:
        """All of it in words."""
        lines = [self.scores.text, f"{self.glimpses:.2f} glimpses of each; {self.parameters:,} parameters"]
        lines += [f"  {name} ({NAMES[name]}, {parameters:,} parameters): {scores}" for name, (scores, parameters) in self.rivals.items()]
        lines += beside(self.scores.accuracy, {name: scores.accuracy for name, (scores, _) in self.rivals.items()})[1:]
        lines += [f"Not trained to the end, and so not measured: {name}. Resume the run." for name in self.unfinished]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        rivals = {name: {**scores.to_json(), "parameters": parameters} for name, (scores, parameters) in self.rivals.items()}
        return {**self.scores.to_json(), "parameters": self.parameters, "glimpses": self.glimpses, "rivals": rivals}


def measured_looking(
    recipe: AnyRecipe,
    trained: TrainedPredictor[Any],
    data: Sequence[str],
    reading: Mapping[str, Any],
    asked: Mapping[str, Any],
    measure: Callable[[TrainedPredictor[Any], bool], Any],
) -> Measured:
    """What is measured of a network, with `asked` of `LookingOptions`; beside its rivals, if it looks at pictures.

    `measure` gives the scores of a network on `data`, which is read with the options `reading`; it is told whether it is the network itself.
    """
    model = require_glimpses(trained.model, asked)
    if model is None:
        return measure(trained, True)
    with model.looking_otherwise(**asked):
        own = measure(trained, True)
        glimpses = mean_glimpses(trained, model, read_examples(data, trained.reading_of(data, **reading), trained.wanted))
    rivals, unfinished, folder = {}, list[str](), trained.folder
    for name, run in () if folder is None else runs_of_rivals(folder):
        if folder is not None and folder.finished and not run.finished:
            unfinished.append(name)
            continue
        rival = load_run(recipe, run)
        with _looking(rival, asked):
            rivals[name] = (measure(rival, False), _size(rival))
    return LookingScores(own, _size(trained), rivals, tuple(unfinished), glimpses)


@contextmanager
def _looking(rival: TrainedPredictor[Any], asked: Mapping[str, Any]) -> Iterator[None]:
    """A rival looks at pictures as it is `asked`, if it does so in glimpses."""
    if not isinstance(rival.model, Glimpses):
        yield
        return
    with rival.model.looking_otherwise(**asked):
        yield


def _size(trained: TrainedPredictor[Any]) -> int:
    return sum(parameter.numel() for parameter in trained.model.parameters())
