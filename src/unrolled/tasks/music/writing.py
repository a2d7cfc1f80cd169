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
from unrolled.extras import extra
from unrolled.tasks.music.options import MusicSampleOptions
from unrolled.tasks.pictures import save_picture
from unrolled.training.checkpoint import save_whole

WAV = (".wav",)
KNOWN = (*MIDI[:2], *ABC, *WAV)
"""The ends of names of the files that are written."""


def require_writable(path: Path) -> None:
    """`ConfigError` for a path that no piece can have."""
    if path.suffix.lower() not in KNOWN:
        raise ConfigError(f"The name of the file must end in {', '.join(KNOWN)}, got {path}. Give it one of these ends.")
    if not path.parent.is_dir():
        raise ConfigError(f"The folder of the file must exist, got {path}. Make {path.parent} first.")
    if path.suffix.lower() in MIDI:
        extra("mido")


def require_apart(asked: MusicSampleOptions) -> None:
    """`ConfigError` where two files would be one, or that of sound is none."""
    if asked.wav is not None and Path(asked.wav).suffix.lower() not in WAV:
        raise ConfigError(f"`wav` must be a file of sound, whose name ends in .wav, got {asked.wav}. Pass other files as `out`.")
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
