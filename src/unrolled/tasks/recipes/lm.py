"""The next character or word of a text, or the next event of a case."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from unrolled.cells import Cell
from unrolled.data.codecs import TextCodec
from unrolled.data.codecs.text import CHAR
from unrolled.data.corpus import Corpus, prepare
from unrolled.data.event_corpus import prepare_events
from unrolled.data.examples import Target
from unrolled.data.formats import resolve_reading, seen_format
from unrolled.data.formats.heads import FormatSeen
from unrolled.data.formats.options import columns_named
from unrolled.data.streams import Streams, line_lengths
from unrolled.errors import ConfigError
from unrolled.models import NextStep, language_model
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.learners import StreamWindows
from unrolled.tasks.measures.likelihood import Likelihood
from unrolled.tasks.overview import Overview
from unrolled.tasks.recipe import Recipe, Scored, Written
from unrolled.tasks.task import Task
from unrolled.tasks.texts.measuring import TextMeasuring
from unrolled.tasks.texts.options import LanguageModelOptions, TextDataOptions, TextReading, TextSampleOptions, resolved_model
from unrolled.tasks.texts.prompting import drawn, lines_of, names_lines, say_unknown
from unrolled.tasks.texts.trained import TrainedLanguageModel
from unrolled.tasks.trained import Progress

SHOWN = 40
"""Symbols, and characters, of a text that are shown when training begins."""


class LanguageModelling(Recipe[LanguageModelOptions, Corpus, TextCodec, NextStep, TrainedLanguageModel]):
    """Learns to predict the next character or word of a text, or the next event of a case."""

    name, noun, options = "lm", "a language model", LanguageModelOptions
    widens = True
    commands = ("sample", "score", "evaluate", "inspect")
    evaluating, sampling = (TextReading,), (TextSampleOptions,)
    help = """Train a language model on DATA: text files, or builtin:python-docs, builtin:python-source; or a model of the next
    event on event logs, with `case` and `activity`.

    The last tenth of the text, or of the cases, is held out, unless `validation` names another one, and the loss of all of it is measured.
    """

    def read(self, configuration: Configuration[LanguageModelOptions], progress: Progress) -> Corpus:
        """The texts or event logs, encoded."""
        options = configuration.options.data
        if not options.sources:
            raise ConfigError("There is no DATA to train on. Pass a text file, or builtin:python-docs.")
        common: dict[str, Any] = {
            "size": options.vocabulary,
            "validation": options.validation,
            "held_out": options.held_out,
            "known": self.known,
            "widen": self.widen,
            "progress": progress,
        }
        if options.reading is not None:
            return prepare_events(options.sources, options.reading, **common)
        return prepare(options.sources, level=options.level or CHAR, encoding=options.encoding, **common)

    def codecs(self, found: Any) -> TextCodec:
        """A stored codec."""
        return TextCodec.from_json(found)

    def resolve(self, configuration: Configuration[LanguageModelOptions], codecs: TextCodec) -> Configuration[LanguageModelOptions]:
        """With the embedding size, whether lines stand alone, and how often streams are reset."""
        options = configuration.options
        model = resolved_model(options.model, codecs.size, codecs.level)
        return configuration.replace(model=model, streams=options.streams.for_lines(bool(model.lines)))

    def build(self, configuration: Configuration[LanguageModelOptions], codecs: TextCodec, cell: Cell) -> NextStep:
        """The network for these symbols."""
        options = configuration.options.model
        return language_model(codecs.size, options, cell, line_end=TextCodec.end if options.lines else None)

    def task(self, model: NextStep, data: Corpus, configuration: Configuration[LanguageModelOptions]) -> Task:
        """The text in streams."""
        options = configuration.options.streams
        learner = StreamWindows(model, Streams(data.train, options.batch, options.window), options)
        measuring = TextMeasuring(model, data)
        return Task(
            self.name, model, learner, measuring, _summary(data, configuration.options.data), configuration.options.training.best_by
        )

    def seen_format(self, configuration: Configuration[LanguageModelOptions]) -> FormatSeen:
        """Plain text, or that of event logs."""
        options = configuration.options.data
        if options.reading is None:
            return FormatSeen("text", "as no columns are named")
        return seen_format(options.sources, options.reading, Target.LABELS)

    def overview(self, data: Corpus, configuration: Configuration[LanguageModelOptions]) -> Overview:
        """The lines, or the cases."""
        options = configuration.options.data
        lengths = line_lengths(data.train) if options.validation else line_lengths(data.train, data.held_out)
        kind = (options.activity or data.codec.level,)
        held_out = len(line_lengths(data.held_out))
        learnt = len(lengths) - (0 if options.validation else held_out)
        return Overview(_summary(data, options), lengths, kind, kind, _left_out(options), {}, learnt, held_out)

    def trained(self, model: NextStep, codecs: TextCodec, configuration: Configuration[LanguageModelOptions]) -> TrainedLanguageModel:
        """The network with its codec and the columns of its event logs."""
        return TrainedLanguageModel(model, codecs, configuration.options.data.reading)

    def evaluate(
        self, trained: TrainedLanguageModel, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> Likelihood:
        """Nats, and what follows from them."""
        (reading,) = parts
        return trained.evaluate(data, progress=progress, **reading)

    def sample(self, trained: TrainedLanguageModel, parts: Sequence[Mapping[str, Any]], say: Callable[[str], None]) -> Iterable[Written]:
        """Texts."""
        (options,) = parts
        return drawn(trained, options, say)

    def likelihoods(
        self, trained: TrainedLanguageModel, given: Sequence[str], parts: Sequence[Mapping[str, Any]], say: Callable[[str], None]
    ) -> tuple[Sequence[Scored], bool]:
        """Sentences, as whole lines, or the lines of a file."""
        lines = names_lines(given)
        sentences = lines_of(given[0]) if lines else given
        say_unknown(trained, sentences, say)
        return trained.score_lines(sentences), lines

    def next_step(self, codecs: TextCodec, configuration: Configuration[LanguageModelOptions]) -> str:
        """Samples."""
        return "Let it write: unrolled sample {run}"


def _summary(data: Corpus, options: TextDataOptions) -> str:
    """What is input and target, how much there is of it, and how it begins."""
    codec, begin, left = data.codec, data.train.read(0, min(SHOWN, len(data.train))), _left_out(options)
    return (
        f"{len(data.train):,} tokens to learn, {len(data.held_out):,} held out. Input and target: each {codec.level} of the text, from "
        f"{codec.size:,} symbols; it begins {codec.decode(begin)[:SHOWN]!r}.{f' Left out: {columns_named(left)}.' if left else ''}"
    )


def _left_out(data: TextDataOptions) -> tuple[str, ...]:
    """The columns of an event log that have no part in it."""
    return () if data.reading is None else resolve_reading(data.sources, data.reading, Target.LABELS).left
