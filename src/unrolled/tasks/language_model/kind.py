"""Language modelling as a kind of task."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from unrolled.cells import Cell
from unrolled.data.corpus import Corpus, prepare
from unrolled.data.event_corpus import prepare_events
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import ConfigError
from unrolled.models import LanguageModel
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.kind import Progress
from unrolled.tasks.language_model.options import GROUPS, NAME, DataOptions
from unrolled.tasks.language_model.task import LanguageModelTask
from unrolled.tasks.language_model.trained import TrainedLanguageModel


class LanguageModelling:
    """Learns to predict the next character or word of a text, or the next event of a case."""

    name = NAME
    groups: Mapping[str, type] = GROUPS
    file = "vocabulary.json"

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

    def recall(self, text: str) -> Vocabulary:
        """A stored vocabulary."""
        return Vocabulary.from_json(text)

    def settle(self, configuration: Configuration, knowledge: Vocabulary) -> Configuration:
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
