"""A number, or several, for a sequence or for each of its steps."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from torch import Tensor

from unrolled.cells import Cell
from unrolled.data.codecs import Encoded, ValueCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import STEP_VALUES, Dataset
from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, labelled_examples
from unrolled.data.memory import belong_to_steps
from unrolled.errors import ConfigError, DataError
from unrolled.models import NUMBER_HEADS, EachStep, Encoder, Whole, WholeOptions
from unrolled.options import option
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.measures.numbers import NumberScores, score_numbers
from unrolled.tasks.mistakes import ErrorOptions
from unrolled.tasks.places import PICTURES
from unrolled.tasks.sequences.options import (
    Reading,
    SequenceDataOptions,
    SequenceOptions,
    SequenceTrainingOptions,
    StepBatchOptions,
    WindowOptions,
)
from unrolled.tasks.sequences.reading import SequenceCodecs, SequenceData
from unrolled.tasks.sequences.recipe import SequenceRecipe, sizes_of
from unrolled.tasks.trained import Progress
from unrolled.training.criterion import LOSS, Criterion

LOOKED_AT = 100
"""Sequences by whose targets it is found out whether they belong to steps."""


@dataclass(frozen=True)
class NumberOptions(SequenceDataOptions):
    """What is learnt, where targets are numbers."""

    each_step: bool | None = option(None, "Predict numbers for each step rather than for the whole sequence.  [default: found out]")
    loss: str = option(
        "squared", f"Loss of standardised targets: {', '.join(NUMBER_HEADS)} (a normal distribution with a learnt variance)."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss not in NUMBER_HEADS:
            raise ConfigError(f"`loss` must be one of {', '.join(NUMBER_HEADS)}, got {self.loss!r}.")


@dataclass(frozen=True)
class PlotOptions:
    """The picture of what was predicted."""

    plot: str | None = option(None, "Draw predicted numbers against true ones into this PNG, SVG or PDF file.", written=PICTURES)


@dataclass(frozen=True)
class RegressOptions(SequenceOptions):
    """All options of the task."""

    data: NumberOptions
    reading: Reading
    model: WholeOptions
    batches: StepBatchOptions
    training: SequenceTrainingOptions


class Regressing(SequenceRecipe[RegressOptions, ValueCodec, Whole | EachStep]):
    """Learns to predict numbers."""

    name, noun, options = "regress", "a network of numbers", RegressOptions
    evaluating = (ReadingOptions, WindowOptions, PlotOptions, ErrorOptions)
    help = """Train a network that predicts a number, or several, for each sequence or for each step, on DATA: tables and JSON Lines (`input`,
    `target` with commas between several), series, event logs, images, or builtin:adding; see docs/data.md.

    A tenth, drawn at random, is held out, unless `validation` names other files; the weights with the lowest loss on it are kept.
    """

    def wanted(self, configuration: Configuration[RegressOptions]) -> Target:
        """Numbers of sequences, or of steps."""
        return Target.STEP_VALUES if configuration.options.data.each_step else Target.VALUES

    def read(self, configuration: Configuration[RegressOptions], progress: Progress) -> SequenceData[ValueCodec]:
        """The files, once it is known to what their numbers belong."""
        data, reading = configuration.options.data, configuration.options.reading
        if data.each_step is None and data.sources:
            decided = dataclasses.replace(data, each_step=_belong_to_steps(data.sources, reading))
            configuration = configuration.replace(data=decided)
        elif data.each_step is None and self.memory:
            found, targets = self.memory
            first = next(self._remembered(configuration)()).values if targets is None else None
            each_step = belong_to_steps(found, targets) if targets is not None else first is not None and first.ndim == 2
            configuration = configuration.replace(data=dataclasses.replace(data, each_step=each_step))
        if configuration.options.batches.window is not None and not configuration.options.data.each_step:
            raise ConfigError("`window` cuts sequences whose steps have numbers, and here whole ones have them. Leave it out.")
        return super().read(configuration, progress)

    def learn(self, dataset: Dataset, part: Places, configuration: Configuration[RegressOptions]) -> ValueCodec:
        """Means and standard deviations, and the names of columns, if they are named."""
        target = configuration.options.reading.target
        names = [name.strip() for name in target.split(",")] if target else []
        return ValueCodec.learn(dataset, part, self.wanted(configuration), names)

    def target(self, found: Any) -> ValueCodec:
        """Stored means and standard deviations."""
        return ValueCodec.from_json(found)

    def resolve(self, configuration: Configuration[RegressOptions], codecs: SequenceCodecs[ValueCodec]) -> Configuration[RegressOptions]:
        """With what numbers belong to, too."""
        data = dataclasses.replace(configuration.options.data, each_step=codecs.target.target.each_step)
        return super().resolve(configuration.replace(data=data), codecs)

    def build(self, configuration: Configuration[RegressOptions], codecs: SequenceCodecs[ValueCodec], cell: Cell) -> Whole | EachStep:
        """The network for these inputs and numbers."""
        options = configuration.options
        head = NUMBER_HEADS[options.data.loss](codecs.target.numbers)
        encoder = Encoder(sizes_of(codecs), options.model, cell)
        return EachStep(encoder, head) if codecs.target.target.each_step else Whole(encoder, options.model.pooling, head)

    def say(self, model: Whole | EachStep, scores: Tensor, lengths: Tensor, codec: ValueCodec) -> list[Prediction]:
        """The numbers of each sequence."""
        head: Any = model.head
        means, deviations = head.moments(scores)
        values = codec.restore(means.double().cpu().numpy())
        spread = None if deviations is None else deviations.double().cpu().numpy() * codec.scale.deviation
        found = []
        for row, steps in enumerate(lengths.tolist()):
            place = (slice(steps), row) if codec.target.each_step else row
            found.append(Prediction(values=values[place], deviations=None if spread is None else spread[place]))
        return found

    def score(self, encoded: Encoded, which: Places, found: list[Prediction]) -> NumberScores:
        """By how near they come."""
        codec, dataset = encoded.target, encoded.dataset
        assert isinstance(codec, ValueCodec)
        each_step = codec.target.each_step
        true = dataset.columns[STEP_VALUES].take(which) if each_step else dataset.values[which]
        predicted = np.concatenate([np.atleast_2d(p.values) for p in found if p.values is not None])
        unit = "steps" if each_step else "sequences"
        return score_numbers(true, predicted, codec.scale.mean, sequences=len(which), unit=unit, names=codec.names)

    def criteria(self, data: SequenceData[ValueCodec], configuration: Configuration[RegressOptions]) -> Sequence[Criterion]:
        """The loss that is asked for, or one of the measures."""
        return LOSS, Criterion("R²"), Criterion("MAE", lowest=True), Criterion("RMSE", lowest=True)

    def require(self, codecs: SequenceCodecs[ValueCodec]) -> None:
        """Nothing is needed."""


def _belong_to_steps(sources: tuple[str, ...], reading: ReadingOptions) -> bool:
    """Whether targets belong to steps: where those of whole sequences cannot be read, are not always as many, or are as many as the steps."""
    try:
        examples = list(islice(labelled_examples(sources, reading, Target.VALUES), LOOKED_AT))
    except (DataError, ConfigError) as error:
        try:
            next(labelled_examples(sources, reading, Target.STEP_VALUES))
        except (DataError, ConfigError):
            raise error from None
        return True
    sizes = [0 if example.values is None else len(example.values) for example in examples]
    # Several columns that are named are several numbers; a list of as many as there are steps is one for each.
    alone = "," not in (reading.target or "")
    as_many = all(size == example.steps > 1 for size, example in zip(sizes, examples, strict=True))
    return len({*sizes}) > 1 or (alone and as_many)
