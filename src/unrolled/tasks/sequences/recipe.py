"""What the recipes for labels, tags and numbers have in common: sequences in, something said of them or of their steps."""

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import by_length
from unrolled.data.codecs import Encoded, InputCodec, LabelCodec, TextCodec
from unrolled.data.codecs.text import CHAR, WORD
from unrolled.data.codecs.tokens import TokenCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import Dataset
from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats import ReadingOptions, resolve_reading, seen_format
from unrolled.data.formats.heads import FormatSeen
from unrolled.data.label_kinds import Kind
from unrolled.data.memory import in_memory, labelled
from unrolled.data.pictures.images import GLIMPSES
from unrolled.data.vectors import vector_columns
from unrolled.data.vocabulary import Vocabulary, damaged
from unrolled.errors import ConfigError
from unrolled.models import EachStep, InputSizes, Whole
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.learners import Batches
from unrolled.tasks.overview import Overview
from unrolled.tasks.recipe import Answering, Recipe, Writing
from unrolled.tasks.sequences.answers import answer, measured
from unrolled.tasks.sequences.augment import Variation, warping_of
from unrolled.tasks.sequences.frame_options import ClipOptions
from unrolled.tasks.sequences.measuring import SequenceMeasuring
from unrolled.tasks.sequences.options import OF_NUMBERS, SequenceOptions, SoundOptions, VaryingOptions, WindowOptions
from unrolled.tasks.sequences.overview import overview_of
from unrolled.tasks.sequences.predictor import TC, Predictor
from unrolled.tasks.sequences.reading import KnownCodecs, SequenceCodecs, SequenceData, read_sequences
from unrolled.tasks.sequences.trained import Scores, TrainedPredictor
from unrolled.tasks.task import Task
from unrolled.tasks.trained import Measured, Progress
from unrolled.training.criterion import Criterion

SO = TypeVar("SO", bound=SequenceOptions)
SM = TypeVar("SM", bound=Whole | EachStep)


class SequenceRecipe(Recipe[SO, SequenceData[TC], SequenceCodecs[TC], SM, TrainedPredictor[TC]], Generic[SO, TC, SM]):
    """A recipe over options SO, a codec TC of what is said, and a network SM, which may look at pictures in `glimpses`."""

    memory: tuple[Any, Any] | None = None
    """Data in memory in the place of files, and its targets."""

    glimpses: ClassVar[bool] = False
    widens = True
    commands = ("predict", "evaluate", "inspect")
    predicting: ClassVar[tuple[type, ...]] = (ReadingOptions, WindowOptions)

    @abstractmethod
    def wanted(self, configuration: Configuration[SO]) -> Target:
        """What is to be said of sequences."""

    @abstractmethod
    def learn(self, dataset: Dataset, part: Places, configuration: Configuration[SO]) -> TC:
        """The codec of it, from some of the sequences."""

    @abstractmethod
    def target(self, found: Any) -> TC:
        """The codec whose `to_json` gave this. `RunError` for something else."""

    @abstractmethod
    def say(self, model: Whole | EachStep, scores: Tensor, lengths: Tensor, codec: TC) -> list[Prediction]:
        """Predictions, from scores `[B, …]`, or `[T, B, …]` of steps, of sequences of some `lengths` `[B]`."""

    @abstractmethod
    def score(self, encoded: Encoded, which: Places, found: list[Prediction]) -> Scores:
        """How good predictions of some sequences are."""

    @abstractmethod
    def criteria(self, data: SequenceData[TC], configuration: Configuration[SO]) -> Sequence[Criterion]:
        """By which measures the best weights may be kept; the first is what fits what is asked."""

    @abstractmethod
    def require(self, codecs: SequenceCodecs[TC]) -> None:
        """`ConfigError` if a library for the measures is missing."""

    def several(self, configuration: Configuration[SO]) -> bool:
        """Whether several labels may hold at once."""
        return False

    def summary(self, data: SequenceData[TC], configuration: Configuration[SO]) -> str:
        """What is said when training begins: what is input, what is target, and how much there is of it."""
        return data.summary()

    def seen_format(self, configuration: Configuration[SO]) -> FormatSeen:
        """That of all files."""
        return seen_format(configuration.options.data.sources, configuration.options.reading, self.wanted(configuration))

    def overview(self, data: SequenceData[TC], configuration: Configuration[SO]) -> Overview:
        """The sequences."""
        return overview_of(data, self.wanted(configuration), self.summary(data, configuration))

    def weights(self, data: SequenceData[TC], configuration: Configuration[SO]) -> Tensor | None:
        """Those of classes in the loss, if they have any."""
        return None

    def read(self, configuration: Configuration[SO], progress: Progress) -> SequenceData[TC]:
        """The files."""
        options = configuration.options
        if options.reading.image == GLIMPSES and not self.glimpses:
            raise ConfigError(f"`image='glimpses'` is for networks that label pictures, and not for {self.noun}. Train `classify`.")
        return read_sequences(
            options.data,
            options.reading,
            options.batches,
            options.training.seed,
            progress,
            self.wanted(configuration),
            lambda dataset, part: self._typed(self.learn(dataset, part, configuration)),
            several=self.several(configuration),
            widened=self._widened,
            memory=self._remembered(configuration) if self.memory else None,
        )

    def _remembered(self, configuration: Configuration[SO]) -> Callable[[], Iterator[Example]]:
        """What makes examples of the data in memory."""
        data, targets = self.memory or (None, None)
        reading, wanted, several = configuration.options.reading, self.wanted(configuration), self.several(configuration)
        self._kind = Kind()
        return lambda: labelled(in_memory(data, targets, reading, wanted, self._kind), wanted, several=several)

    def _typed(self, codec: TC) -> TC:
        """A codec of labels that knows the type in which they were given in memory."""
        known: Any = codec
        return dataclasses.replace(known, kind=self._kind.name) if self.memory and isinstance(codec, LabelCodec) else codec

    def _widened(self, codecs: SequenceCodecs[TC]) -> SequenceCodecs[TC]:
        return codecs if self.known is None else codecs.widen(self.known, widen=self.widen)

    def known_from(self, task: str, found: Any) -> Any:
        """What sequences consist of is also known to runs that say something else of them, and to language models."""
        if task == self.name:
            return self.codecs(found)
        if task == "lm":
            return KnownCodecs(_of_text(TextCodec.from_json(found)), None)
        if isinstance(found, dict) and found.keys() == {"inputs", "target"} and task != "transcribe":
            return KnownCodecs(InputCodec.from_json(found["inputs"]), None)
        return super().known_from(task, found)

    def codecs(self, found: Any) -> SequenceCodecs[TC]:
        """Stored codecs."""
        if not isinstance(found, dict) or {*found} != {"inputs", "target"}:
            raise damaged("there must be codecs of 'inputs' and 'target'")
        return SequenceCodecs(InputCodec.from_json(found["inputs"]), self.target(found["target"]))

    def agree(self, configuration: Configuration[SO], codecs: SequenceCodecs[TC]) -> bool:
        """See `Recipe`."""
        return codecs.target.target is self.wanted(configuration)

    def resolve(self, configuration: Configuration[SO], codecs: SequenceCodecs[TC]) -> Configuration[SO]:
        """With the level, how files are read, and the embedding size of given vectors."""
        data, tokens = configuration.options.data, codecs.inputs.tokens
        _require_fitting(configuration.options, codecs.inputs)
        changes: dict[str, Any] = {"data": dataclasses.replace(data, level=data.level if tokens is None else tokens.level)}
        if data.vectors:
            model: Any = getattr(configuration.options, "model", None)
            changes["model"] = dataclasses.replace(model, embedding=vector_columns(Path(data.vectors)))
        return configuration.replace(**changes, reading=self.resolved_reading(configuration, codecs))

    def resolved_reading(self, configuration: Configuration[SO], codecs: SequenceCodecs[TC]) -> ReadingOptions:
        """How other files are read."""
        reading = dataclasses.replace(configuration.options.reading, scheme=getattr(codecs.target, "scheme", None))
        if not configuration.options.data.sources:
            return reading
        return resolve_reading(configuration.options.data.sources, reading, self.wanted(configuration))

    def predictor(self, model: SM, codecs: SequenceCodecs[TC], configuration: Configuration[SO]) -> Predictor[TC]:
        """The network, and how it is asked."""
        batches: Any = configuration.options.batches
        window, overlap = (getattr(batches, name, None) for name in ("window", "overlap"))
        return Predictor(model, codecs.target, self.say, window, overlap or 0)

    def task(self, model: SM, data: SequenceData[TC], configuration: Configuration[SO]) -> Task:
        """The sequences in batches."""
        words, options = model.encoder.inputs.words, configuration.options
        if data.vectors is not None and words is not None:
            words.begin_with(*data.vectors)
        if words is not None:
            words.expect(torch.from_numpy(data.train.encoded.word_counts(data.train.which)))
        predictor = self.predictor(model, data.codecs, configuration)
        learnt = data.train if predictor.window is None else data.train.in_pieces(predictor.window)
        weights = self.weights(data, configuration)
        lengths = learnt.encoded.dataset.lengths
        learner = Batches(
            model,
            lambda chance: by_length(lengths, learnt.which, options.batches.batch, chance),
            np.ones_like(lengths) if model.once else learnt.encoded.decisions,
            lambda which: learnt.encoded.batch(which, targets=True),
            options.training.seed,
            weights=weights,
            change=Variation(options.batches, warping_of(data.codecs.inputs), each_step=not model.once),
        )
        criteria = self.criteria(data, configuration)
        measuring = SequenceMeasuring(predictor, data.held_out, self.score, criteria, lambda: self.require(data.codecs), weights)
        return Task(self.name, model, learner, measuring, self.summary(data, configuration), options.training.best_by)

    def trained(self, model: SM, codecs: SequenceCodecs[TC], configuration: Configuration[SO]) -> TrainedPredictor[TC]:
        """The network with its codecs."""
        predictor = self.predictor(model, codecs, configuration)
        return TrainedPredictor(
            self.name, predictor, codecs, configuration.options.reading, self.score, several=self.several(configuration)
        )

    def evaluate(
        self, trained: TrainedPredictor[TC], data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> Measured:
        """Measures of what it says."""
        self.require(trained.codecs)
        reading, windows, *files = parts
        return measured(trained, data, reading, windows, {name: file for part in files for name, file in part.items()}, progress)

    def predict(self, trained: TrainedPredictor[TC], file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """What it says of a file."""
        reading, windows, *choice = parts
        return answer(trained, file, reading, windows, how, *choice)

    def next_step(self, codecs: SequenceCodecs[TC], configuration: Configuration[SO]) -> str:
        """Files where sequences are not typed: event logs and numbers."""
        if codecs.inputs.frames:
            return "Let it see another picture or video: unrolled predict {run} FILE"
        if codecs.inputs.sound:
            return "Let it hear another recording: unrolled predict {run} FILE"
        if codecs.inputs.numbers or configuration.options.reading.case:
            return "Let it predict another file of the kind: unrolled predict {run} FILE"
        return "Let it predict what you type: unrolled predict {run}"


def _of_text(codec: TextCodec) -> InputCodec:
    """The symbols of a text as those of steps."""
    if codec.level not in (CHAR, WORD):
        raise ConfigError(
            f"`from_run` names a language model of {codec.level}s, which sequences do not consist of. Begin from one of characters or words."
        )
    return InputCodec(TokenCodec(codec.level, False, Vocabulary(codec.vocabulary.names)), None)


def require_varied(options: VaryingOptions, inputs: InputCodec) -> None:
    """`ConfigError` for what is to be varied and is not there."""
    asked = [name for name in OF_NUMBERS if getattr(options, name)]
    asked = [name for name in asked if name != "noise"] if inputs.frames is not None else asked
    if asked and inputs.numbers is None:
        raise ConfigError(f"`{asked[0]}` changes numbers, and DATA has none. Leave it out; `word_dropout` is for words and characters.")
    if options.speed and inputs.tokens is not None:
        raise ConfigError("`speed` changes how many steps there are, and DATA has a word or character for each. Leave it out.")
    if options.warp and warping_of(inputs) is None:
        raise ConfigError(
            "`warp` changes the frequencies of sound that is heard in bands, and DATA has none. Leave it out; `noise` is for all numbers."
        )


OF_TOKENS = ("level", "lower", "shapes", "vocabulary", "min_count")
"""Options of data that are about words and characters."""

OF_FRAMES = tuple(field.name for field in dataclasses.fields(ClipOptions))
"""Options of data that are about pictures and videos."""

OF_CLIPS = ("flip", "zoom", "brightness", "drop_frames")
"""Options of batches that are about them."""

OF_SOUND = tuple(field.name for field in dataclasses.fields(SoundOptions))
"""Options of data that are about sound."""


def _require_fitting(options: SequenceOptions, inputs: InputCodec) -> None:
    """`ConfigError` for options about what the steps do not have."""
    as_usual = {field.name: field.default for field in dataclasses.fields(options.batches)}
    varied = [] if inputs.frames else [name for name in OF_CLIPS if getattr(options.batches, name) != as_usual[name]]
    if varied:
        raise ConfigError(f"`{varied[0]}` varies pictures and videos, and DATA has none. Leave it out.")
    require_varied(options.batches, inputs)
    usual = {field.name: field.default for field in dataclasses.fields(options.data)}
    heard = [] if inputs.sound else [name for name in OF_SOUND if getattr(options.data, name) != usual[name]]
    if heard:
        raise ConfigError(f"`{heard[0]}` is for sound, and DATA has none. Leave it out.")
    seen = [] if inputs.frames else [name for name in OF_FRAMES if getattr(options.data, name) != usual[name]]
    if seen:
        raise ConfigError(f"`{seen[0]}` is for pictures and videos, and DATA has none. Leave it out.")
    if inputs.tokens is not None:
        return
    model: Any = getattr(options, "model", None)
    changed = [name for name in OF_TOKENS if getattr(options.data, name) != usual[name]]
    changed += ["rare_dropout"] if model.rare_dropout else []
    if changed:
        raise ConfigError(f"`{changed[0]}` is for words and characters, and DATA has none. Leave it out; `noise` is for numbers.")


def sizes_of(codecs: SequenceCodecs[Any]) -> InputSizes:
    """What a network has to read."""
    return InputSizes(**codecs.inputs.sizes)
