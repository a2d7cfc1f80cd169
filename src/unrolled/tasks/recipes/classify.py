"""One label for a sequence, or several."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from unrolled.cells import Cell
from unrolled.data.codecs import Encoded, LabelCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import Dataset
from unrolled.data.examples import Prediction, Target
from unrolled.data.numerals import is_number
from unrolled.data.pictures.images import GLIMPSES
from unrolled.errors import ConfigError
from unrolled.models import CLASS_HEADS, EachStep, Encoder, GlimpseEncoder, Glimpses, Whole
from unrolled.options import option
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.glimpsing.measuring import measured_looking
from unrolled.tasks.glimpsing.options import LookingOptions, PathOptions, PictureOptions, resolved_model
from unrolled.tasks.glimpsing.paths import predicted_looking
from unrolled.tasks.glimpsing.rivals import beside, rivals_of
from unrolled.tasks.measures.calibration import calibrate
from unrolled.tasks.measures.labels import Scores, score_labels
from unrolled.tasks.recipe import Answering, Writing
from unrolled.tasks.sequences.answers import ChoiceOptions
from unrolled.tasks.sequences.labels import ACCURACY, BALANCED_ACCURACY, MACRO_F1, MICRO_F1, LabelRecipe
from unrolled.tasks.sequences.options import BatchOptions, LabelOptions, Reading, SequenceOptions, SequenceTrainingOptions
from unrolled.tasks.sequences.reading import SequenceCodecs, SequenceData
from unrolled.tasks.sequences.recipe import sizes_of
from unrolled.tasks.sequences.trained import TrainedPredictor
from unrolled.tasks.trained import Measured, Progress
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.task import Measures


@dataclass(frozen=True)
class ClassOptions(LabelOptions):
    """What is learnt, where a label stands for a whole sequence."""

    output: str | None = option(None, f"What labels are: {', '.join(CLASS_HEADS)}.  [default: softmax, or multi-label with `separator`]")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output not in (None, *CLASS_HEADS):
            raise ConfigError(f"`output` must be one of {', '.join(CLASS_HEADS)}, got {self.output!r}.")


@dataclass(frozen=True)
class ClassifyOptions(SequenceOptions):
    """All options of the task."""

    data: ClassOptions
    reading: Reading
    model: PictureOptions
    batches: BatchOptions
    training: SequenceTrainingOptions


class Classifying(LabelRecipe[ClassifyOptions, Whole]):
    """Learns to label whole sequences."""

    name, noun, options, glimpses = "classify", "a classifier", ClassifyOptions, True
    evaluating = (*LabelRecipe.evaluating, LookingOptions)
    predicting = (*LabelRecipe.predicting, ChoiceOptions, PathOptions)
    help = """Train a network that labels sequences on DATA: tables (`input`, `target`), JSON Lines, a file or folder for each label,
    time series, images, event logs, or builtin:intents and the like; see docs/data.md.

    A tenth, drawn at random with some of each label, is held out, unless `validation` names other files; the weights with the best accuracy on
    it are kept, or, where classes are balanced, with the best mean of the labels' recalls. `best_by` takes another measure.
    """

    def wanted(self, configuration: Configuration[ClassifyOptions]) -> Target:
        """Labels."""
        return Target.LABELS

    def several(self, configuration: Configuration[ClassifyOptions]) -> bool:
        """Whether several labels may hold at once."""
        return _output(configuration.options) == "multi-label"

    def learn(self, dataset: Dataset, part: Places, configuration: Configuration[ClassifyOptions]) -> LabelCodec:
        """The labels."""
        return LabelCodec.learn(
            dataset, part, Target.LABELS, several=self.several(configuration), divided_by=configuration.options.data.divided_by
        )

    def agree(self, configuration: Configuration[ClassifyOptions], codecs: SequenceCodecs[LabelCodec]) -> bool:
        """See `Recipe`."""
        return super().agree(configuration, codecs) and codecs.target.several == self.several(configuration)

    def resolve(self, configuration: Configuration[ClassifyOptions], codecs: SequenceCodecs[LabelCodec]) -> Configuration[ClassifyOptions]:
        """With what labels are, too. `ConfigError` for an order of labels that nothing says."""
        configuration = super().resolve(configuration, codecs)
        output = _output(configuration.options)
        if output == "ordinal" and (words := [label for label in codecs.target.labels if not is_number(label)]):
            told = f"`output='ordinal'` takes the order of labels from numbers, got {', '.join(map(repr, words[:3]))}."
            raise ConfigError(f"{told} Write numbers instead, such as 1, 2 and 3, or take `output='softmax'`.")
        return configuration.replace(
            data=dataclasses.replace(configuration.options.data, output=output),
            model=resolved_model(configuration.options.model, configuration.options.reading.image),
        )

    def summary(self, data: SequenceData[LabelCodec], configuration: Configuration[ClassifyOptions]) -> str:
        """With the order of labels, where it matters."""
        order = f" Their order: {' < '.join(data.codecs.target.labels)}." if _output(configuration.options) == "ordinal" else ""
        return super().summary(data, configuration) + order

    def build(self, configuration: Configuration[ClassifyOptions], codecs: SequenceCodecs[LabelCodec], cell: Cell) -> Whole:
        """The network for these symbols and labels."""
        options = configuration.options.model
        head = CLASS_HEADS[_output(configuration.options)](len(codecs.target.labels))
        if configuration.options.reading.image == GLIMPSES:
            return Glimpses(GlimpseEncoder(sizes_of(codecs).frames[0], options, options, cell), options.pooling, head)
        return Whole(Encoder(sizes_of(codecs), options, cell), options.pooling, head)

    def rivals(
        self, configuration: Configuration[ClassifyOptions], codecs: SequenceCodecs[LabelCodec], cell: Cell
    ) -> dict[str, Configuration[ClassifyOptions]]:
        """Of a network that looks at pictures in glimpses."""

        def count(one: Configuration[ClassifyOptions]) -> int:
            with torch.device("meta"):
                return sum(parameter.numel() for parameter in self.build(one, codecs, cell).parameters())

        return rivals_of(configuration, count)

    def beside(self, measures: Measures, rivals: Mapping[str, Measures]) -> list[str]:
        """By their accuracy."""
        return beside(measures["accuracy"], {name: found["accuracy"] for name, found in rivals.items()})

    def say(self, model: Whole | EachStep, scores: Tensor, lengths: Tensor, codec: LabelCodec) -> list[Prediction]:
        """The labels of each sequence."""
        head: Any = model.head
        probabilities = head.probabilities(scores)
        decided = head.decide(probabilities)
        labels, every = codec.labels, probabilities.tolist()
        if not codec.several:
            alone = [(label,) for label in labels]
            return [Prediction(alone[k], None, (row[k],), labels, row) for k, row in zip(decided.tolist(), every, strict=True)]
        chosen = [row.nonzero().flatten().tolist() for row in decided]
        return [
            Prediction(tuple(labels[k] for k in which), None, tuple(row[k] for k in which), labels, row, several=True)
            for which, row in zip(chosen, every, strict=True)
        ]

    def score(self, encoded: Encoded, which: Places, found: list[Prediction]) -> Scores:
        """By their labels."""
        dataset, codec = encoded.dataset, encoded.target
        assert isinstance(codec, LabelCodec)
        true = [tuple(dataset.names[n] for n in dataset.label_sets[dataset.labels[i]]) for i in which]
        said = [p.labels or () for p in found]
        scores = score_labels(true, said, several=codec.several, frequent=codec.frequent, learnt=codec.labels)
        if codec.several:
            return scores
        right = [ours == theirs for ours, theirs in zip(true, said, strict=True)]
        return replace(scores, calibration=calibrate([p.probabilities[0] for p in found], right))

    def evaluate(
        self, trained: TrainedPredictor[LabelCodec], data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> Measured:
        """Measures of what it says, and of what the rivals say that were trained with it."""
        *common, looking = parts
        reading = common[0]

        def measure(one: TrainedPredictor[LabelCodec], own: bool) -> Any:
            return super(Classifying, self).evaluate(one, data, common if own else (*common[:2], *({} for _ in common[2:])), progress)

        return measured_looking(self, trained, data, reading, looking, measure)

    def predict(self, trained: TrainedPredictor[LabelCodec], file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """What it says of a file, and a drawing of where it looked."""
        *common, looking = parts
        return predicted_looking(trained, file, common[0], looking, lambda: super(Classifying, self).predict(trained, file, common, how))

    def criteria(self, data: SequenceData[LabelCodec], configuration: Configuration[ClassifyOptions]) -> Sequence[Criterion]:
        """What the loss weighs.

        The accuracy; where classes are balanced, the mean of their recalls. Of several labels the F1 of all decisions, as nearly all sequences
        without any label are right at once, or the mean of the labels' F1. The loss where labels have an order, which it alone knows.
        """
        balanced = self.balanced(configuration)
        if _output(configuration.options) == "multi-label":
            means = (MACRO_F1, MICRO_F1) if balanced else (MICRO_F1, MACRO_F1)
            return *means, ACCURACY, LOSS
        means = (BALANCED_ACCURACY, ACCURACY) if balanced else (ACCURACY, BALANCED_ACCURACY)
        return (LOSS, *means, MACRO_F1) if _output(configuration.options) == "ordinal" else (*means, MACRO_F1, LOSS)

    def counts(self, encoded: Encoded, which: Places) -> Tensor:
        """How often each label holds."""
        assert isinstance(encoded.target, LabelCodec)
        targets = torch.from_numpy(encoded.targets.take(which))
        return targets.sum(0) if targets.dim() == 2 else torch.bincount(targets, minlength=len(encoded.target.labels))


def _output(options: ClassifyOptions) -> str:
    """What labels of whole sequences are."""
    return options.data.output or ("multi-label" if options.reading.separator else "softmax")
