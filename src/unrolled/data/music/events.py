"""Pieces as events: notes with their lengths, rests and bars, each a symbol.

`n60` is a note and `r` a rest; a length such as `=1/2`, in quarter notes, follows each. After that `-` ties a note to the next one of its pitch, and
`&` lets the next note begin with it. `|`, `||`, `|:`, `:|` and `::` are bars, `[1` and `[2` first and second endings, `M:6/8` and `K:2` (sharps; `K:-1m` in minor) meter and key.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import takewhile
from math import lcm
from typing import Any

import numpy as np

from unrolled.data.music.piece import NO_NOTES, Piece, alone, in_order, moved_fifths

NOTE, REST, LENGTH, TIE, TOGETHER, METER, KEY = "n", "r", "=", "-", "&", "M:", "K:"
BARS = ("|", "||", "|:", ":|", "::")
ENDINGS = ("[1", "[2")


MOST_PITCH = 127
"""The highest pitch; the lowest is 0."""

MOST_TICKS = 1 << 20
"""Ticks of a quarter note, at most: odder lengths together are rounded."""

_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        r"n(?:\d|[1-9]\d|1[01]\d|12[0-7])",
        r"=[1-9]\d{0,6}(?:/[1-9]\d{0,6})?",
        r"M:[1-9]\d?/(?:1|2|4|8|16|32|64)",
        r"K:-?[0-7]m?",
    )
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
    """The piece that events say, with its repeats. With `places` the voice of each note is the place of its event.

    A tie joins the note of its pitch that begins exactly where the tied one ends; without such a note it says nothing. Of notes of one pitch none overlap (`alone`). Meter and key are those at the first sound.
    """
    written = tuple(events)
    found = [*elements(written)]
    sounds, clock, _, _ = _sounded(found, places=places)
    ticks = min(lcm(*(time.denominator for sound in sounds for time in sound[:2]), clock.denominator), MOST_TICKS)
    timed = ((round(begin * ticks), max(round(end * ticks), round(begin * ticks) + 1), pitch, voice) for begin, end, pitch, voice in sounds)
    notes = np.array([*alone(timed)], np.int64)
    piece = Piece(
        in_order(notes) if len(notes) else NO_NOTES, ticks, round(clock * ticks), tempo=tempo, events=written, place=place, **_about(found)
    )
    first = next(iter(bars(found)), None)
    upbeat = first is not None and 0 < first.length < first.meant
    return replace(piece, pickup=int(first.length * ticks)) if upbeat and first is not None else piece


def loose_ties(events: Iterable[str]) -> int:
    """How many ties lead to no note of their pitch where the tied one ends."""
    return _sounded([*elements(events)])[2]


def without_loose_ties(events: Iterable[str]) -> Iterator[str]:
    """The same without the ties that join nothing, and without what says nothing."""
    found = [*elements(events)]
    _, _, _, joined = _sounded(found)
    for element in found:
        if isinstance(element, Sound) and element.tied and element.place not in joined:
            element = replace(element, tied=False)
        yield from events_of_elements([element])


def _sounded(
    found: Sequence[Element], *, places: bool = False
) -> tuple[list[tuple[Fraction, Fraction, int, int]], Fraction, int, set[int]]:
    """Notes as they sound, in quarter notes, how long all is, how many ties join nothing, and the places of those notes whose ties do."""
    sounds, clock, loose, joined = list[tuple[Fraction, Fraction, int, int]](), Fraction(0), 0, set[int]()
    tied: dict[int, tuple[Fraction, Fraction, int, int]] = {}
    for element in unfolded(found):
        if isinstance(element, str):
            continue
        end = clock + element.length
        if element.pitch is not None:
            begin, voice = clock, element.place if places else 0
            if (before := tied.pop(element.pitch, None)) is not None:
                if before[1] == clock:
                    begin, _, voice, last = before
                    joined.add(last)
                else:
                    sounds.append((*before[:2], element.pitch, before[2]))
                    loose += 1
            if element.tied:
                tied[element.pitch] = begin, end, voice, element.place
            else:
                sounds.append((begin, end, element.pitch, voice))
        clock = clock if element.together else end
    sounds += [(begin, end, pitch, voice) for pitch, (begin, end, voice, _) in tied.items()]
    return sounds, clock, loose + len(tied), joined


def _about(found: Iterable[Element]) -> dict[str, Any]:
    """Meter and key at the first sound."""
    about: dict[str, Any] = {}
    for event in takewhile(lambda element: isinstance(element, str), found):
        assert isinstance(event, str)
        if event.startswith(METER):
            about["meter"] = meter_of(event)
        elif event.startswith(KEY):
            about["fifths"], about["minor"] = key_of(event)
    return about


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
