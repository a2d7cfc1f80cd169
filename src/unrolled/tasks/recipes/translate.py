"""One sequence after another one."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from unrolled.cells import Cell
from unrolled.data.coding import Coding
from unrolled.data.pairs import Codings, PairOptions
from unrolled.models import EncoderDecoder
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.recipe import Progress
from unrolled.tasks.summary import Answering, Summary, Writing
from unrolled.tasks.translation.answers import AttentionOptions, answer, summarise
from unrolled.tasks.translation.material import Bilingual, read_bilingual
from unrolled.tasks.translation.options import GROUPS, SearchOptions
from unrolled.tasks.translation.task import TranslationTask
from unrolled.tasks.translation.trained import TrainedTranslator


class Translating:
    """Learns to write one sequence after reading another one."""

    name = "translate"
    groups: Mapping[str, type] = GROUPS
    file = "symbols.json"
    data_name = "PAIRS"
    noun = "a translator"
    commands = ("predict", "evaluate", "chat", "inspect")
    evaluating = (PairOptions, SearchOptions)
    predicting = (PairOptions, SearchOptions, AttentionOptions)
    help = """Train a network that writes one sequence after reading another one, on PAIRS: a source, a tab and a target on each
    line, JSON Lines, --source FILE beside --target FILE, or builtin:dates and the like; see docs/data.md.

    A twentieth of the sources, drawn at random, is held out with all their targets, unless --validation names other pairs; the weights
    with the lowest loss on it are kept. To learn the other direction, exchange the two sides: sources are always written first.
    """

    def read(self, configuration: Configuration, progress: Progress) -> Bilingual:
        """The pairs."""
        return read_bilingual(configuration, progress)

    def from_json(self, text: str) -> Codings:
        """Stored symbols."""
        return Codings.from_json(text)

    def resolve(self, configuration: Configuration, knowledge: Codings) -> Configuration:
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

    def evaluate(self, trained: TrainedTranslator, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress) -> Summary:
        """Scores of translations."""
        pairs, search = parts
        return summarise(trained, data, pairs, search, progress)

    def predict(self, trained: TrainedTranslator, file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """Translations."""
        pairs, search, pictures = parts
        return answer(trained, file, pairs, search, pictures.get("attention"), how)

    def next_step(self, knowledge: Codings, configuration: Configuration) -> str:
        """Answers."""
        return "Let it answer what you type: unrolled predict {run}"
