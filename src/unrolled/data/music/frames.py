"""Pieces as frames: which of 88 keys sound at each step."""

import numpy as np
from numpy.typing import NDArray

from unrolled.data.music.piece import BEGIN, END, KEYS, LOWEST, PITCH, Notes, Piece, in_order

Frames = NDArray[np.uint8]
"""`[T, 88]`: 1 for each key that sounds."""


def to_frames(piece: Piece, resolution: int) -> tuple[Frames, int]:
    """What sounds at each step, of which a quarter note has `resolution`, and how many notes lie outside the piano and are left out.

    A note begins and ends at the nearest step, and has one at least.
    """
    per = piece.ticks / resolution
    inside = (piece.notes[:, PITCH] >= LOWEST) & (piece.notes[:, PITCH] < LOWEST + KEYS)
    notes = piece.notes[inside]
    begins = np.floor(notes[:, BEGIN] / per + 0.5).astype(np.int64)
    ends = np.maximum(np.floor(notes[:, END] / per + 0.5).astype(np.int64), begins + 1)
    total = max(int(np.ceil(piece.length / per)), int(ends.max(initial=0)))
    changes = np.zeros((total + 1, KEYS), np.int32)
    keys = notes[:, PITCH] - LOWEST
    np.add.at(changes, (begins, keys), 1)
    np.add.at(changes, (ends, keys), -1)
    return (changes.cumsum(0)[:total] > 0).astype(np.uint8), int((~inside).sum())


def notes_of(frames: Frames) -> Notes:
    """Each stretch of frames in which a key sounds as a note, in steps; the voice is that of its place among those that begin with it, from above."""
    edges = np.diff(np.pad(frames.astype(np.int8), ((1, 1), (0, 0))), axis=0).T
    keys, begins = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    return in_order(np.stack([begins, ends, keys + LOWEST, np.zeros_like(keys)], 1))


def from_frames(frames: Frames, resolution: int, tempo: float = 120.0) -> Piece:
    """A piece of which each frame is a step; a quarter note has `resolution` of them."""
    return Piece(notes_of(frames), resolution, len(frames), tempo=tempo)
