"""The next character or word of a text, or the next event of a case."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from unrolled.cells import Cell
from unrolled.data.corpus import Corpus, prepare
from unrolled.data.event_corpus import prepare_events
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import ConfigError, RunError
from unrolled.models import LanguageModel
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.language_model.options import GROUPS, NAME, DataOptions, TextReading
from unrolled.tasks.language_model.task import LanguageModelTask
from unrolled.tasks.language_model.trained import TrainedLanguageModel, describe
from unrolled.tasks.recipe import Progress
from unrolled.tasks.summary import Answering, Summary, Writing


class LanguageModelling:
    """Learns to predict the next character or word of a text, or the next event of a case."""

    name = NAME
    groups: Mapping[str, type] = GROUPS
    file = "vocabulary.json"
    data_name = "DATA"
    noun = "a language model"
    commands = ("sample", "score", "evaluate", "inspect")
    evaluating = (TextReading,)
    predicting: tuple[type, ...] = ()
    help = """Train a language model on DATA: text files, or builtin:python-docs, builtin:python-source; or a model of the next
    event on event logs, with --case and --activity.

    The last tenth of the text, or of the cases, is held out, unless --validation names another one, and the loss of all of it is measured.
    """

    def read(self, configuration: Configuration, progress: Progress) -> Corpus:
        """The texts or event logs, encoded."""
        options: DataOptions = configuration["data"]
        if not options.sources:
            raise ConfigError("There is no DATA to train on. Pass a text file, or builtin:python-docs.")
        common: dict[str, Any] = {
            "size": options.vocabulary,
            "validation": options.validation,
            "held_out": options.held_out,
            "progress": progress,
        }
        if options.reading is not None:
            return prepare_events(options.sources, options.reading, **common)
        return prepare(options.sources, level=options.level or "char", encoding=options.encoding, **common)

    def from_json(self, text: str) -> Vocabulary:
        """A stored vocabulary."""
        return Vocabulary.from_json(text)

    def resolve(self, configuration: Configuration, knowledge: Vocabulary) -> Configuration:
        """With the columns of the input vectors, whether lines stand alone, and how often streams are reset."""
        model = configuration["model"].for_vocabulary(knowledge)
        streams = configuration["streams"].for_lines(model.lines)
        return dataclasses.replace(configuration, groups={**configuration.groups, "model": model, "streams": streams})

    def build(self, configuration: Configuration, knowledge: Vocabulary, cell: Cell) -> LanguageModel:
        """The network for this vocabulary."""
        model: LanguageModel = configuration["model"].build(knowledge.size, cell)
        return model

    def task(self, model: LanguageModel, material: Corpus, configuration: Configuration) -> LanguageModelTask:
        """The corpus in streams."""
        return LanguageModelTask(model, material, configuration["streams"], configuration["training"].find_device())

    def trained(self, model: Any, knowledge: Vocabulary, configuration: Configuration) -> TrainedLanguageModel:
        """The network with its vocabulary and the columns of its event logs."""
        return TrainedLanguageModel(model, knowledge, configuration["data"].reading)

    def evaluate(
        self, trained: TrainedLanguageModel, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> Summary:
        """Nats, and what follows from them."""
        (reading,) = parts
        found = trained.evaluate(data, progress=progress, **reading)
        numbers: dict[str, Any] = {"nats": found.nats, "bits": found.bits, "perplexity": found.perplexity, **found.accuracies}
        numbers |= {"tokens": found.tokens, "unknown": found.unknown, "unigram": found.unigram, "parts": found.parts, "lost": found.lost}
        return Summary(numbers, f"{describe(found, trained.vocabulary)}, perplexity {found.perplexity:.3f}, over {found.tokens:,} tokens")

    def predict(self, trained: TrainedLanguageModel, file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """Nothing: a language model writes and scores."""
        raise RunError("A language model labels nothing. Use `unrolled sample` or `unrolled score` with it.")

    def next_step(self, knowledge: Vocabulary, configuration: Configuration) -> str:
        """Samples."""
        return "Let it write: unrolled sample {run}"
