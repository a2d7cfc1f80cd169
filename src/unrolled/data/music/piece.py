"""A piece of music: its notes, and what is said of all of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Notes = NDArray[np.int64]
"""`[N, 4]`: when each note begins and ends, in ticks, its pitch as MIDI counts it (60 is middle C), and its voice."""

BEGIN, END, PITCH, VOICE = range(4)
"""The columns of notes."""

LOWEST, KEYS = 21, 88
"""The pitch of the lowest key of a piano, and how many keys it has."""

TICKS = 480
"""Ticks of a quarter note where nothing else is said."""

NO_NOTES: Notes = np.zeros((0, 4), np.int64)


@dataclass(frozen=True, eq=False)
class Piece:
    """Notes in the order of their beginnings, then of their pitches.

    A quarter note has `ticks`, and the piece `length` of them. `meter` is what stands before the bars, such as (3, 4), `pickup` the ticks before
    the first whole one. `fifths` says how many sharps the key has, flats being negative, and `minor` its mode; None where no key is written. `tempo` is in
    quarter notes a minute. `events` are the symbols of a tune as it is written, where it was read from such; `place` is where it came from.
    """

    notes: Notes
    ticks: int
    length: int
    meter: tuple[int, int] = (4, 4)
    pickup: int = 0
    fifths: int | None = None
    minor: bool = False
    tempo: float = 120.0
    events: tuple[str, ...] = ()
    place: str = ""

    @property
    def bar(self) -> int:
        """The ticks of a bar."""
        return max(4 * self.ticks * self.meter[0] // self.meter[1], 1)

    def transposed(self, by: int) -> "Piece":
        """The same, so many semitones higher. Where a tune is written as symbols, these are left out."""
        notes = self.notes.copy()
        notes[:, PITCH] += by
        fifths = None if self.fifths is None else moved_fifths(self.fifths, by)
        return replace(self, notes=notes, fifths=fifths, events=())

    def with_voices(self, voices: Sequence[int]) -> "Piece":
        """Some of the voices alone, all of the same length; a piece that was read as symbols of one voice stays as it is where that is asked for."""
        if self.events and 0 in voices:
            return self
        return replace(self, notes=self.notes[np.isin(self.notes[:, VOICE], voices)], events=())


def in_order(notes: Notes) -> Notes:
    """Notes by their beginnings, then by their pitches."""
    return notes[np.lexsort((notes[:, VOICE], notes[:, PITCH], notes[:, BEGIN]))]


def alone(notes: Iterable[tuple[int, int, int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """Notes of which none of the same pitch overlap: one that begins while another sounds ends that; of those that begin together the longest stays."""
    sounding: dict[int, tuple[int, int, int]] = {}
    for begin, end, pitch, voice in sorted(notes, key=lambda note: (note[BEGIN], note[END])):
        before = sounding.get(pitch)
        if before is not None and before[0] < begin:
            yield before[0], min(before[1], begin), pitch, before[2]
            end = max(end, before[1])
        sounding[pitch] = (begin, end, voice)
    for pitch, (begin, end, voice) in sounding.items():
        yield begin, end, pitch, voice


def moved_fifths(fifths: int, by: int) -> int:
    """The sharps of a key after `by` semitones: from 5 flats to 6 sharps."""
    return (fifths + 7 * by + 5) % 12 - 5
