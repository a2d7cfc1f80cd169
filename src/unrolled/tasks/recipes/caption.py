"""A sentence about a picture or a video."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from unrolled.cells import Cell
from unrolled.data.batches import Batch
from unrolled.data.codecs.text import TextCodec
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.captions import caption_format
from unrolled.data.formats.heads import FormatSeen
from unrolled.extras import extra
from unrolled.models import FRAMES, Captioner, InputSizes
from unrolled.tasks.captioning.answers import answer
from unrolled.tasks.captioning.captions import CaptionCodecs
from unrolled.tasks.captioning.looking import LookingOptions
from unrolled.tasks.captioning.measuring import CaptionMeasuring
from unrolled.tasks.captioning.options import FEATURES, CaptioningOptions, WritingOptions
from unrolled.tasks.captioning.overview import overview_of
from unrolled.tasks.captioning.reading import CaptionData, read_caption_data
from unrolled.tasks.captioning.scores import CaptioningScores
from unrolled.tasks.captioning.trained import TrainedCaptioner
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.learners import Batches
from unrolled.tasks.overview import Overview
from unrolled.tasks.recipe import Answering, Recipe, Writing
from unrolled.tasks.sequences.augment import varied_clips
from unrolled.tasks.sequences.options import ClipVariation
from unrolled.tasks.task import Task
from unrolled.tasks.trained import Progress


class Captioning(Recipe[CaptioningOptions, CaptionData, CaptionCodecs, Captioner, TrainedCaptioner]):
    """Learns to say what is in pictures and videos."""

    name, noun, options = "caption", "a network that writes about pictures", CaptioningOptions
    widens = True
    commands = ("predict", "evaluate", "inspect")
    reads_many = True
    evaluating = (CaptionOptions, WritingOptions)
    predicting = (CaptionOptions, WritingOptions, LookingOptions)
    help = """Train a network that writes a sentence about each picture or video of DATA: a table with pictures and sentences, JSON of COCO or of
    Karpathy's splits, JSON Lines, Flickr8k's tokens, or folders with a text file beside each picture; see docs/captions.md.

    A tenth of the pictures, drawn at random, is held out with all their sentences, unless `validation` names other ones; the weights with the lowest
    loss on it are kept. Beside the network stand one sentence for all, the sentence of the most similar picture, and the same network without the picture.
    """

    def read(self, configuration: Configuration[CaptioningOptions], progress: Progress) -> CaptionData:
        """The pictures with their sentences."""
        return read_caption_data(configuration.options, progress, self.known, widen=self.widen)

    def codecs(self, found: Any) -> CaptionCodecs:
        """Stored codecs."""
        return CaptionCodecs.from_json(found)

    def resolve(self, configuration: Configuration[CaptioningOptions], codecs: CaptionCodecs) -> Configuration[CaptioningOptions]:
        """Nothing is open."""
        return configuration

    def build(self, configuration: Configuration[CaptioningOptions], codecs: CaptionCodecs, cell: Cell) -> Captioner:
        """The network for these pictures and symbols."""
        options = configuration.options.model
        sizes = InputSizes(**codecs.inputs.sizes)
        eyes = options.eyes(moving=codecs.moving)
        return Captioner(sizes, eyes, codecs.target.size, options, cell=cell, blind=options.blind, end=TextCodec.end)

    def task(self, model: Captioner, data: CaptionData, configuration: Configuration[CaptioningOptions]) -> Task:
        """The pictures with their sentences in batches."""
        options, captions = configuration.options, data.captions
        pairs = captions.pairs_of(data.learnt)
        learner = Batches(
            model,
            lambda chance: captions.order(pairs, options.data.batch, chance),
            captions.lengths,
            captions.batch,
            options.training.seed,
            change=lambda batch: _varied(batch, options.data),
        )
        return Task(self.name, model, learner, CaptionMeasuring(model, data, options), data.summary(), options.training.best_by)

    def seen_format(self, configuration: Configuration[CaptioningOptions]) -> FormatSeen:
        """That of the first of them."""
        options = configuration.options
        if not options.data.sources:
            return FormatSeen("captions", "as the task reads pictures with sentences")
        return caption_format(options.data.sources[0], options.reading, features=options.data.encoder == FEATURES)

    def overview(self, data: CaptionData, configuration: Configuration[CaptioningOptions]) -> Overview:
        """The pictures with their sentences."""
        return overview_of(data)

    def trained(self, model: Captioner, codecs: CaptionCodecs, configuration: Configuration[CaptioningOptions]) -> TrainedCaptioner:
        """The network with its codecs."""
        return TrainedCaptioner(model, codecs, configuration.options)

    def evaluate(
        self, trained: TrainedCaptioner, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> CaptioningScores:
        """How close sentences come to their references."""
        extra("sacrebleu.metrics")
        reading, writing = parts
        return trained.evaluate(data, reading=trained.reading_of(**reading), writing=WritingOptions(**writing), progress=progress)

    def predict_files(self, trained: TrainedCaptioner, files: Sequence[str], parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """Sentences."""
        reading, writing, looking = parts
        return answer(trained, files, reading, WritingOptions(**writing), LookingOptions(**looking), how)

    def next_step(self, codecs: CaptionCodecs, configuration: Configuration[CaptioningOptions]) -> str:
        """Other pictures."""
        return "Let it write about a picture: unrolled predict {run} PICTURE"


def _varied(batch: Batch, ways: ClipVariation) -> Batch:
    """Other pictures of the same: nothing but frames is changed."""
    if FRAMES not in batch.fields:
        return batch
    return replace(batch, fields={**batch.fields, FRAMES: varied_clips(batch[FRAMES], ways)})
