"""Lines of notes of a tune in ABC."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from unrolled.data.music.abc_fields import Tune, TuneError, read_field
from unrolled.data.music.abc_keys import ACCIDENTALS, STEPS
from unrolled.data.music.events import ENDINGS, MOST_PITCH, Element, Sound

_NOTE = re.compile(r"(\^\^|\^|__|_|=)?([A-Ga-g])([,']*)(\d*(?:/+\d*)*)")
_REST = re.compile(r"([zxZX])(\d*(?:/+\d*)*)")
_LENGTH = re.compile(r"(\d*)(/*)(\d*)")
_TUPLET = re.compile(r"\((\d)(?::(\d*))?(?::(\d*))?")
_BAR = re.compile(r"(:+\|*\]?:*|\|+[\]:|]*|\[\|)?\s*(\[?(\d)[\d,.-]*)?")
_FIELD = re.compile(r"\[([A-Za-z]):([^\]]*)\]")
_PASSED_OVER = re.compile(r"\"[^\"]*\"|![^!]*!|\+[^+|]+\+|\{[^}]*\}|(?:[\s`~.)\\*uvyHLMOPRSTJ$]|\((?!\d))+")
"""Chord names and annotations, decorations, grace notes, slurs and spaces."""

_MOST_RESTS, _MOST_SLASHES = 1000, 10
"""Bars of one rest, and halvings of a length, at most."""

_OVERLAY = "& lays a second voice over the first. Only tunes of one voice are read: leave it out, or save the tune as MIDI"

_WITH = {2: 3, 3: 2, 4: 3, 5: 2, 6: 2, 7: 2, 8: 3, 9: 2}
"""In the time of how many notes a tuplet of so many is played; 5, 7 and 9 in compound meters in that of 3."""


def read_music_line(tune: Tune, text: str) -> None:
    """A line of notes."""
    place = 0
    while place < len(text):
        place = _next(tune, text, place)


def _next(tune: Tune, text: str, place: int) -> int:
    """Read what stands at a place; gives the place behind it."""
    if found := _FIELD.match(text, place):
        read_field(tune, found[1], found[2].strip(), True)
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
    elif text[place] == "&":
        raise tune.error(_OVERLAY)
    elif not (found := _PASSED_OVER.match(text, place)):
        raise TuneError(f"line {tune.line}, character {place + 1}: what {text[place : place + 10]!r} means is not known")
    return found.end()


def _bar(tune: Tune, text: str, place: int) -> "re.Match[str] | None":
    """A bar line, the number of an ending, or both; None where neither stands."""
    found = _BAR.match(text, place)
    if found is None or not (found[1] or found[2]):
        return None
    if name := found[1]:
        if "::" in name and name != "::":
            raise tune.error(f"{name!r} repeats more than once, which is not read. Write the repeats out")
        closes, opens = name.startswith(":"), name.endswith(":")
        tune.found.append("::" if closes and opens else ":|" if closes else "|:" if opens else "|" if name == "|" else "||")
        tune.bar = {}
    if found[2]:
        if found[2].lstrip("[") not in ("1", "2"):
            raise tune.error(f"the ending {found[2]!r} is not one of 1 and 2, and others are not read. Write the repeats out")
        tune.found.append(ENDINGS[0] if found[3] == "1" else ENDINGS[1])
    return found


def _chord(tune: Tune, text: str, place: int) -> int | None:
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


def _add(tune: Tune, pitches: list[int], length: Fraction, tied: Sequence[bool] = (False,)) -> None:
    """A note, or several together, with ties behind some of them."""
    length *= tune.broken
    tune.broken = Fraction(1)
    count, factor = tune.tuplet
    if count:
        length *= factor
        tune.tuplet = (count - 1, factor)
    last = len(pitches) - 1
    tune.found += [
        Sound(pitch, length, ties, number < last, tune.line) for number, (pitch, ties) in enumerate(zip(pitches, tied, strict=True))
    ]


def _rest(tune: Tune, found: "re.Match[str]") -> None:
    if found[1] in "ZX":
        whole = Fraction(4 * tune.meter[0], tune.meter[1])
        if found[2] and not (found[2].isdigit() and 0 < int(found[2]) <= _MOST_RESTS):
            raise tune.error(f"{found[0]} must be a rest of 1 to {_MOST_RESTS} bars. Write it as such, or as rests z")
        for _ in range(int(found[2] or 1)):
            tune.found += [Sound(None, whole, place=tune.line), "|"]
        tune.found.pop()
        return
    length = _length(tune, found[2])
    count, factor = tune.tuplet
    if count:
        length, tune.tuplet = length * factor, (count - 1, factor)
    tune.found.append(Sound(None, length * tune.broken, place=tune.line))
    tune.broken = Fraction(1)


def _pitch(tune: Tune, found: "re.Match[str]") -> int:
    """The pitch of a note. Accidentals hold for all octaves until the bar ends."""
    sign, letter, octaves, _ = found.groups()
    name = letter.upper()
    if sign:
        tune.bar[name] = ACCIDENTALS[sign]
    alter = tune.bar.get(name, tune.signs.get(name, 0))
    octave = (letter.islower()) + octaves.count("'") - octaves.count(",")
    pitch = 60 + STEPS[name] + alter + 12 * octave + tune.up
    if not 0 <= pitch <= MOST_PITCH:
        raise tune.error(f"{found[0]!r} is no pitch that MIDI has. Move it by octaves")
    return pitch


def _length(tune: Tune, text: str) -> Fraction:
    """What stands behind a note, such as 3, /2, // or 3/2, in quarter notes."""
    found = _LENGTH.match(text)
    assert found is not None
    if len(found[2]) > _MOST_SLASHES:
        raise tune.error(f"a note cannot be {text!r} long")
    divisor = int(found[3]) if found[3] else 2 ** len(found[2])
    if not divisor or (found[1] and not int(found[1])):
        raise tune.error(f"a note cannot be {text!r} long")
    return tune.length * Fraction(int(found[1] or 1), divisor)


def _begin_tuplet(tune: Tune, found: "re.Match[str]") -> None:
    notes = int(found[1])
    if notes < 2:
        raise tune.error(f"a tuplet must have 2 notes or more, got {found[0]!r}")
    compound = tune.meter[0] % 3 == 0 and tune.meter[0] > 3
    usual = 3 if compound and notes in (5, 7, 9) else _WITH[notes]
    tune.tuplet = (int(found[3] or notes), Fraction(int(found[2] or usual), notes))


def _break(tune: Tune, text: str, place: int) -> int:
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
        tune.found[at] = replace(sound, length=sound.length * before)
    return run.end()


def _tie(tune: Tune) -> None:
    """The last note, or all that sound with it, go on."""
    for at in _together_with(tune.found, len(tune.found) - 1):
        sound = tune.found[at]
        if isinstance(sound, Sound) and sound.pitch is not None:
            tune.found[at] = replace(sound, tied=True)


def _together_with(found: list[Element], last: int) -> Iterator[int]:
    """The places of a sound and of those before it that sound with it."""
    if last >= 0 and isinstance(found[last], Sound):
        yield last
        while last > 0 and isinstance(before := found[last - 1], Sound) and before.together:
            last -= 1
            yield last
