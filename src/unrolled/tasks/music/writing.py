"""Pieces written as files, whose names say as what."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from unrolled import inspect
from unrolled.data.music.abc import ABC
from unrolled.data.music.abc_writing import to_abc
from unrolled.data.music.midi import MIDI, write_midi
from unrolled.data.music.notation import events_of, exactly, has_chords_alone
from unrolled.data.music.piece import PITCH, Piece
from unrolled.data.music.synthesis import write_wav
from unrolled.errors import ConfigError
from unrolled.tasks.music.options import WAV, MusicSampleOptions
from unrolled.tasks.pictures import save_picture
from unrolled.training.checkpoint import save_whole


def require_apart(asked: MusicSampleOptions) -> None:
    """`ConfigError` where two files would be one."""
    paths = [Path(name).resolve() for name in (asked.out, asked.wav, asked.picture) if name is not None]
    if len({*paths}) < len(paths):
        raise ConfigError("`out`, `wav` and `picture` must be different files, and two of them are the same. Give each a name of its own.")


def write_piece(piece: Piece, path: Path) -> None:
    """Write a piece as MIDI, ABC or sound, as the name of the file says."""
    writers: dict[str, Callable[[BinaryIO], object]] = {
        **dict.fromkeys(MIDI, lambda file: write_midi(piece, file)),
        **dict.fromkeys(ABC, lambda file: file.write(as_abc(piece, path.stem).encode())),
        **dict.fromkeys(WAV, lambda file: write_wav(piece, file)),
    }
    save_whole(path, writers[path.suffix.lower()])


def as_abc(piece: Piece, title: str = "Tune") -> str:
    """A piece as an ABC tune of the same notes. As its chords end together, notes are cut and tied where others begin or end."""
    resolution = exactly(piece)
    events = events_of(piece, resolution)
    return to_abc(events if has_chords_alone(events) else events_of(piece, resolution, chords=True), title, piece.tempo)


def draw_piece(piece: Piece, surprise: np.ndarray, path: Path) -> None:
    """Draw a piece as a piano roll, with the surprise `[N]` of each note."""
    notes = np.concatenate([piece.notes[:, :PITCH] / piece.ticks, piece.notes[:, PITCH, None]], 1)
    figure = inspect.draw.roll(notes, surprise, piece.bar / piece.ticks, piece.pickup / piece.ticks)
    save_picture(figure, path)
