"""A small synthesiser, so that one hears what was written."""

import wave
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from unrolled.data.music.piece import BEGIN, END, PITCH, Piece

RATE = 22_050
"""Samples a second."""

_PARTIALS = np.array([1.0, 0.5, 0.25, 0.12, 0.06])
_ATTACK, _DECAY, _RELEASE = 0.008, 1.2, 0.08
"""Seconds in which a note gets loud, in which it falls to 1/e, and in which it ends."""

_LOUDEST = 0.9
_BLOCK = 30
"""Seconds that are mixed at a time."""


def write_wav(piece: Piece, file: BinaryIO) -> None:
    """The piece as 16-bit sound of one channel: each note a decaying sum of five partials. It is mixed in blocks, and made as loud as fits."""
    begins, ends = piece.seconds(piece.notes[:, [BEGIN, END]]).T
    total = int((max(float(ends.max(initial=0)), float(piece.seconds(piece.length))) + _RELEASE) * RATE) + 1
    starts = range(0, total, _BLOCK * RATE)
    # More than a few notes at once are made quieter, all by the same factor, which is known before anything is written.
    peak = (
        max(float(np.abs(_mixed(piece, begins, ends, start, min(start + _BLOCK * RATE, total))).max(initial=0)) for start in starts) or 1.0
    )
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        for start in starts:
            mixed = _mixed(piece, begins, ends, start, min(start + _BLOCK * RATE, total))
            sound.writeframes((mixed * (_LOUDEST * 32767 / peak)).astype("<i2").tobytes())


def _mixed(piece: Piece, begins: NDArray[np.floating], ends: NDArray[np.floating], start: int, stop: int) -> NDArray[np.floating]:
    """The samples `start` to `stop - 1` of all notes."""
    found = np.zeros(stop - start)
    for note in np.flatnonzero((begins * RATE < stop) & ((ends + _RELEASE) * RATE >= start)):
        first = max(int(begins[note] * RATE), start)
        last = min(int((ends[note] + _RELEASE) * RATE), stop)
        time = np.arange(first, last) / RATE - begins[note]
        found[first - start : last - start] += _tone(int(piece.notes[note, PITCH]), time, ends[note] - begins[note])
    return found


def _tone(pitch: int, time: NDArray[np.floating], length: float) -> NDArray[np.floating]:
    """A note at some seconds after its beginning."""
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    partials = np.arange(1, len(_PARTIALS) + 1)
    heard = partials * frequency < RATE / 2
    waves = np.sin(2 * np.pi * frequency * partials[heard, None] * time)
    envelope = np.minimum(time / _ATTACK, 1) * np.exp(-time / _DECAY) * np.clip((length + _RELEASE - time) / _RELEASE, 0, 1)
    return np.asarray((_PARTIALS[heard] @ waves) * envelope)
