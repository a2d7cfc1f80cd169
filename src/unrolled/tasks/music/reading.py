"""Pieces read and encoded: what is learnt, and what is held out."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from unrolled.data.batches import evenly
from unrolled.data.codecs.music import FRAMES, MusicCodec, Steps, learn_codec
from unrolled.data.music.piece import Piece
from unrolled.data.music.reading import Tally, find_music, has_part, read_music, require_divided
from unrolled.data.music.rolls import TRAIN, VALID
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.music.inspection_input import FOUR, Bars, bars_of
from unrolled.tasks.music.options import MusicDataOptions
from unrolled.tasks.trained import Progress


@dataclass(frozen=True)
class MusicData:
    """The data of a run: a codec, and pieces to learn and held out, encoded. `fingerprint` is equal exactly when the notes are; `bars` are those
    of the first piece that is held out."""

    codec: MusicCodec
    learnt: tuple[Steps, ...]
    held: tuple[Steps, ...]
    fingerprint: str
    bars: Bars = FOUR

    @property
    def codecs(self) -> MusicCodec:
        """What is kept for later use."""
        return self.codec

    def summary(self) -> str:
        """What is input and target, and how much there is of it."""
        steps, unit = sum(map(len, self.learnt)), self.codec.unit
        return (
            f"{len(self.learnt):,} pieces of {steps:,} {unit}s to learn, {len(self.held):,} of {sum(map(len, self.held)):,} held out. "
            f"Input and target: {self.codec.describe()}."
        )


def read_music_data(options: MusicDataOptions, seed: int, progress: Progress) -> MusicData:
    """Read what the options name, and set apart what is held out."""
    if not options.sources:
        raise ConfigError("There are no FILES to train on. Pass music: MIDI, ABC or piano rolls, or folders of them.")
    tally = Tally()
    paths = find_music(options.sources)
    require_divided(paths, options.part, TRAIN)
    # A file without a part to choose by is held out from as one that is not divided.
    divided = [path for path in paths if options.part != VALID and has_part(path, VALID)]
    whole = [path for path in paths if path not in divided]
    pieces = _read(whole, options.part, options, tally, progress)
    learnt, held = _read(divided, options.part, options, tally, progress), list[Piece]()
    if options.validation:
        learnt, held = [*pieces, *learnt], _read(find_music(options.validation), VALID, options, tally, progress)
    else:
        held = _read(divided, VALID, options, tally, progress)
        some, others = evenly(np.arange(len(pieces)), options.held_out, np.random.default_rng(seed))
        learnt, held = [*(pieces[i] for i in some), *learnt], [*(pieces[i] for i in others), *held]
    if not learnt or not held:
        tally.warn()
        raise DataError(f"There are {len(learnt):,} pieces to learn and {len(held):,} to hold out in {_named(paths)}. Pass more music.")
    codec = learn_codec(options.view, options.resolution, learnt, options.transpose, common_key=options.common_key)
    count_outside(codec, [*learnt, *held], tally)
    tally.warn()
    both = tuple(map(codec.encode, learnt)), tuple(map(codec.encode, held))
    return MusicData(codec, *both, _fingerprint(*both), bars_of(held[0]))


def count_outside(codec: MusicCodec, pieces: Sequence[Piece], tally: Tally) -> None:
    """Count the notes of pieces that have no place among the steps of a codec."""
    where = "outside the 88 keys of a piano" if codec.view == FRAMES else "outside the pitches of MIDI"
    for piece in pieces:
        if count := codec.outside(piece):
            tally.add(f"notes {where}{', once moved to the common key,' if codec.common_key else ''} are left out", piece.place, count)


def _read(paths: Sequence[Path], part: str, options: MusicDataOptions, tally: Tally, progress: Progress) -> list[Piece]:
    found: list[Piece] = []
    for number, path in enumerate(paths, 1):
        found += read_music([path], options.reading(part), tally)
        progress("reading", number, len(paths))
    return found


def _named(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths[:3])) + (" …" if len(paths) > 3 else "")


def _fingerprint(*parts: Sequence[Steps]) -> str:
    content = blake2b(digest_size=16)
    for part in parts:
        content.update(f"{len(part)} {[len(steps) for steps in part]}".encode())
        for steps in part:
            content.update(np.ascontiguousarray(steps).data)
    return content.hexdigest()
