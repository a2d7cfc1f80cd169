"""The notes of a piece put into bars, as events."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import lcm

import numpy as np
from numpy.typing import NDArray

from unrolled.data.music.events import KEY, METER, MOST_TICKS, Element, Sound, elements, events_of_elements
from unrolled.data.music.piece import BEGIN, END, PITCH, VOICE, Piece, alone


def events_of(piece: Piece, resolution: int, *, chords: bool = False) -> tuple[str, ...]:
    """The events of a piece: those that it was read from, or else its notes at the nearest of `resolution` steps of a quarter note, with ties over bars.

    With `chords` notes are cut, and tied, wherever another one begins or ends, so that all that begin together end together.
    """
    if piece.events and not chords:
        return piece.events
    per = piece.ticks / resolution
    begins = np.floor(piece.notes[:, BEGIN] / per + 0.5).astype(np.int64)
    ends = np.maximum(np.floor(piece.notes[:, END] / per + 0.5).astype(np.int64), begins + 1)
    bar, pickup = max(4 * resolution * piece.meter[0] // piece.meter[1], 1), round(piece.pickup / per)
    lines = np.arange(pickup or bar, int(ends.max(initial=0)) + 2 * bar, bar)
    notes = alone(zip(begins.tolist(), ends.tolist(), piece.notes[:, PITCH].tolist(), piece.notes[:, VOICE].tolist(), strict=True))
    cuts = np.unique(np.concatenate([lines, begins, ends])) if chords else lines
    key = "" if piece.fifths is None else f"{KEY}{piece.fifths}{'m' if piece.minor else ''}"
    head = [f"{METER}{piece.meter[0]}/{piece.meter[1]}", *([key] if key else [])]
    return (*head, *events_of_elements(_in_bars(_cut(notes, cuts), lines.tolist(), resolution)))


def exactly(piece: Piece) -> int:
    """A resolution at which the notes of a piece, and its bars as far as that goes, begin and end exactly at steps."""
    bar = lcm(piece.ticks, Fraction(4 * piece.meter[0], piece.meter[1]).denominator)
    return bar if bar <= MOST_TICKS else piece.ticks


def has_chords_alone(events: Iterable[str]) -> bool:
    """Whether all notes that begin together are as long as each other, as in a tune of one voice."""
    before: Element = "|"
    for element in elements(events):
        if isinstance(before, Sound) and before.together and not (isinstance(element, Sound) and element.length == before.length):
            return False
        before = element
    return True


def _cut(notes: Iterable[tuple[int, int, int, int]], cuts: NDArray[np.int64]) -> list[tuple[int, int, int, bool]]:
    """Notes in pieces between the `cuts`, each with whether it goes on; by their beginnings, the longest first."""
    found = []
    for begin, end, pitch, _ in notes:
        inside = cuts[np.searchsorted(cuts, begin, "right") : np.searchsorted(cuts, end)].tolist()
        found += [(first, last, pitch, last < end) for first, last in pairwise([begin, *inside, end])]
    return sorted(found, key=lambda note: (note[0], -note[1], note[2]))


def _in_bars(notes: Sequence[tuple[int, int, int, bool]], lines: Sequence[int], resolution: int) -> Iterator[Element]:
    """Notes, rests between them, and bars where the `lines` are."""
    clock, bar_lines = 0, iter(lines)
    line = next(bar_lines)
    for number, (begin, end, pitch, tied) in enumerate(notes):
        while clock < begin:
            stop = min(begin, line)
            yield Sound(None, Fraction(stop - clock, resolution))
            clock = stop
            if clock == line:
                yield "|"
                line = next(bar_lines)
        follows = notes[number + 1][0] if number + 1 < len(notes) else None
        # A note that sounds on while others begin leaves the clock where it is.
        together = follows is not None and follows < end
        yield Sound(pitch, Fraction(end - begin, resolution), tied, together)
        clock = begin if together else end
        if clock == line:
            yield "|"
            line = next(bar_lines)
