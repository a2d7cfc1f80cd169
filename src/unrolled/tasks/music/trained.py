"""A trained network for music, ready to use."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from unrolled.data.builtin import paths_of
from unrolled.data.codecs.music import EventCodec, FrameCodec, MusicCodec, Steps
from unrolled.data.music.abc_keys import key_in, name_of
from unrolled.data.music.events import KEY, METER, is_event, meter_of, play, transposed, without_loose_ties
from unrolled.data.music.events import key_of as sharps_of
from unrolled.data.music.frames import to_frames
from unrolled.data.music.notation import events_of
from unrolled.data.music.piece import KEYS, NO_NOTES, USUAL_TEMPO, VOICE, Piece
from unrolled.data.music.reading import MusicReading, Tally, find_music, read_music, require_divided
from unrolled.data.music.rolls import TEST
from unrolled.data.music.theory import key_of, to_common_key
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import NextStep
from unrolled.tasks.music.inspection_input import bars_of, piece_input
from unrolled.tasks.music.joining import gone_on, in_tempos_of, kept, with_drawn
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
        paths = find_music(paths_of(sources))
        asked = OtherMusicReading(**options)
        require_divided(paths, asked.part, TEST)
        pieces = [*read_music(paths, asked.after(self.reading), tally)]
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
        if asked.harmonise is not None:
            pieces = self._harmonised(codec, asked, chance)
        elif asked.prompt is not None:
            pieces = self._continued(codec, asked, chance)
        else:
            meter = meter_of(f"{METER}{asked.meter}") if asked.meter else (4, 4)
            steps = _steps(codec, asked, meter)
            drawn = self._drawn(codec, np.zeros((0, KEYS), np.uint8), steps, asked, chance)
            pieces = [replace(codec.decode(frames, asked.tempo or USUAL_TEMPO), meter=meter) for frames in drawn]
        return [_in_key(piece, asked, common=codec.common_key and not asked.whence) for piece in pieces]

    def _drawn(self, codec: FrameCodec, begun: Steps, steps: int, asked: MusicSampleOptions, chance: Chance) -> list[Steps]:
        found = draw_frames(self.model, codec, begun, steps, asked.count, chance)
        return [*found.to("cpu", torch.uint8).numpy().swapaxes(0, 1)]

    def _continued(self, codec: FrameCodec, asked: MusicSampleOptions, chance: Chance) -> list[Piece]:
        given = self._given(asked)
        begun, move = codec.encode(given), codec.move(given)
        drawn = self._drawn(codec, begun, _steps(codec, asked, given.meter), asked, chance)
        moved = given.transposed(move)
        return [_back(gone_on(moved, frames, len(begun), codec.resolution), given, -move) for frames in drawn]

    def _harmonised(self, codec: FrameCodec, asked: MusicSampleOptions, chance: Chance) -> list[Piece]:
        whole = self._given(asked)
        given, beside = kept(whole, asked.given)
        if not len(given.notes):
            raise ConfigError(f"`given` must be voices that the file has, from 1 to {whole.notes[:, VOICE].max() + 1}, got {asked.given}.")
        moved = given.transposed(codec.move(whole))
        steps = to_frames(moved, codec.resolution)[0]
        drawn = [harmonise(self.model, codec, steps, asked.particles, chance, beside) for _ in range(asked.count)]
        return [_back(with_drawn(moved, frames & ~steps.astype(bool), codec.resolution), given, -codec.move(whole)) for frames in drawn]

    def _given(self, asked: MusicSampleOptions) -> Piece:
        """The first piece of the file that is gone on with or harmonised, with the tempo and the meter that are asked for."""
        given = self.read(asked.whence)[0]
        meter = meter_of(f"{METER}{asked.meter}") if asked.meter else given.meter
        given = replace(given, meter=meter)
        return given if asked.tempo is None else replace(given, tempo=asked.tempo, tempos=())

    def _events(self, codec: EventCodec, asked: MusicSampleOptions, chance: Chance) -> list[Piece]:
        if asked.harmonise is not None:
            raise ConfigError("`harmonise` is for networks of frames, and this is one of events. Train one with `view='frames'`.")
        given = None if asked.prompt is None else self._given(asked)
        if given is not None and (asked.key or asked.meter):
            raise ConfigError("`key` and `meter` begin a tune, and that of `prompt` has begun. Leave them out, or `prompt`.")
        begun = _head(codec, asked) if given is None else codec.encode(given)[:-1].tolist()
        found = draw_events(self.model, codec, begun, asked.length, asked.count, chance, full_bars=asked.full_bars)
        back = 0 if given is None else -codec.move(given)
        if codec.common_key and asked.key:
            fifths, minor = _key(asked.key)
            back = -to_common_key(Piece(NO_NOTES, 1, 0, fifths=fifths, minor=minor))
        # What is given is written as it is, also where the network does not know it.
        head = codec.strings(np.array(begun, np.int64)) if given is None else events_of(given, codec.resolution)
        own = 0 if given is not None else back
        written = [
            [*(transposed(event, own) for event in head), *(transposed(event, back) for event in codec.strings(ids[len(begun) :]))]
            for ids in found
        ]
        pieces = [play(without_loose_ties(filter(is_event, events)), asked.tempo or USUAL_TEMPO) for events in written]
        return pieces if given is None else [in_tempos_of(piece, given) for piece in pieces]

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What `unrolled.inspect` looks at: the first piece of a file, and some of the others; `most` steps of each."""
        pieces = self.read(given)
        found = piece_input(self.model, self.codec, [*map(self.codec.encode, pieces)], "", most, bars_of(pieces[0]))
        assert found is not None
        return found

    def held_out(self, data: MusicData, most: int = 1000) -> InspectionInput | None:
        """The same of what was held out when the `data` was learnt."""
        return piece_input(self.model, self.codec, data.held, " held out in training", most, data.bars)


def _reseeded(generator: torch.Generator) -> torch.Generator:
    generator.seed()
    return generator


def _key(name: str) -> tuple[int, bool]:
    """The sharps of a key that the options have checked, and whether it is minor."""
    found = key_in(name)
    assert found is not None
    return found[:2]


def _steps(codec: FrameCodec, asked: MusicSampleOptions, meter: tuple[int, int]) -> int:
    """How many frames are asked for."""
    return (asked.length or FRAME_BARS) * max(4 * codec.resolution * meter[0] // meter[1], 1)


def _back(piece: Piece, given: Piece, by: int) -> Piece:
    """A piece moved back to the key of what was given."""
    return replace(piece.transposed(by), fifths=given.fifths, minor=given.minor)


def _in_key(piece: Piece, asked: MusicSampleOptions, *, common: bool) -> Piece:
    """A piece moved from its key, C major or A minor if it is the `common` one, to that which is asked for."""
    if asked.key is None:
        return replace(piece, fifths=0) if common else piece
    fifths, minor = _key(asked.key)
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
            others = ", ".join(_named(name) for name in known if name.startswith(kind))
            raise ConfigError(
                f"`{'meter' if kind == METER else 'key'}` must be one that the network has learnt: {others}; got {_named(event)}."
            )
    return codec.vocabulary.ids(found).tolist()


def _named(event: str) -> str:
    """A meter or a key as a person writes it."""
    return name_of(*sharps_of(event)) if event.startswith(KEY) else event[len(METER) :]
