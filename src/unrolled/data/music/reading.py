"""Files of music, found and read; what cannot be used is left out and counted."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unrolled.data.music.abc import ABC, read_abc
from unrolled.data.music.midi import MIDI, read_midi
from unrolled.data.music.piece import Piece
from unrolled.data.music.rolls import ROLLS, parts_in, read_rolls
from unrolled.errors import DataError, UnrolledWarning

SUFFIXES = (*MIDI, *ABC, *ROLLS)
"""The ends of the names of files of music."""


@dataclass
class Tally:
    """How many things in files of music could not be used: for each kind how many, and which was the first."""

    left: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, kind: str, first: str, count: int = 1) -> None:
        """Count something of a kind, in plural."""
        before, earlier = self.left.get(kind, (0, first))
        self.left[kind] = (before + count, earlier)

    def warn(self) -> None:
        """Tell it, if there is something to tell."""
        for kind, (count, first) in self.left.items():
            warnings.warn(f"{count:,} {kind}. The first: {first}", UnrolledWarning, stacklevel=3)


def find_music(sources: Sequence[str]) -> list[Path]:
    """The files of music among files and in folders. A folder without any is a `DataError`."""
    found: list[Path] = []
    for source in map(Path, sources):
        inside = sorted(path for path in source.rglob("*") if is_music(path)) if source.is_dir() else [source]
        if not inside:
            raise DataError(f"{source} has no files of music in it: {', '.join(SUFFIXES)}. Pass a folder with some.")
        found += inside
    return found


def is_music(path: Path) -> bool:
    """Whether the name of a file says that it is music."""
    return path.suffix.lower() in SUFFIXES


def is_divided(path: Path) -> bool:
    """Whether a file has parts to learn, to choose by and to measure."""
    return path.suffix.lower() in ROLLS and bool(parts_in(path))


def read_music(paths: Sequence[Path], part: str, resolution: int, tally: Tally, *, pedal: bool = False) -> Iterator[Piece]:
    """The pieces of files, one by one; what cannot be read is counted. `part` is that of rolls which are divided, and `resolution` the number of their
    frames in a quarter note; `pedal` is that of `read_midi`."""
    for path in paths:
        try:
            for piece in _read(path, part, resolution, tally, pedal):
                if isinstance(piece, DataError):
                    tally.add("pieces are left out", str(piece))
                elif not len(piece.notes):
                    tally.add("pieces are left out, as they have no notes", piece.place)
                else:
                    yield piece
        except DataError as error:
            tally.add("files are left out", str(error))


def _read(path: Path, part: str, resolution: int, tally: Tally, pedal: bool) -> Iterator[Piece | DataError]:
    suffix = path.suffix.lower()
    if suffix in ROLLS:
        yield from read_rolls(path, part, resolution)
    elif suffix in ABC:
        yield from read_abc(path)
    elif suffix in MIDI:
        yield _read_midi(path, tally, pedal)
    else:
        raise DataError(f"{path} is no file of music that can be read. Pass one that ends in {', '.join(SUFFIXES)}.")


def _read_midi(path: Path, tally: Tally, pedal: bool) -> Piece:
    piece, odd = read_midi(path, pedal=pedal)
    if odd["open"]:
        tally.add("notes never end, and are taken to end where their track does", str(path), odd["open"])
    if odd["drums"]:
        tally.add("notes of drums, which have no pitch, are left out", str(path), odd["drums"])
    return piece
