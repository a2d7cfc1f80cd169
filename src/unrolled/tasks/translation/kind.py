"""Translation as a kind of task."""

import dataclasses
from collections.abc import Mapping

from unrolled.cells import Cell
from unrolled.data.coding import Coding
from unrolled.data.pairs import Codings
from unrolled.models import EncoderDecoder
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.kind import Progress
from unrolled.tasks.translation.material import Bilingual, read_bilingual
from unrolled.tasks.translation.options import GROUPS
from unrolled.tasks.translation.task import TranslationTask
from unrolled.tasks.translation.trained import TrainedTranslator


class Translating:
    """Learns to write one sequence after reading another one."""

    name = "translate"
    groups: Mapping[str, type] = GROUPS
    file = "symbols.json"

    def read(self, configuration: Configuration, progress: Progress) -> Bilingual:
        """The pairs."""
        return read_bilingual(configuration, progress)

    def recall(self, text: str) -> Codings:
        """Stored symbols."""
        return Codings.from_json(text)

    def settle(self, configuration: Configuration, knowledge: Codings) -> Configuration:
        """With the level that texts are cut at."""
        symbols = dataclasses.replace(configuration["symbols"], level=knowledge.source.level)
        return dataclasses.replace(configuration, groups={**configuration.groups, "symbols": symbols})

    def build(self, configuration: Configuration, knowledge: Codings, cell: Cell) -> EncoderDecoder:
        """The network for these symbols."""
        return EncoderDecoder(knowledge.source.size, knowledge.target.size, configuration["model"], cell=cell, end=Coding.end)

    def task(self, model: EncoderDecoder, material: Bilingual, configuration: Configuration) -> TranslationTask:
        """The pairs in batches."""
        model = model.to(configuration["training"].find_device())
        return TranslationTask(model, material, configuration["data"].batch, configuration["training"].seed)

    def trained(self, model: EncoderDecoder, knowledge: Codings, configuration: Configuration) -> TrainedTranslator:
        """The network with its symbols."""
        return TrainedTranslator(model, knowledge, configuration["reading"])
