"""Files of music, found and read; what cannot be used is left out and counted."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from unrolled.data.builtin import expanded
from unrolled.data.music.abc import ABC, read_abc
from unrolled.data.music.events import METER, is_event, loose_ties, unclosed
from unrolled.data.music.midi import MIDI, read_midi
from unrolled.data.music.musicxml import MUSICXML, read_musicxml
from unrolled.data.music.piece import Piece
from unrolled.data.music.rolls import PARTS, ROLLS, parts_in, read_rolls
from unrolled.data.opening import inner_name
from unrolled.errors import ConfigError, DataError, UnrolledWarning

SUFFIXES = (*MIDI, *ABC, *MUSICXML, *ROLLS)
"""The ends of the names of files of music."""

_AMBIGUOUS = (".npz", ".xml")
"""Ends of names that other files have, too."""


MOST_QUARTERS = 200_000
"""Quarter notes of a piece, a day and more of music: a longer one is damaged, and its frames would fill the memory."""

MOST_NAMED = 5
"""Things of a kind that are named where they are counted."""

MOST_LOOKED_AT = 1000
"""Files of a folder that are looked at to find out whether it has music."""


@dataclass(frozen=True)
class MusicReading:
    """How files are read: which `part` of rolls that are divided, of whose frames a quarter note has `resolution`; which `voices` of each piece, from 1
    on, all where there are none; and whether the notes of MIDI sound on while the `pedal` is down."""

    resolution: int
    part: str = "train"
    voices: tuple[int, ...] = ()
    pedal: bool = False


_ODD = {
    "open": "notes never end, and are taken to end where their track does",
    "drums": "notes of drums, which have no pitch, are left out",
    "keys": "keys that MIDI does not know are taken for none",
    "unpitched": "notes without a pitch are left out",
    "outside": "notes outside the pitches of MIDI are left out",
    "ties": "ties lead to no note of their pitch, and are passed over",
}
"""What readers count, in words."""


@dataclass
class Tally:
    """How many things in files of music could not be used: for each kind how many, and which were the first."""

    left: dict[str, tuple[int, list[str]]] = field(default_factory=dict)

    def add(self, kind: str, which: str, count: int = 1) -> None:
        """Count something of a kind, in plural."""
        before, named = self.left.get(kind, (0, []))
        self.left[kind] = (before + count, named if which in named or len(named) == MOST_NAMED else [*named, which])

    def warn(self) -> None:
        """Tell it, if there is something to tell."""
        for kind, (count, named) in self.left.items():
            warnings.warn(f"{count:,} {kind}. The first: {'; '.join(one.rstrip('.') for one in named)}.", UnrolledWarning, stacklevel=3)


def find_music(sources: Sequence[str]) -> list[Path]:
    """The files of music among files, in folders and of patterns such as `*.mid`. A folder without any is a `DataError`."""
    found: list[Path] = []
    for source in map(Path, expanded(sources)):
        inside = sorted(path for path in source.rglob("*") if is_music(path)) if source.is_dir() else [source]
        if not inside:
            raise DataError(f"{source} has no files of music in it: {', '.join(SUFFIXES)}. Pass a folder with some.")
        found += inside
    return found


def is_music(path: Path) -> bool:
    """Whether the name of a file says that it is music."""
    return _ending(path) in SUFFIXES


def is_certainly_music(path: Path) -> bool:
    """Whether a file can be nothing else, or a folder has such files."""
    inside = islice((one for one in path.rglob("*") if one.is_file()), MOST_LOOKED_AT) if path.is_dir() else [path]
    return any(is_music(one) and _ending(one) not in _AMBIGUOUS for one in inside)


def has_part(path: Path, part: str) -> bool:
    """Whether a file has a part of this name. One that cannot be read has none: `read_music` counts it."""
    try:
        return _ending(path) in ROLLS and part in parts_in(path)
    except DataError:
        return False


def require_divided(paths: Sequence[Path], part: str, usual: str) -> None:
    """`ConfigError` where another part than the `usual` one is asked for, and no file is divided."""
    if part != usual and paths and not any(has_part(path, known) for path in paths for known in PARTS):
        told = f"`part={part!r}` is of a file that is divided, and {paths[0]}{' is' if len(paths) == 1 else ' and the others are'} not"
        raise ConfigError(f"{told}. Leave it out, or pass a file of rolls that has parts.")


def read_music(paths: Sequence[Path], reading: MusicReading, tally: Tally) -> Iterator[Piece]:
    """The pieces of files, one by one; what cannot be read is counted."""
    for path in paths:
        try:
            for piece in _read(path, reading, tally):
                if isinstance(piece, DataError):
                    tally.add("pieces are left out", str(piece))
                    continue
                piece = piece.with_voices([number - 1 for number in reading.voices]) if reading.voices else piece
                if count := unclosed(piece.events):
                    tally.add("repeats are not closed, and are played once", piece.place, count)
                if count := loose_ties(piece.events):
                    tally.add("ties lead to no note of their pitch, and are passed over", piece.place, count)
                if not is_event(f"{METER}{piece.meter[0]}/{piece.meter[1]}"):
                    tally.add("meters that no music has are taken for 4/4", f"{piece.place}: {piece.meter[0]}/{piece.meter[1]}")
                    piece = replace(piece, meter=(4, 4))
                if piece.length > MOST_QUARTERS * piece.ticks:
                    tally.add(f"pieces are left out, as they are longer than {MOST_QUARTERS:,} quarter notes", piece.place)
                elif len(piece.notes):
                    yield piece
                else:
                    tally.add("pieces are left out, as they have no notes", piece.place)
        except DataError as error:
            tally.add("files are left out", str(error))


def _ending(path: Path) -> str:
    """How the name of a file ends, packed or not."""
    return Path(inner_name(path)).suffix.lower()


def _read(path: Path, reading: MusicReading, tally: Tally) -> Iterator[Piece | DataError]:
    suffix = _ending(path)
    if suffix in ROLLS:
        yield from read_rolls(path, reading.part, reading.resolution)
    elif suffix in ABC:
        yield from read_abc(path)
    elif suffix in MUSICXML:
        yield _counted(path, tally, *read_musicxml(path))
    elif suffix in MIDI:
        yield _counted(path, tally, *read_midi(path, pedal=reading.pedal))
    else:
        raise DataError(f"{path} is no file of music that can be read. Pass one that ends in {', '.join(SUFFIXES)}.")


def _counted(path: Path, tally: Tally, piece: Piece, odd: Mapping[str, int]) -> Piece:
    """A piece whose odd notes are counted."""
    for kind, count in odd.items():
        if count:
            tally.add(_ODD[kind], str(path), count)
    return piece
