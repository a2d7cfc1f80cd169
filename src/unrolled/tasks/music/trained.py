"""A trained network for music, ready to use."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unrolled.data.codecs.music import EventCodec, FrameCodec, MusicCodec
from unrolled.data.music.abc_keys import key_in
from unrolled.data.music.events import KEY, METER, meter_of, play, transposed, without_loose_ties
from unrolled.data.music.piece import KEYS, Piece
from unrolled.data.music.reading import MusicReading, Tally, find_music, read_music
from unrolled.data.music.theory import key_of, to_common_key
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import NextStep
from unrolled.tasks.music.inspection_input import piece_input
from unrolled.tasks.music.options import FRAME_BARS, MusicSampleOptions, OtherMusicReading
from unrolled.tasks.music.reading import MusicData, count_outside
from unrolled.tasks.music.sampling import Chance, draw_events, draw_frames, harmonise
from unrolled.tasks.music.scores import MusicScores, losses_of_steps, measure, surprises
from unrolled.tasks.trained import Progress, Trained, computing, require_finite


class TrainedMusician(Trained[NextStep, MusicCodec]):
    """A network for music with its codec, as `load` gives it; `reading` is how the files were read that it learnt from."""

    def __init__(self, model: NextStep, codec: MusicCodec, reading: MusicReading) -> None:
        super().__init__("music", model, codec)
        self.reading = reading

    @property
    def codec(self) -> MusicCodec:
        """What makes steps of a piece."""
        return self.codecs

    def read(self, sources: Source | Sequence[Source], **options: Any) -> list[Piece]:
        """The pieces of files; `options` are those of `OtherMusicReading`. What cannot be read is told."""
        tally = Tally()
        paths = find_music([os.fspath(source) for source in ([sources] if isinstance(sources, str | os.PathLike) else list(sources))])
        pieces = [*read_music(paths, OtherMusicReading(**options).after(self.reading), tally)]
        count_outside(self.codec, pieces, tally)
        tally.warn()
        if not pieces:
            raise DataError(f"There are no notes in {', '.join(map(str, paths[:3]))}. Pass music that has some.")
        return pieces

    def evaluate(self, sources: Source | Sequence[Source], *, progress: Progress | None = None, **options: Any) -> MusicScores:
        """How well the steps of all pieces of some files are known before they come; see `read`."""
        pieces = [*map(self.codec.encode, self.read(sources, **options))]
        found = measure(self.model, self.codec, pieces, None if progress is None else partial(progress, "measuring"))
        require_finite(found.nats, "this music")
        return found

    def score(self, piece: Piece) -> float:
        """The natural log-probability of a piece, its first step included."""
        found = -float(losses_of_steps(self.model, self.codec, self.codec.encode(piece)).sum())
        require_finite(found, "this piece")
        return found

    def surprise(self, piece: Piece) -> tuple[Piece, np.ndarray]:
        """A piece as the network sees it, and the nats, -ln P, of each of its notes where it begins, `[N]`."""
        return surprises(self.model, self.codec, self.codec.encode(piece), piece)

    @torch.inference_mode()
    def sample(self, options: MusicSampleOptions | None = None, **others: object) -> list[Piece]:
        """Pieces from nothing, or after the beginning that `prompt` names, or around the notes of `harmonise`.

        What the options are is said at `MusicSampleOptions`, and they may be passed by name. `ConfigError` for impossible ones, `DataError` for files that cannot be read.
        """
        asked = options or MusicSampleOptions(**others)  # type: ignore[arg-type]
        generator = torch.Generator(device=self.device)
        chance = Chance(
            asked.temperature, asked.top_p, generator.manual_seed(asked.seed) if asked.seed is not None else _reseeded(generator)
        )
        with computing("what comes next"):
            if isinstance(self.codec, FrameCodec):
                return self._frames(self.codec, asked, chance)
            return self._events(self.codec, asked, chance)

    def _frames(self, codec: FrameCodec, asked: MusicSampleOptions, chance: Chance) -> list[Piece]:
        whence = asked.harmonise or asked.prompt
        given = None if whence is None else self.read(whence)[0]
        meter = meter_of(f"{METER}{asked.meter}") if asked.meter else (4, 4) if given is None else given.meter
        begun = np.zeros((0, KEYS), np.uint8) if given is None else codec.encode(given)
        if asked.harmonise is not None:
            drawn = [harmonise(self.model, codec, begun, asked.particles, chance) for _ in range(asked.count)]
        else:
            steps = (asked.length or FRAME_BARS) * max(4 * codec.resolution * meter[0] // meter[1], 1)
            drawn = [*draw_frames(self.model, codec, begun, steps, asked.count, chance).to("cpu", torch.uint8).numpy().swapaxes(0, 1)]
        pieces = [replace(codec.decode(frames, asked.tempo), meter=meter) for frames in drawn]
        if given is not None and codec.common_key:
            pieces = [piece.transposed(-to_common_key(given)) for piece in pieces]
        return [_in_key(piece, asked.key, common=codec.common_key and given is None) for piece in pieces]

    def _events(self, codec: EventCodec, asked: MusicSampleOptions, chance: Chance) -> list[Piece]:
        if asked.harmonise is not None:
            raise ConfigError("`harmonise` is for networks of frames, and this is one of events. Train one with `view='frames'`.")
        given = None if asked.prompt is None else self.read(asked.prompt)[0]
        begun = _head(codec, asked) if given is None else codec.encode(given)[:-1].tolist()
        found = draw_events(self.model, codec, begun, asked.length, asked.count, chance)
        pieces = [play(without_loose_ties(codec.strings(ids)), asked.tempo) for ids in found]
        back = 0 if given is None or not codec.common_key else -to_common_key(given)
        if codec.common_key and asked.key:
            fifths, minor = _key(asked.key)
            back = -to_common_key(Piece(pieces[0].notes, 1, 0, fifths=fifths, minor=minor))
        return [play([transposed(event, back) for event in piece.events], asked.tempo) for piece in pieces] if back else pieces

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What `unrolled.inspect` looks at: the first piece of a file, and some of the others; `most` steps of each."""
        pieces = [*map(self.codec.encode, self.read(given))]
        found = piece_input(self.model, self.codec, pieces, "", most)
        assert found is not None
        return found

    def held_out(self, data: MusicData, most: int = 1000) -> InspectionInput | None:
        """The same of what was held out when the `data` was learnt."""
        return piece_input(self.model, self.codec, data.held, " held out in training", most)


def _reseeded(generator: torch.Generator) -> torch.Generator:
    generator.seed()
    return generator


def _key(name: str) -> tuple[int, bool]:
    """The sharps of a key that the options have checked, and whether it is minor."""
    found = key_in(name)
    assert found is not None
    return found[:2]


def _in_key(piece: Piece, name: str | None, *, common: bool) -> Piece:
    """A piece moved from its key, C major or A minor if it is the `common` one, to that of a name."""
    if name is None:
        return replace(piece, fifths=0) if common else piece
    fifths, minor = _key(name)
    own = 0 if common else key_of(piece)[0]
    by = (7 * (fifths - own) + 5) % 12 - 5
    return replace(piece.transposed(by), fifths=fifths, minor=minor)


def _head(codec: EventCodec, asked: MusicSampleOptions) -> list[int]:
    """The events that say meter, the most usual one where only a key is asked for, and key. `ConfigError` for those that the network has not learnt."""
    known = codec.vocabulary.names
    found = [f"{METER}{asked.meter}"] if asked.meter else []
    if asked.key is not None and not codec.common_key:
        fifths, minor = _key(asked.key)
        found = found or [next(name for name in known if name.startswith(METER))]
        found.append(f"{KEY}{fifths}{'m' if minor else ''}")
    for event in found:
        if event not in known:
            kind = METER if event.startswith(METER) else KEY
            others = ", ".join(name[len(kind) :] for name in known if name.startswith(kind))
            raise ConfigError(
                f"`{'meter' if kind == METER else 'key'}` must be one that the network has learnt: {others}; got {event[len(kind) :]}."
            )
    return codec.vocabulary.ids(found).tolist()
