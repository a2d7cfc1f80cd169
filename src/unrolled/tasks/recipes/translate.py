"""One sequence after another one."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from unrolled.cells import Cell
from unrolled.data.codecs import PairCodec, TextCodec
from unrolled.data.formats.heads import FormatSeen
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import resolve_pairs, seen_pairs
from unrolled.extras import extra
from unrolled.models import EncoderDecoder
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.learners import Batches
from unrolled.tasks.overview import Overview
from unrolled.tasks.recipe import Answering, Recipe, Writing, Written
from unrolled.tasks.task import Task
from unrolled.tasks.texts.prompting import drawn
from unrolled.tasks.trained import Progress
from unrolled.tasks.translation.answers import AttentionOptions, answer
from unrolled.tasks.translation.measuring import TranslationMeasuring
from unrolled.tasks.translation.options import DrawingOptions, SearchOptions, TranslationOptions
from unrolled.tasks.translation.reading import PairData, read_pair_data
from unrolled.tasks.translation.results import TranslationScores
from unrolled.tasks.translation.trained import TrainedTranslator


class Translating(Recipe[TranslationOptions, PairData, PairCodec, EncoderDecoder, TrainedTranslator]):
    """Learns to write one sequence after reading another one."""

    name, noun, options = "translate", "a translator", TranslationOptions
    data_name = "PAIRS"
    widens = True
    commands = ("predict", "sample", "evaluate", "chat", "inspect")
    sampling = (DrawingOptions,)
    evaluating = (PairOptions, SearchOptions)
    predicting = (PairOptions, SearchOptions, AttentionOptions)
    help = """Train a network that writes one sequence after reading another one, on PAIRS: two columns of a table, JSON Lines,
    a file `source` beside a file `target`, or builtin:dates and the like; see docs/data.md.

    A twentieth of the sources, drawn at random, is held out with all their targets, unless `validation` names other pairs; the weights
    with the lowest loss on it are kept. To learn the other direction, exchange the two sides: sources are always written first.
    """

    def read(self, configuration: Configuration[TranslationOptions], progress: Progress) -> PairData:
        """The pairs."""
        return read_pair_data(configuration, progress, self._widened)

    def _widened(self, codecs: PairCodec) -> PairCodec:
        known: PairCodec | None = self.known
        return codecs if known is None else known.widened(codecs, widen=self.widen)

    def codecs(self, found: Any) -> PairCodec:
        """Stored codecs."""
        return PairCodec.from_json(found)

    def resolve(self, configuration: Configuration[TranslationOptions], codecs: PairCodec) -> Configuration[TranslationOptions]:
        """With the level that texts are cut at, and the columns that other files are read from."""
        options = configuration.options
        symbols = dataclasses.replace(options.symbols, level=codecs.source.level)
        return configuration.replace(symbols=symbols, reading=resolve_pairs(options.data.sources, options.reading))

    def build(self, configuration: Configuration[TranslationOptions], codecs: PairCodec, cell: Cell) -> EncoderDecoder:
        """The network for these symbols."""
        return EncoderDecoder(codecs.source.size, codecs.target.size, configuration.options.model, cell=cell, end=TextCodec.end)

    def task(self, model: EncoderDecoder, data: PairData, configuration: Configuration[TranslationOptions]) -> Task:
        """The pairs in batches."""
        batch, train = configuration.options.data.batch, data.train
        training = configuration.options.training
        learner = Batches(model, lambda chance: train.order(batch, chance), train.target_lengths, train.batch, training.seed)
        measuring = TranslationMeasuring(model, data, batch)
        return Task(self.name, model, learner, measuring, data.summary, training.best_by)

    def seen_format(self, configuration: Configuration[TranslationOptions]) -> FormatSeen:
        """That of the first file."""
        return seen_pairs(configuration.options.data.sources, configuration.options.reading)

    def overview(self, data: PairData, configuration: Configuration[TranslationOptions]) -> Overview:
        """The pairs."""
        return data.overview(divided=not configuration.options.data.validation)

    def trained(self, model: EncoderDecoder, codecs: PairCodec, configuration: Configuration[TranslationOptions]) -> TrainedTranslator:
        """The network with its codecs."""
        return TrainedTranslator(model, codecs, configuration.options.reading)

    def evaluate(
        self, trained: TrainedTranslator, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> TranslationScores:
        """How close translations come to their references."""
        extra("sacrebleu.metrics")
        pairs, search = parts
        return trained.evaluate(data, reading=trained.reading_of(**pairs), search=SearchOptions(**search), progress=progress)

    def predict(self, trained: TrainedTranslator, file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """Translations."""
        pairs, search, pictures = parts
        return answer(trained, file, pairs, search, pictures.get("attention"), how)

    def sample(self, trained: TrainedTranslator, parts: Sequence[Mapping[str, Any]], say: Callable[[str], None]) -> Iterable[Written]:
        """Texts for sources."""
        (options,) = parts
        return drawn(trained, options, say)

    def next_step(self, codecs: PairCodec, configuration: Configuration[TranslationOptions]) -> str:
        """Answers."""
        return "Let it answer what you type: unrolled predict {run}"
