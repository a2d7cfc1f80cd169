"""What can be counted in music: keys, notes outside them, and parallel fifths."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unrolled.data.music.frames import Frames
from unrolled.data.music.piece import BEGIN, END, LOWEST, PITCH, Piece

_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
"""How well each semitone above the tonic fits a key (Krumhansl & Kessler 1982, "Tracing the dynamic changes in perceived tonal organization")."""

_SCALE = np.array([0, 2, 4, 5, 7, 9, 11])
_LEADING = np.array([6, 8])
"""The sixth and seventh of the melodic minor scale, above the tonic of its relative major: they are as much part of a minor key as the natural ones."""


def durations(piece: Piece) -> NDArray[np.float64]:
    """How long each of the twelve tones sounds, `[12]`, C first."""
    notes = piece.notes
    return np.bincount(notes[:, PITCH] % 12, notes[:, END] - notes[:, BEGIN], minlength=12).astype(np.float64)


def key_of(piece: Piece) -> tuple[int, bool]:
    """The sharps of the key, and whether it is minor: as is written, or else the one whose tones correlate best with how long each sounds."""
    if piece.fifths is not None:
        return piece.fifths, piece.minor
    found = durations(piece)
    if not found.any():
        return 0, False
    fits = [
        (float(np.corrcoef(np.roll(profile, tonic), found)[0, 1]), tonic, minor)
        for profile, minor in ((_MAJOR, False), (_MINOR, True))
        for tonic in range(12)
    ]
    _, tonic, minor = max(fits)
    return (7 * (tonic + 3 * minor) + 5) % 12 - 5, minor


def to_common_key(piece: Piece, lowest: int = 0, highest: int = 127) -> int:
    """By how many semitones a piece is moved to C major or A minor: from -5 to 6, or an octave away where fewer of its notes leave `lowest` to `highest`."""
    fifths, _ = key_of(piece)
    by, pitches = (-7 * fifths + 5) % 12 - 5, piece.notes[:, PITCH]
    return min((by, by - 12, by + 12), key=lambda by: int(((pitches + by < lowest) | (pitches + by > highest)).sum()))


def share_in_key(piece: Piece) -> float:
    """The part of the notes whose tones are those of its key; in minor the raised sixth and seventh are, too."""
    fifths, minor = key_of(piece)
    tones = (np.concatenate([_SCALE, _LEADING]) if minor else _SCALE) + 7 * fifths
    return float(np.isin(piece.notes[:, PITCH] % 12, tones % 12).mean()) if len(piece.notes) else 1.0


def parallel_fifths(frames: Frames, voices: int = 4) -> int:
    """How often two of so many voices, taken by height, move from a fifth, or a twelfth, to another one in the same direction."""
    found = 0
    chords = [tuple(np.flatnonzero(frame)[::-1] + LOWEST) for frame in frames]
    for before, after in pairwise(chords):
        if before == after or len(before) != voices or len(after) != voices:
            continue
        for low in range(voices):
            for high in range(low):
                both = (before[high] - before[low], after[high] - after[low])
                found += all(interval % 12 == 7 for interval in both) and (after[low] - before[low]) * (after[high] - before[high]) > 0
    return int(found)
