"""The next frames of clips."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from unrolled.cells import Cell
from unrolled.data.batches import in_batches
from unrolled.data.formats import seen_format
from unrolled.data.formats.heads import FormatSeen
from unrolled.models import NextFrames
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.filming.learning import FilmMeasuring
from unrolled.tasks.filming.options import DrawOptions, FilmOptions, SayOptions
from unrolled.tasks.filming.reading import FilmCodecs, FilmData, read_films, wanted_of
from unrolled.tasks.filming.trained import SaidFrames, TrainedFilmmaker
from unrolled.tasks.learners import Batches
from unrolled.tasks.measures.frames import FrameScores
from unrolled.tasks.overview import Overview
from unrolled.tasks.recipe import Answering, Recipe, Writing
from unrolled.tasks.task import Task
from unrolled.tasks.trained import Progress
from unrolled.training.checkpoint import save_whole


class FilmMaking(Recipe[FilmOptions, FilmData, FilmCodecs, NextFrames, TrainedFilmmaker]):
    """Learns to say the next frames."""

    name, noun, options, data_name = "frames", "a network of next frames", FilmOptions, "FILES"
    symbols = False
    commands = ("predict", "evaluate")
    evaluating, predicting = (DrawOptions,), (SayOptions,)
    help = """Train a convolutional recurrent network of any cell that says the next frames of clips, on FILES: videos, GIFs, folders of
    frames, arrays of clips, or builtin:moving-digits and builtin:balls; see docs/video.md.

    A tenth of the clips is held out; the weights with the lowest mean squared error on it are kept, and the network is measured beside the last
    frame and the mean of the past.
    """

    def read(self, configuration: Configuration[FilmOptions], progress: Progress) -> FilmData:
        """The clips."""
        options = configuration.options
        asked = [field.name for field in fields(options.reading) if getattr(options.reading, field.name) != field.default]
        return read_films(options.data, options.reading, asked, options.training.seed, progress)

    def codecs(self, found: Any) -> FilmCodecs:
        """Stored codecs."""
        return FilmCodecs.from_json(found)

    def resolve(self, configuration: Configuration[FilmOptions], codecs: FilmCodecs) -> Configuration[FilmOptions]:
        """Nothing is open."""
        return configuration

    def build(self, configuration: Configuration[FilmOptions], codecs: FilmCodecs, cell: Cell) -> NextFrames:
        """The network for frames of this size."""
        data = configuration.options.data
        return NextFrames(
            codecs.frames.size,
            codecs.past,
            codecs.future,
            configuration.options.model,
            cell,
            bounded=codecs.bounded,
            loss=data.loss,
            teacher_forcing=data.teacher_forcing,
        )

    def task(self, model: NextFrames, data: FilmData, configuration: Configuration[FilmOptions]) -> Task:
        """Windows of clips."""
        options, everything = configuration.options, np.arange(len(data.train))
        said = data.codecs.future if model.recurrent is None else data.train.size - 1
        learner = Batches(
            model,
            lambda chance: in_batches(everything if chance is None else chance.permutation(everything), options.batches.batch, chance),
            np.full(len(data.train), said * int(np.prod(data.codecs.frames.size))),
            data.train.batch,
            options.training.seed,
        )
        measuring = FilmMeasuring(model, data.codecs, data.held_out)
        return Task(self.name, model, learner, measuring, data.summary(), options.training.best_by)

    def seen_format(self, configuration: Configuration[FilmOptions]) -> FormatSeen:
        """That of all files."""
        sources = configuration.options.data.sources
        return seen_format(sources, configuration.options.reading, wanted_of(sources))

    def overview(self, data: FilmData, configuration: Configuration[FilmOptions]) -> Overview:
        """The clips."""
        return Overview(
            data.summary(), data.train.dataset.lengths, ("frames",), ("next frames",), (), {}, len(data.train), len(data.held_out)
        )

    def trained(self, model: NextFrames, codecs: FilmCodecs, configuration: Configuration[FilmOptions]) -> TrainedFilmmaker:
        """The network, and how it sees."""
        return TrainedFilmmaker(model, codecs, configuration.options.reading)

    def evaluate(
        self, trained: TrainedFilmmaker, data: Sequence[str], parts: Sequence[Mapping[str, Any]], progress: Progress
    ) -> FrameScores:
        """Measures of all windows of the clips."""
        if gif := parts[0].get("gif"):
            trained.show(list(data)).draw(gif)
        return trained.evaluate(list(data), progress)

    def predict(self, trained: TrainedFilmmaker, file: str, parts: Sequence[Mapping[str, Any]], how: Answering) -> Writing:
        """What follows the last frames of each clip: a table of what is said of each frame, and the frames as a GIF or an array."""
        asked = SayOptions(**parts[0])
        found = trained.predict(file, asked.future)
        if asked.gif:
            found.draw(asked.gif)
        if asked.npy:
            array = found.said.swapaxes(0, 1)
            save_whole(Path(asked.npy), lambda target: np.save(target, array))
        return lambda target: _write(found, target, as_json=how.as_json)

    def next_step(self, codecs: FilmCodecs, configuration: Configuration[FilmOptions]) -> str:
        """What comes after a clip."""
        return "What comes next: unrolled predict {run} FILE --gif next.gif"


def _write(found: SaidFrames, target: TextIO, *, as_json: bool) -> None:
    """A row for each frame that is said: the mean of its pixels, and how much of it differs from the one before."""
    table = csv.writer(target, lineterminator="\n")
    if not as_json:
        table.writerow(["clip", "frame", "mean", "change"])
    for clip, place in enumerate(found.places):
        before = found.past[-1, clip]
        for number, frame in enumerate(found.said[:, clip], 1):
            row = [place, number, round(float(frame.mean()), 4), round(float(np.abs(frame - before).mean()), 4)]
            before = frame
            if as_json:
                target.write(json.dumps(dict(zip(("clip", "frame", "mean", "change"), row, strict=True))) + "\n")
            else:
                table.writerow(row)
