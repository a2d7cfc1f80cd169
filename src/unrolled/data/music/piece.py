"""A piece of music: its notes, and what is said of all of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Notes = NDArray[np.int64]
"""`[N, 4]`: when each note begins and ends, in ticks, its pitch as MIDI counts it (60 is middle C), and its voice."""

BEGIN, END, PITCH, VOICE = range(4)
"""The columns of notes."""

LOWEST, KEYS = 21, 88
"""The pitch of the lowest key of a piano, and how many keys it has."""

TICKS = 480
"""Ticks of a quarter note where nothing else is said."""

USUAL_TEMPO = 120.0
"""Quarter notes a minute where nothing is said."""

Tempos = tuple[tuple[int, float], ...]
"""Ticks, the first of which is 0, and the quarter notes a minute from each on."""

NO_NOTES: Notes = np.zeros((0, 4), np.int64)


@dataclass(frozen=True, eq=False)
class Piece:
    """Notes in the order of their beginnings, then of their pitches.

    A quarter note has `ticks`, and the piece `length` of them. `meter` is what stands before the bars, such as (3, 4), `pickup` the ticks before
    the first whole one. `fifths` says how many sharps the key has, flats being negative, and `minor` its mode; None where no key is written. `tempo` is in
    quarter notes a minute; where it changes, `tempos` has each with the tick from which on it holds, and `tempo` is that at which all takes as long. `events` are the symbols of a tune as it is written, where it was read from such; `place` is where it came from.
    """

    notes: Notes
    ticks: int
    length: int
    meter: tuple[int, int] = (4, 4)
    pickup: int = 0
    fifths: int | None = None
    minor: bool = False
    tempo: float = USUAL_TEMPO
    tempos: Tempos = ()
    events: tuple[str, ...] = ()
    place: str = ""

    @property
    def bar(self) -> int:
        """The ticks of a bar."""
        return max(4 * self.ticks * self.meter[0] // self.meter[1], 1)

    def seconds(self, ticks: ArrayLike) -> NDArray[np.float64]:
        """When ticks are heard, in seconds."""
        begins, tempos = map(np.array, zip(*(self.tempos or ((0, self.tempo),)), strict=True))
        lengths = 60 / (tempos * self.ticks)
        heard = np.concatenate([[0.0], np.cumsum(np.diff(begins) * lengths[:-1])])
        which = np.searchsorted(begins, ticks, "right") - 1
        return np.asarray(heard[which] + (np.asarray(ticks) - begins[which]) * lengths[which], np.float64)

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


def in_tempos(changes: Iterable[tuple[int, float]], length: int) -> dict[str, Any]:
    """The `tempo` and the `tempos` of a piece of a `length` in ticks, in which the tempo changes at some; until the first of them it is the usual one."""
    found = {0: USUAL_TEMPO} | dict(sorted(changes, key=lambda change: change[0]))
    kept: list[tuple[int, float]] = []
    for begin, tempo in sorted(found.items()):
        if not kept or kept[-1][1] != tempo:
            kept.append((begin, tempo))
    if len(kept) == 1:
        return {"tempo": kept[0][1]}
    spans = np.diff([min(begin, length) for begin, _ in kept] + [length])
    minutes = float((spans / np.array([tempo for _, tempo in kept])).sum())
    return {"tempo": length / minutes if minutes else kept[0][1], "tempos": tuple(kept)}


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
