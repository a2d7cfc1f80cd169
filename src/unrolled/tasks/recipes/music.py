"""The next frame or event of a piece of music."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.cells import Cell
from unrolled.data.codecs.music import BEGINNING, EventCodec, MusicCodec, music_codec
from unrolled.data.codecs.text import EVENT
from unrolled.data.formats.heads import FormatSeen
from unrolled.data.music.piece import KEYS, Piece
from unrolled.data.music.streams import PieceStreams
from unrolled.models import Encoder, IndependentKeys, InputSizes, JointKeys, NextStep, language_model
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.learners import StreamWindows
from unrolled.tasks.music.measuring import MusicMeasuring
from unrolled.tasks.music.options import MusicSampleOptions, MusicScoreOptions, MusicTaskOptions, OtherMusicReading
from unrolled.tasks.music.reading import MusicData, read_music_data
from unrolled.tasks.music.scores import MusicScores
from unrolled.tasks.music.trained import TrainedMusician
from unrolled.tasks.music.writing import as_abc, draw_piece, require_apart, write_piece
from unrolled.tasks.overview import Overview
from unrolled.tasks.recipe import Recipe, Scored, Written
from unrolled.tasks.task import Task
from unrolled.tasks.texts.options import resolved_model
from unrolled.tasks.trained import Progress


class Music(Recipe[MusicTaskOptions, MusicData, MusicCodec, NextStep, TrainedMusician]):
    """Learns to predict the next frame or event of pieces of music."""

    name, noun, options, data_name = "music", "a network for music", MusicTaskOptions, "FILE"
    commands = ("sample", "score", "evaluate", "inspect")
    evaluating, sampling, scoring = (OtherMusicReading,), (MusicSampleOptions,), (MusicScoreOptions,)
    help = """Train a network that writes music on FILES: MIDI, ABC tunes, piano rolls, or folders of them; see docs/music.md.

    A tenth of the pieces, drawn at random, is held out, unless `validation` names others or files are divided into parts; the weights under which the
    held-out part is likeliest are kept. Files and pieces that cannot be read are left out, and counted.
    """

    def read(self, configuration: Configuration[MusicTaskOptions], progress: Progress) -> MusicData:
        """The pieces, encoded."""
        return read_music_data(configuration.options.data, configuration.options.training.seed, progress)

    def codecs(self, found: Any) -> MusicCodec:
        """A stored codec."""
        return music_codec(found)

    def agree(self, configuration: Configuration[MusicTaskOptions], codecs: MusicCodec) -> bool:
        """Whether both are of one view."""
        return configuration.options.data.view == codecs.view

    def resolve(self, configuration: Configuration[MusicTaskOptions], codecs: MusicCodec) -> Configuration[MusicTaskOptions]:
        """With the embedding size of events."""
        if not isinstance(codecs, EventCodec):
            return configuration
        return configuration.replace(model=resolved_model(configuration.options.model, codecs.size, EVENT))

    def build(self, configuration: Configuration[MusicTaskOptions], codecs: MusicCodec, cell: Cell) -> NextStep:
        """The network for frames or for these events."""
        options = configuration.options.model
        if isinstance(codecs, EventCodec):
            return language_model(codecs.size, options, cell, line_end=codecs.end)
        head = JointKeys(KEYS, options.chord_hidden) if options.output == "joint" else IndependentKeys(KEYS)
        return NextStep(Encoder(InputSizes(numbers=KEYS + 1), options.encoder(), cell), head, line_end=BEGINNING)

    def task(self, model: NextStep, data: MusicData, configuration: Configuration[MusicTaskOptions]) -> Task:
        """The pieces in streams."""
        options = configuration.options
        streams = PieceStreams(
            data.codec, data.learnt, options.streams.batch, options.streams.window, options.training.seed, options.data.transpose
        )
        learner = StreamWindows(model, streams, options.streams)
        return Task(self.name, model, learner, MusicMeasuring(model, data), data.summary(), options.training.best_by)

    def seen_format(self, configuration: Configuration[MusicTaskOptions]) -> FormatSeen:
        """Music."""
        return FormatSeen("music", "as the names of the files say")

    def overview(self, data: MusicData, configuration: Configuration[MusicTaskOptions]) -> Overview:
        """The pieces."""
        lengths = np.array([*map(len, data.learnt), *map(len, data.held)], np.int64)
        kind = (data.codec.view,)
        return Overview(data.summary(), lengths, kind, kind, (), {}, len(data.learnt), len(data.held))

    def trained(self, model: NextStep, codecs: MusicCodec, configuration: Configuration[MusicTaskOptions]) -> TrainedMusician:
        """The network with its codec, and how files were read."""
        return TrainedMusician(model, codecs, configuration.options.data.reading("test"))

    def evaluate(
        self, trained: TrainedMusician, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> MusicScores:
        """How well pieces are known before they come."""
        ((reading,)) = parts
        return trained.evaluate(data, progress=progress, **reading)

    def sample(self, trained: TrainedMusician, parts: Sequence[Mapping[str, Any]], say: Callable[[str], None]) -> Iterable[Written]:
        """Pieces, written where the options say, or as ABC to the terminal."""
        ((values),) = parts
        asked = MusicSampleOptions(**values)
        files = [Path(name) for name in (asked.out, asked.wav) if name is not None]
        require_apart(asked)
        return (Written("", (text,)) for text in _written(trained, trained.sample(asked), files, asked))

    def likelihoods(
        self, trained: TrainedMusician, given: Sequence[str], parts: Sequence[Mapping[str, Any]], say: Callable[[str], None]
    ) -> tuple[Sequence[Scored], bool]:
        """Of all pieces of each file."""
        ((values),) = parts
        asked = MusicScoreOptions(**values)
        pieces = [trained.read(file, part=asked.part, voices=asked.voices, pedal=asked.pedal) for file in given]
        if asked.picture is not None:
            draw_piece(*trained.surprise(pieces[0][0]), Path(asked.picture))
            say(f"The first piece is drawn in {asked.picture}.")
        return [Scored(file, sum(map(trained.score, some)), name="file") for file, some in zip(given, pieces, strict=True)], False

    def next_step(self, codecs: MusicCodec, configuration: Configuration[MusicTaskOptions]) -> str:
        """Samples."""
        return "Let it write: unrolled sample {run} --out tune.mid"


def _written(trained: TrainedMusician, pieces: Sequence[Piece], files: Sequence[Path], asked: MusicSampleOptions) -> Iterator[str]:
    """Write and draw pieces, and say where; the files of those after the first have a number in their names."""
    for number, piece in enumerate(pieces, 1):
        where = [path if number == 1 else path.with_stem(f"{path.stem}-{number}") for path in files]
        for path in where:
            write_piece(piece, path)
        if asked.picture is not None:
            path = Path(asked.picture)
            where.append(path if number == 1 else path.with_stem(f"{path.stem}-{number}"))
            draw_piece(*trained.surprise(piece), where[-1])
        yield f"{len(piece.notes):,} notes: {', '.join(map(str, where))}" if files else as_abc(piece).rstrip()
