"""Pieces as events: notes with their lengths, rests and bars, each a symbol.

`n60` is a note and `r` a rest; a length such as `=1/2`, in quarter notes, follows each. After that `-` ties a note to the next one of its pitch, and
`&` lets the next note begin with it. `|`, `||`, `|:`, `:|` and `::` are bars, `[1` and `[2` first and second endings, `M:6/8` and `K:2` (sharps; `K:-1m` in minor) meter and key.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.music.piece import BEGIN, END, NO_NOTES, PITCH, Piece, in_order, moved_fifths

NOTE, REST, LENGTH, TIE, TOGETHER, METER, KEY = "n", "r", "=", "-", "&", "M:", "K:"
BARS = ("|", "||", "|:", ":|", "::")
ENDINGS = ("[1", "[2")


MOST_TICKS = 1 << 20
"""Ticks of a quarter note, at most: odder lengths together are rounded."""

_PATTERNS = [
    re.compile(pattern)
    for pattern in (r"n(?:\d|[1-9]\d|1[01]\d|12[0-7])", r"=[1-9]\d{0,3}(?:/[1-9]\d{0,3})?", r"M:[1-9]\d?/(?:1|2|4|8|16|32)", r"K:-?[0-7]m?")
]


@dataclass(frozen=True)
class Sound:
    """A note or, without `pitch`, a rest, of so many quarter notes; `tied` to the next one, or sounding `together` with it. `place` is where its event stands."""

    pitch: int | None
    length: Fraction
    tied: bool = False
    together: bool = False
    place: int = field(default=-1, compare=False)


Element = Sound | str
"""A note or rest, or any other event."""


def elements(events: Iterable[str]) -> Iterator[Element]:
    """Notes with their lengths put together; what stands where it says nothing is passed over."""
    begun: str | None = None
    sound: Sound | None = None
    for place, event in enumerate(events):
        if event.startswith(LENGTH):
            if begun is not None:
                sound = Sound(None if begun == REST else int(begun[1:]), Fraction(event[1:]), place=place - 1)
            begun = None
        elif event in (TIE, TOGETHER):
            if sound is not None and sound.pitch is not None:
                sound = replace(sound, tied=True) if event == TIE else replace(sound, together=True)
        else:
            if sound is not None:
                yield sound
            sound, begun = None, event if is_sound(event) else None
            if begun is None:
                yield event
    if sound is not None:
        yield sound


def is_sound(event: str) -> bool:
    """Whether an event is a note or a rest, after which a length must stand."""
    return event == REST or event.startswith(NOTE)


def is_event(text: str) -> bool:
    """Whether a text is an event."""
    if text in (REST, TIE, TOGETHER, *BARS, *ENDINGS):
        return True
    return any(pattern.fullmatch(text) for pattern in _PATTERNS)


def events_of_elements(found: Iterable[Element]) -> Iterator[str]:
    """What `elements` reads."""
    for element in found:
        if isinstance(element, str):
            yield element
            continue
        yield REST if element.pitch is None else f"{NOTE}{element.pitch}"
        yield f"{LENGTH}{element.length}"
        if element.tied:
            yield TIE
        if element.together:
            yield TOGETHER


def unfolded(found: Sequence[Element]) -> Iterator[Element]:
    """All as it is played: what stands between the bars of a repeat comes twice, the first time with the first ending."""
    start, first, second = 0, None, False
    for place, element in enumerate(found):
        yield element
        if element in ("|:", "||"):
            if element == "|:" or second:
                start, first, second = place + 1, None, False
        elif element == "[1":
            first = place
        elif element == "[2":
            second = True
        elif element in (":|", "::"):
            if not second:
                yield from found[start : place if first is None else first]
            start, first, second = place + 1, None, False


def unclosed(events: Iterable[str]) -> int:
    """How many repeats are opened and not closed: what stands in them is played once."""
    found, opened = 0, False
    for event in (*events, "|:"):
        if event == "|:":
            found += opened
            opened = True
        elif event in (":|", "::"):
            opened = event == "::"
    return found


def play(events: Iterable[str], tempo: float = 120.0, place: str = "", *, places: bool = False) -> Piece:
    """The piece that events say, with its repeats. With `places` the voice of each note is the place of its event."""
    written = tuple(events)
    found = [*elements(written)]
    sounds, about, clock = list[tuple[Fraction, Fraction, int, int]](), dict[str, Any](), Fraction(0)
    tied: dict[int, tuple[Fraction, int]] = {}
    for element in unfolded(found):
        if isinstance(element, str):
            _note_about(element, about)
            continue
        end = clock + element.length
        if element.pitch is not None:
            begin, voice = tied.pop(element.pitch, (clock, element.place if places else 0))
            if element.tied:
                tied[element.pitch] = begin, voice
            else:
                sounds.append((begin, end, element.pitch, voice))
        clock = clock if element.together else end
    sounds += [(begin, clock, pitch, voice) for pitch, (begin, voice) in tied.items() if clock > begin]
    ticks = min(lcm(*(time.denominator for sound in sounds for time in sound[:2]), clock.denominator), MOST_TICKS)
    notes = np.array([(round(begin * ticks), round(end * ticks), *rest) for begin, end, *rest in sounds], np.int64)
    piece = Piece(
        in_order(notes) if len(notes) else NO_NOTES, ticks, round(clock * ticks), tempo=tempo, events=written, place=place, **about
    )
    first = next(iter(bars(found)), None)
    upbeat = first is not None and 0 < first.length < first.meant
    return replace(piece, pickup=int(first.length * ticks)) if upbeat and first is not None else piece


def _note_about(event: str, about: dict[str, Any]) -> None:
    """The first meter and key."""
    if event.startswith(METER):
        about.setdefault("meter", meter_of(event))
    elif event.startswith(KEY) and "fifths" not in about:
        about["fifths"], about["minor"] = key_of(event)


def meter_of(event: str) -> tuple[int, int]:
    """Beats and their unit."""
    beats, _, unit = event[len(METER) :].partition("/")
    return int(beats), int(unit)


def key_of(event: str) -> tuple[int, bool]:
    """Sharps, and whether it is minor."""
    text = event[len(KEY) :]
    return int(text.rstrip("m")), text.endswith("m")


def transposed(event: str, by: int) -> str:
    """A symbol so many semitones higher."""
    if event.startswith(NOTE):
        return f"{NOTE}{int(event[1:]) + by}"
    if event.startswith(KEY):
        fifths, minor = key_of(event)
        return f"{KEY}{moved_fifths(fifths, by)}{'m' if minor else ''}"
    return event


@dataclass(frozen=True)
class Bar:
    """How long a bar is, how long it should be, and whether it stands at an edge: first or last, or beside a repeat, a double bar or an ending."""

    length: Fraction
    meant: Fraction
    edge: bool


def bars(found: Iterable[Element]) -> Iterator[Bar]:
    """The bars of a tune as it is written. Between two bar lines without a note is none."""
    meant, length, edge, sounds = Fraction(4), Fraction(0), True, False
    for element in (*found, "||"):
        if isinstance(element, Sound):
            length += 0 if element.together else element.length
            sounds = True
        elif element.startswith(METER):
            beats, unit = meter_of(element)
            meant = Fraction(4 * beats, unit)
        elif element in BARS:
            if sounds:
                yield Bar(length, meant, edge or element != "|")
            edge = element != "|" or (edge and not sounds)
            length, sounds = Fraction(0), False
        elif element in ENDINGS:
            edge = True


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
    notes = _alone(zip(begins.tolist(), ends.tolist(), piece.notes[:, PITCH].tolist(), strict=True))
    cuts = np.unique(np.concatenate([lines, begins, ends])) if chords else lines
    key = "" if piece.fifths is None else f"{KEY}{piece.fifths}{'m' if piece.minor else ''}"
    head = [f"{METER}{piece.meter[0]}/{piece.meter[1]}", *([key] if key else [])]
    return (*head, *events_of_elements(_in_bars(_cut(notes, cuts), lines.tolist(), resolution)))


def has_chords_alone(events: Iterable[str]) -> bool:
    """Whether all notes that begin together are as long as each other, as in a tune of one voice."""
    before: Element = "|"
    for element in elements(events):
        if isinstance(before, Sound) and before.together and not (isinstance(element, Sound) and element.length == before.length):
            return False
        before = element
    return True


def _alone(notes: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Notes of which none of the same pitch overlap: one that begins while another sounds ends that; of those that begin together the longest stays."""
    sounding: dict[int, tuple[int, int]] = {}
    for begin, end, pitch in sorted(notes, key=lambda note: (note[0], note[1])):
        before = sounding.get(pitch)
        if before is not None and before[0] < begin:
            yield before[0], min(before[1], begin), pitch
            end = max(end, before[1])
        sounding[pitch] = (begin, end)
    for pitch, (begin, end) in sounding.items():
        yield begin, end, pitch


def _cut(notes: Iterable[tuple[int, int, int]], cuts: NDArray[np.int64]) -> list[tuple[int, int, int, bool]]:
    """Notes in pieces between the `cuts`, each with whether it goes on; by their beginnings, the longest first."""
    found = []
    for begin, end, pitch in notes:
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
