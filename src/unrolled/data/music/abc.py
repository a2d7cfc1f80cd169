"""ABC tunes read as events: a small reader of the standard 2.1 for tunes of one voice."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from unrolled.data.music.abc_keys import ACCIDENTALS, STEPS, key_in, signature
from unrolled.data.music.events import ENDINGS, KEY, METER, Element, Sound, events_of_elements, play
from unrolled.data.music.piece import Piece
from unrolled.data.opening import open_unpacked
from unrolled.errors import DataError

ABC = (".abc",)

_NOTE = re.compile(r"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)(\d*(?:/+\d*)*)")
_REST = re.compile(r"([zxZX])(\d*(?:/+\d*)*)")
_LENGTH = re.compile(r"(\d*)(/*)(\d*)")
_TUPLET = re.compile(r"\((\d)(?::(\d*))?(?::(\d*))?")
_BAR = re.compile(r"(:+\|*\]?:*|\|+[\]:|]*|\[\|)?\s*(\[?(\d)(?:[,-]\d)*)?")
_FIELD = re.compile(r"\[([A-Za-z]):([^\]]*)\]")
_PASSED_OVER = re.compile(r"\"[^\"]*\"|![^!]*!|\+[^+|]+\+|\{[^}]*\}|(?:[\s`~.)\\*uvyHLMOPRSTJ$&]|\((?!\d))+")
"""Chord names and annotations, decorations, grace notes, slurs and spaces."""

_WITH = {2: 3, 3: 2, 4: 3, 5: 2, 6: 2, 7: 2, 8: 3, 9: 2}
"""In the time of how many notes a tuplet of so many is played; 5, 7 and 9 in compound meters in that of 3."""


@dataclass
class _Tune:
    """A tune while it is read; `line` is the number of the line that is read."""

    unit: Fraction | None = None
    meter: tuple[int, int] = (4, 4)
    fifths: int | None = None
    minor: bool = False
    signs: dict[str, int] = field(default_factory=dict)
    bar: dict[str, int] = field(default_factory=dict)
    found: list[Element] = field(default_factory=list)
    tuplet: tuple[int, Fraction] = (0, Fraction(1))
    broken: Fraction = Fraction(1)
    tempo: float = 120.0
    line: int = 0

    @property
    def length(self) -> Fraction:
        """Quarter notes of a note without a number."""
        if self.unit is not None:
            return 4 * self.unit
        return Fraction(1, 4) if Fraction(*self.meter) < Fraction(3, 4) else Fraction(1, 2)


def read_abc(path: Path, encoding: str = "utf-8") -> Iterator[Piece | DataError]:
    """The tunes of a file, with repeats played. A tune that cannot be read stands there as an error that names the line; a file without any raises it."""
    with open_unpacked(path) as file:
        text = file.read().decode(encoding, "replace").removeprefix("\ufeff")
    every = text.splitlines()
    starts = [number for number, line in enumerate(every) if line.startswith("X:")]
    if not starts:
        raise DataError(
            f"{path} has no tune in it: none of its lines begins with X:, as the first one of each does. Add X:1, or pass another file."
        )
    for start, stop in pairwise([*starts, len(every)]):
        first, lines = start + 1, every[start:stop]
        place = f"{path}, line {first}"
        try:
            yield _read(lines, first, place)
        except _TuneError as error:
            yield DataError(f"{path}, {error}")


class _TuneError(Exception):
    """What is wrong with a line of a tune."""


def _read(lines: list[str], first: int, place: str) -> Piece:
    tune, in_body = _Tune(), False
    for number, line in enumerate(lines, first):
        tune.line, text = number, re.sub(r"(?<!\\)%.*", "", line).strip()
        if re.match(r"[A-Za-z+]:(?![|:])", text):
            in_body = _field(tune, text[0], text[2:].strip(), in_body) or in_body
        elif in_body and text:
            _music(tune, text)
    if not in_body:
        raise _TuneError(f"line {first}: the tune has no K:, with which its notes begin. Add its key, or K:none")
    return play(events_of_elements(tune.found), tune.tempo, place)


def _field(tune: _Tune, name: str, value: str, in_body: bool) -> bool:
    """What a field says; gives whether the music begins after it."""
    if name == "M":
        _meter(tune, value)
    elif name == "L":
        found = re.fullmatch(r"(\d+)/(\d+)|1", value)
        if not found or (found[2] and not int(found[2])):
            raise _TuneError(f"line {tune.line}: L: must be a note length such as 1/8, got {value!r}")
        tune.unit = Fraction(value)
    elif name == "Q":
        _tempo(tune, value)
    elif name == "V" and in_body and value.split()[:1] not in ([], ["1"]):
        raise _TuneError(f"line {tune.line}: the tune has several voices, V:{value}. Only tunes of one voice are read")
    elif name == "K":
        known = key_in(value)
        if known is None:
            raise _TuneError(f"line {tune.line}: K: must be a key such as G, Am or Ddor, got {value!r}")
        tune.fifths, tune.minor, more = known
        tune.signs = {**signature(tune.fifths), **more}
        if not in_body:
            tune.found.insert(0, f"{METER}{tune.meter[0]}/{tune.meter[1]}")
        tune.found.append(f"{KEY}{tune.fifths}{'m' if tune.minor else ''}")
        return True
    return False


def _meter(tune: _Tune, value: str) -> None:
    plain = {"C": "4/4", "C|": "2/2", "none": "4/4", "": "4/4"}.get(value, value)
    found = re.fullmatch(r"\(?(\d+(?:\s*\+\s*\d+)*)\)?\s*/\s*(\d+)", plain)
    beats = sum(map(int, re.findall(r"\d+", found[1]))) if found else 0
    if not found or not 0 < beats <= 64 or int(found[2]) not in (1, 2, 4, 8, 16, 32):
        raise _TuneError(f"line {tune.line}: M: must be a meter such as 6/8, C or none, got {value!r}")
    tune.meter = (beats, int(found[2]))
    if tune.fifths is not None:
        tune.found.append(f"{METER}{tune.meter[0]}/{tune.meter[1]}")


def _tempo(tune: _Tune, value: str) -> None:
    """`1/4=120`, or a plain number of unit notes."""
    if found := re.search(r"(?:(\d+)/(\d+)\s*=\s*)?(\d+)", re.sub(r"\"[^\"]*\"", "", value)):
        beat = 4 * Fraction(int(found[1]), int(found[2])) if found[1] and int(found[2]) else tune.length
        tune.tempo = min(max(float(int(found[3]) * beat), 10.0), 1000.0)


def _music(tune: _Tune, text: str) -> None:
    """A line of notes."""
    place = 0
    while place < len(text):
        place = _next(tune, text, place)


def _next(tune: _Tune, text: str, place: int) -> int:
    """Read what stands at a place; gives the place behind it."""
    if found := _FIELD.match(text, place):
        _field(tune, found[1], found[2].strip(), True)
    elif found := _TUPLET.match(text, place):
        _begin_tuplet(tune, found)
    elif text[place] == "[" and (chord := _chord(tune, text, place)):
        return chord
    elif text[place] in "|:[" and (found := _bar(tune, text, place)):
        pass
    elif found := _NOTE.match(text, place):
        _add(tune, [_pitch(tune, found)], _length(tune, found[4]))
    elif found := _REST.match(text, place):
        _rest(tune, found)
    elif text[place] in "<>":
        return _break(tune, text, place)
    elif text[place] == "-":
        _tie(tune)
        return place + 1
    elif not (found := _PASSED_OVER.match(text, place)):
        raise _TuneError(f"line {tune.line}, character {place + 1}: what {text[place : place + 10]!r} means is not known")
    return found.end()


def _bar(tune: _Tune, text: str, place: int) -> "re.Match[str] | None":
    """A bar line, the number of an ending, or both; None where neither stands."""
    found = _BAR.match(text, place)
    if found is None or not (found[1] or found[2]):
        return None
    if name := found[1]:
        closes, opens = name.startswith(":"), name.endswith(":")
        tune.found.append("::" if closes and opens else ":|" if closes else "|:" if opens else "|" if name == "|" else "||")
        tune.bar = {}
    if found[3]:
        tune.found.append(ENDINGS[0] if found[3] == "1" else ENDINGS[1])
    return found


def _chord(tune: _Tune, text: str, place: int) -> int | None:
    """The notes between brackets, which sound together, as long as the first of them; gives the place behind them."""
    end = text.find("]", place)
    inside = text[place + 1 : end] if end > 0 else ""
    notes = [*_NOTE.finditer(inside)]
    if not notes or notes[0].start() != 0:
        return None
    length = _LENGTH.match(text, end + 1)
    assert length is not None
    first = _length(tune, notes[0][4])
    whole = first * _length(tune, length[0]) / tune.length
    _add(tune, [_pitch(tune, note) for note in notes], whole, [inside[note.end() : note.end() + 1] == "-" for note in notes])
    return length.end()


def _add(tune: _Tune, pitches: list[int], length: Fraction, tied: Sequence[bool] = (False,)) -> None:
    """A note, or several together, with ties behind some of them."""
    length *= tune.broken
    tune.broken = Fraction(1)
    count, factor = tune.tuplet
    if count:
        length *= factor
        tune.tuplet = (count - 1, factor)
    last = len(pitches) - 1
    tune.found += [Sound(pitch, length, ties, number < last) for number, (pitch, ties) in enumerate(zip(pitches, tied, strict=True))]


def _rest(tune: _Tune, found: "re.Match[str]") -> None:
    if found[1] in "ZX":
        whole = Fraction(4 * tune.meter[0], tune.meter[1])
        for _ in range(min(int(found[2] or 1), 100) if found[2].isdigit() or not found[2] else 1):
            tune.found += [Sound(None, whole), "|"]
        tune.found.pop()
        return
    length = _length(tune, found[2])
    count, factor = tune.tuplet
    if count:
        length, tune.tuplet = length * factor, (count - 1, factor)
    tune.found.append(Sound(None, length * tune.broken))
    tune.broken = Fraction(1)


def _pitch(tune: _Tune, found: "re.Match[str]") -> int:
    """The pitch of a note. Accidentals hold for all octaves until the bar ends."""
    sign, letter, octaves, _ = found.groups()
    name = letter.upper()
    if sign:
        tune.bar[name] = ACCIDENTALS[sign]
    alter = tune.bar.get(name, tune.signs.get(name, 0))
    octave = (letter.islower()) + octaves.count("'") - octaves.count(",")
    return min(max(60 + STEPS[name] + alter + 12 * octave, 0), 127)


def _length(tune: _Tune, text: str) -> Fraction:
    """What stands behind a note, such as 3, /2, // or 3/2, in quarter notes."""
    found = _LENGTH.match(text)
    assert found is not None
    divisor = int(found[3]) if found[3] else 2 ** len(found[2])
    if not divisor or (found[1] and not int(found[1])) or max(divisor, int(found[1] or 1)) > 1024:
        raise _TuneError(f"line {tune.line}: a note cannot be {text!r} long")
    return tune.length * Fraction(int(found[1] or 1), divisor)


def _begin_tuplet(tune: _Tune, found: "re.Match[str]") -> None:
    notes = int(found[1])
    if notes < 2:
        raise _TuneError(f"line {tune.line}: a tuplet must have 2 notes or more, got {found[0]!r}")
    compound = tune.meter[0] % 3 == 0 and tune.meter[0] > 3
    usual = 3 if compound and notes in (5, 7, 9) else _WITH[notes]
    tune.tuplet = (int(found[3] or notes), Fraction(int(found[2] or usual), notes))


def _break(tune: _Tune, text: str, place: int) -> int:
    """a>b: the first note gets half of the second; a<b the other way round."""
    run = re.compile(r"<+|>+").match(text, place)
    assert run is not None
    share = Fraction(1, 2 ** len(run[0]))
    longer, shorter = 2 - share, share
    before, tune.broken = (longer, shorter) if run[0][0] == ">" else (shorter, longer)
    last = len(tune.found) - 1
    while last >= 0 and isinstance(tune.found[last], str):
        last -= 1
    for at in _together_with(tune.found, last):
        sound = tune.found[at]
        assert isinstance(sound, Sound)
        tune.found[at] = Sound(sound.pitch, sound.length * before, sound.tied, sound.together)
    return run.end()


def _tie(tune: _Tune) -> None:
    """The last note, or all that sound with it, go on."""
    for at in _together_with(tune.found, len(tune.found) - 1):
        sound = tune.found[at]
        if isinstance(sound, Sound) and sound.pitch is not None:
            tune.found[at] = Sound(sound.pitch, sound.length, True, sound.together)


def _together_with(found: list[Element], last: int) -> Iterator[int]:
    """The places of a sound and of those before it that sound with it."""
    if last >= 0 and isinstance(found[last], Sound):
        yield last
        while last > 0 and isinstance(before := found[last - 1], Sound) and before.together:
            last -= 1
            yield last
