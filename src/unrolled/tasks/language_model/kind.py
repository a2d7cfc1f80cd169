"""Language modelling as a kind of task."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from unrolled.cells import Cell
from unrolled.data.corpus import Corpus, prepare
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import ConfigError
from unrolled.models import LanguageModel
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.kind import Progress
from unrolled.tasks.language_model.options import GROUPS, NAME, DataOptions
from unrolled.tasks.language_model.task import LanguageModelTask
from unrolled.tasks.language_model.trained import TrainedLanguageModel


class LanguageModelling:
    """Learns to predict the next character or word of a text."""

    name = NAME
    groups: Mapping[str, type] = GROUPS
    file = "vocabulary.json"

    def read(self, configuration: Configuration, progress: Progress) -> Corpus:
        """The texts, encoded."""
        options: DataOptions = configuration["data"]
        if not options.sources:
            raise ConfigError("There is no DATA to train on. Pass a text file, or builtin:python-docs.")
        return prepare(
            options.sources,
            level=options.level or "char",
            size=options.vocabulary,
            encoding=options.encoding,
            validation=options.validation,
            held_out=options.held_out,
            progress=progress,
        )

    def recall(self, text: str) -> Vocabulary:
        """A stored vocabulary."""
        return Vocabulary.from_json(text)

    def settle(self, configuration: Configuration, knowledge: Vocabulary) -> Configuration:
        """With the columns of the input vectors."""
        model = configuration["model"].for_symbols(knowledge.size)
        return dataclasses.replace(configuration, groups={**configuration.groups, "model": model})

    def build(self, configuration: Configuration, knowledge: Vocabulary, cell: Cell) -> LanguageModel:
        """The network for this vocabulary."""
        model: LanguageModel = configuration["model"].build(knowledge.size, cell)
        return model

    def task(self, model: LanguageModel, material: Corpus, configuration: Configuration) -> LanguageModelTask:
        """The corpus in streams."""
        return LanguageModelTask(model, material, configuration["streams"], configuration["training"].find_device())

    def trained(self, model: Any, knowledge: Vocabulary, configuration: Configuration) -> TrainedLanguageModel:
        """The network with its vocabulary."""
        return TrainedLanguageModel(model, knowledge)
