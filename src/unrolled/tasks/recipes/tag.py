"""A tag for each step of a sequence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from unrolled.cells import Cell
from unrolled.data.codecs import Encoded, LabelCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import NO_TAG, TAGS, Dataset
from unrolled.data.examples import Prediction, Target, marks_spans
from unrolled.errors import ConfigError
from unrolled.models import EachStep, EachStepOptions, Encoder, LinearChain, Softmax, Whole, bio_constraints
from unrolled.options import option
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.measures.calibration import calibrate
from unrolled.tasks.measures.labels import Scores, score_tags
from unrolled.tasks.sequences.labels import ACCURACY, BALANCED_ACCURACY, ENTITY_F1, MACRO_ENTITY_F1, MACRO_F1, LabelRecipe
from unrolled.tasks.sequences.options import LabelOptions, Reading, SequenceOptions, SequenceTrainingOptions, StepBatchOptions
from unrolled.tasks.sequences.reading import SequenceCodecs, SequenceData
from unrolled.tasks.sequences.recipe import sizes_of
from unrolled.training.criterion import LOSS, Criterion

OUTSIDE = "O"
"""The tag of a step that is part of nothing."""


@dataclass(frozen=True)
class TaggerOptions(EachStepOptions):
    """The network that gives a tag to every step."""

    crf: bool = option(False, "Conditional random field: score whole sequences of tags.")
    entity_margin: float = option(
        0.0, "Nats by which tags of entities must be ahead of O in training, so that fewer are missed and more are wrong.", rare=True
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.entity_margin >= 0 or self.entity_margin == float("inf"):
            raise ConfigError(f"`entity_margin` must be a number of at least 0, got {self.entity_margin}.")


@dataclass(frozen=True)
class TagOptions(SequenceOptions):
    """All options of the task."""

    data: LabelOptions
    reading: Reading
    model: TaggerOptions
    batches: StepBatchOptions
    training: SequenceTrainingOptions


class Tagging(LabelRecipe[TagOptions, EachStep]):
    """Learns to tag every step of a sequence."""

    name, noun, options = "tag", "a tagger", TagOptions
    help = """Train a network that tags every step of a sequence on DATA: files with a step on each line and its tag in a `column`,
    CoNLL-U, tables with as many tags as steps, FASTA with `regions`, or builtin:python-tokens and the like; see docs/data.md.

    A tenth, drawn at random with some of each tag, is held out, unless `validation` names other files; the weights with the best accuracy on it,
    or the best F1 of entities if tags are BIO, are kept. `best_by` takes another measure.
    """

    def wanted(self, configuration: Configuration[TagOptions]) -> Target:
        """Tags."""
        return Target.TAGS

    def learn(self, dataset: Dataset, part: Places, configuration: Configuration[TagOptions]) -> LabelCodec:
        """The tags."""
        return LabelCodec.learn(dataset, part, Target.TAGS, divided_by=configuration.options.data.divided_by)

    def build(self, configuration: Configuration[TagOptions], codecs: SequenceCodecs[LabelCodec], cell: Cell) -> EachStep:
        """The network for these symbols and tags."""
        options, tags = configuration.options.model, codecs.target.labels
        if options.entity_margin and OUTSIDE not in tags:
            raise ConfigError(
                f"`entity_margin` needs a tag {OUTSIDE} for steps that are none, got the tags {', '.join(tags)}. Leave it out."
            )
        if options.crf and codecs.inputs.frames is not None and codecs.inputs.frames.outside == NO_TAG:
            raise ConfigError(
                "`crf` scores whole sequences of tags, and `outside='ignore'` leaves frames without one. Leave one of both out."
            )
        constraints = bio_constraints(tags) if codecs.target.marks_spans else None
        head = LinearChain(tags, constraints) if options.crf else Softmax(len(tags))
        outside = tags.index(OUTSIDE) if OUTSIDE in tags else 0
        encoder = Encoder(sizes_of(codecs), options, cell)
        return EachStep(encoder, head, margin=options.entity_margin, outside=outside, allowed=None if options.crf else constraints)

    def say(self, model: Whole | EachStep, scores: Tensor, lengths: Tensor, codec: LabelCodec) -> list[Prediction]:
        """The tags of each sequence."""
        assert isinstance(model, EachStep)
        tags, _ = model.best(scores, lengths)
        every = model.probabilities_of(scores, lengths)
        sure = every.gather(-1, tags[..., None])[..., 0]
        rows = zip(tags.T.tolist(), sure.T.tolist(), lengths.tolist(), every.transpose(0, 1).float().cpu().numpy(), strict=True)
        return [
            Prediction(tags=tuple(codec.labels[k] for k in row[:n]), probabilities=tuple(p[:n]), step_scores=scored[:n])
            for row, p, n, scored in rows
        ]

    def score(self, encoded: Encoded, which: Places, found: list[Prediction]) -> Scores:
        """By their tags, and by entities where these were learnt and are what the tags of the sequences mark."""
        dataset, codec = encoded.dataset, encoded.target
        assert isinstance(codec, LabelCodec)
        tags, lengths = dataset.columns[TAGS].take(which), dataset.lengths[which]
        ends = lengths.cumsum().tolist()
        rows = [tags[end - n : end] for end, n in zip(ends, lengths.tolist(), strict=True)]
        true = [tuple(dataset.names[n] for n in row if n >= 0) for row in rows]
        said = [tuple(tag for tag, n in zip(p.tags or (), row, strict=True) if n >= 0) for p, row in zip(found, rows, strict=True)]
        sure = [
            p for prediction, row in zip(found, rows, strict=True) for p, n in zip(prediction.probabilities, row, strict=True) if n >= 0
        ]
        scores = score_tags(true, said, spans=_finds_spans(encoded), frequent=codec.frequent, learnt=codec.labels)
        right = [ours == theirs for pair in zip(true, said, strict=True) for ours, theirs in zip(*pair, strict=True)]
        return replace(scores, calibration=calibrate(sure, right))

    def criteria(self, data: SequenceData[LabelCodec], configuration: Configuration[TagOptions]) -> Sequence[Criterion]:
        """What the loss weighs: entities, or else steps; where classes are balanced, the mean over the types of entities, or over the tags."""
        balanced = self.balanced(configuration)
        steps = (BALANCED_ACCURACY, ACCURACY) if balanced else (ACCURACY, BALANCED_ACCURACY)
        entities = (MACRO_ENTITY_F1, ENTITY_F1) if balanced else (ENTITY_F1, MACRO_ENTITY_F1)
        return *(entities if _finds_spans(data.held_out.encoded) else ()), *steps, MACRO_F1, LOSS

    def counts(self, encoded: Encoded, which: Places) -> Tensor:
        """How often each tag comes."""
        assert isinstance(encoded.target, LabelCodec)
        known = encoded.targets.take(which)
        return torch.bincount(torch.from_numpy(known[known >= 0]), minlength=len(encoded.target.labels))


def _finds_spans(encoded: Encoded) -> bool:
    """Whether tags of spans were learnt, and sequences have such."""
    return isinstance(encoded.target, LabelCodec) and encoded.target.marks_spans and marks_spans(encoded.dataset.scheme)
