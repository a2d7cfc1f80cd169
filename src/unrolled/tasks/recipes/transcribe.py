"""What is said in a recording, as text."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from unrolled.cells import Cell
from unrolled.data.batches import Batch, by_length
from unrolled.data.codecs import InputCodec
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.data.examples import Target
from unrolled.data.formats import seen_format
from unrolled.data.formats.heads import FormatSeen
from unrolled.data.vocabulary import damaged
from unrolled.extras import extra
from unrolled.models import CTC, Encoder, EncoderDecoder, Unaligned
from unrolled.models.heads.ctc import least
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.learners import Batches
from unrolled.tasks.measures.edits import SpeechScores
from unrolled.tasks.overview import Overview
from unrolled.tasks.recipe import Answering, Recipe, Writing
from unrolled.tasks.sequences.answers import ConfusionOptions
from unrolled.tasks.sequences.augment import Variation, warping_of
from unrolled.tasks.sequences.recipe import require_varied, sizes_of
from unrolled.tasks.task import Task
from unrolled.tasks.trained import Progress
from unrolled.tasks.transcription.answers import answer
from unrolled.tasks.transcription.measuring import TranscriptMeasuring
from unrolled.tasks.transcription.options import DecodingOptions, FormOptions, OtherTranscriptReading, TranscribeOptions
from unrolled.tasks.transcription.reading import Codecs, TranscriptData, read_transcripts, with_room
from unrolled.tasks.transcription.trained import TrainedTranscriber
from unrolled.tasks.transcription.way import way_of
from unrolled.tasks.transcription.ways import Network


class Transcribing(Recipe[TranscribeOptions, TranscriptData, Codecs, Network, TrainedTranscriber]):
    """Learns to write down what is said."""

    name, noun, options = "transcribe", "a transcriber", TranscribeOptions
    widens = True
    commands = ("predict", "evaluate", "inspect")
    reads_many = True
    evaluating = (OtherTranscriptReading, DecodingOptions, ConfusionOptions)
    predicting = (OtherTranscriptReading, DecodingOptions, FormOptions)
    help = """Train a network that writes down what is said in recordings, on DATA: a table with `audio` and `text`, a folder with a text file
    beside each recording, Kaldi, LibriSpeech and LJSpeech folders, or names of files with a `pattern`; see docs/sound.md.

    A tenth, drawn at random, is held out, unless `validation` names other recordings; the weights with the lowest character error rate on it
    are kept. `group` holds out whole speakers.
    """

    def read(self, configuration: Configuration[TranscribeOptions], progress: Progress) -> TranscriptData:
        """The recordings."""
        return read_transcripts(configuration.options, progress, self._widened)

    def _widened(self, codecs: Codecs) -> Codecs:
        known: Codecs | None = self.known
        if known is None:
            return codecs
        return Codecs(known.inputs.widened(codecs.inputs, widen=self.widen), known.target.widened(codecs.target, widen=self.widen))

    def codecs(self, found: Any) -> Codecs:
        """Stored codecs."""
        if not isinstance(found, dict) or {*found} != {"inputs", "target"}:
            raise damaged("there must be codecs of 'inputs' and 'target'")
        return Codecs(InputCodec.from_json(found["inputs"]), TranscriptCodec.from_json(found["target"]))

    def resolve(self, configuration: Configuration[TranscribeOptions], codecs: Codecs) -> Configuration[TranscribeOptions]:
        """Nothing is open. `ConfigError` for options about sound where there is none."""
        require_varied(configuration.options.batches, codecs.inputs)
        return configuration

    def build(self, configuration: Configuration[TranscribeOptions], codecs: Codecs, cell: Cell) -> Network:
        """The network for this sound and these symbols."""
        options = configuration.options.model
        encoder = Encoder(sizes_of(codecs), options, cell)
        if options.attention:
            return EncoderDecoder(encoder, codecs.target.size, options.decoder(), cell=cell, end=codecs.target.blank)
        return Unaligned(encoder, CTC(codecs.target.size, codecs.target.blank))

    def task(self, model: Network, data: TranscriptData, configuration: Configuration[TranscribeOptions]) -> Task:
        """The recordings in batches."""
        options = configuration.options
        utterances, factor, batches = data.utterances, options.model.subsampling, options.batches
        way, aligned = way_of(model, data.codecs, options), not options.model.attention
        learnt = with_room(utterances, data.learnt, factor) if aligned else data.learnt

        def room(batch: Batch) -> Tensor:
            assert batch.targets is not None and batch.target_lengths is not None
            return least(batch.targets, batch.target_lengths) * factor

        learner = ShortFirst(
            model,
            lambda chance: by_length(utterances.lengths, learnt, batches.batch, chance),
            np.maximum(utterances.transcripts.lengths, 1) if aligned else utterances.transcripts.lengths + 1,
            lambda which: way.batch(utterances, which),
            options.training.seed,
            change=Variation(batches, warping_of(data.codecs.inputs), room if aligned else None),
            epochs=batches.short_first,
        )
        measuring = TranscriptMeasuring(model, data, options)
        return Task(self.name, model, learner, measuring, data.summary(), options.training.best_by)

    def seen_format(self, configuration: Configuration[TranscribeOptions]) -> FormatSeen:
        """That of all files."""
        return seen_format(configuration.options.data.sources, configuration.options.reading, Target.TEXTS)

    def overview(self, data: TranscriptData, configuration: Configuration[TranscribeOptions]) -> Overview:
        """The recordings."""
        learnt, left = data.reading.learnt, data.reading.left
        return Overview(
            data.summary(),
            data.utterances.lengths,
            learnt[:1] or ("sound",),
            learnt[1:] or ("text",),
            left,
            {},
            len(data.learnt),
            len(data.held),
        )

    def trained(self, model: Network, codecs: Codecs, configuration: Configuration[TranscribeOptions]) -> TrainedTranscriber:
        """The network with its codecs."""
        return TrainedTranscriber(model, codecs, configuration.options)

    def evaluate(
        self, trained: TrainedTranscriber, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> SpeechScores:
        """Word and character errors."""
        reading, decoding, picture = parts
        if picture:
            extra("sklearn.metrics")
        found = trained.evaluate(data, reading=trained.reading_of(data, **reading), decoding=DecodingOptions(**decoding), progress=progress)
        if picture:
            found.draw(Path(picture["confusion"]))
        return found

    def predict_files(
        self, trained: TrainedTranscriber, files: Sequence[str], parts: Sequence[Mapping[str, Any]], how: Answering
    ) -> Writing:
        """What is said in recordings."""
        reading, decoding, form = parts
        return answer(trained, files, reading, DecodingOptions(**decoding), FormOptions(**form), how)

    def next_step(self, codecs: Codecs, configuration: Configuration[TranscribeOptions]) -> str:
        """Other recordings."""
        return "Let it write down another recording: unrolled predict {run} FILE"


class ShortFirst(Batches):
    """Batches of which, in the first epochs, those of short sequences come first: a network that begins with them finds out sooner what is said where."""

    def __init__(self, *arguments: Any, epochs: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.epochs = epochs

    def begin(self, epoch: int) -> None:
        """Other batches than in the epoch before, or those in the order of their lengths."""
        if epoch < self.epochs:
            self.order = self._order(None)
        else:
            super().begin(epoch)
