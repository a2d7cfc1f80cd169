"""A tune in ABC while it is read, and what its fields say of it."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from unrolled.data.music.abc_keys import key_in, signature
from unrolled.data.music.abc_parts import PART, is_order
from unrolled.data.music.events import KEY, METER, Element, Sound, is_event

_SHORT = Fraction(3, 4)
_ONE_VOICE = "Only tunes of one voice are read: leave the others out, or save the tune as MIDI"


class TuneError(Exception):
    """What is wrong with a line of a tune."""


@dataclass
class Tune:
    """A tune while it is read; `line` is the number of the line that is read, `up` the semitones by which all sounds higher than it is written, `order` that in
    which its parts are played, as `order_line` says."""

    unit: Fraction | None = None
    meter: tuple[int, int] = (4, 4)
    fifths: int | None = None
    minor: bool = False
    up: int = 0
    voice: str | None = None
    signs: dict[str, int] = field(default_factory=dict)
    bar: dict[str, int] = field(default_factory=dict)
    found: list[Element] = field(default_factory=list)
    tuplet: tuple[int, Fraction] = (0, Fraction(1))
    broken: Fraction = Fraction(1)
    tempo: float = 120.0
    line: int = 0
    order: str | None = None
    order_line: int = 0

    @property
    def length(self) -> Fraction:
        """Quarter notes of a note without a number."""
        if self.unit is not None:
            return 4 * self.unit
        return Fraction(1, 4) if Fraction(*self.meter) < _SHORT else Fraction(1, 2)

    def error(self, what: str) -> TuneError:
        """The error for something in the line that is read."""
        return TuneError(f"line {self.line}: {what}")


def read_field(tune: Tune, name: str, value: str, in_body: bool) -> bool:
    """Take over what a field says; gives whether the music begins after it."""
    if name == "M":
        _meter(tune, value)
    elif name == "L":
        found = re.fullmatch(r"(\d+)/(\d+)|1", value)
        if not found or (found[2] and not (int(found[1]) and int(found[2]))):
            raise tune.error(f"L: must be a note length such as 1/8, got {value!r}")
        tune.unit = Fraction(value)
    elif name == "Q":
        _tempo(tune, value)
    elif name == "V":
        _voice(tune, value)
    elif name == "P" and in_body:
        tune.found.append(f"{PART}{value.rstrip('.')}")
    elif name == "P" and is_order(value):
        tune.order, tune.order_line = value, tune.line
    elif name == "K":
        _key(tune, value, in_body)
        return True
    return False


def _voice(tune: Tune, value: str) -> None:
    name = (value.split() or ["*"])[0]
    if name == "*":
        return
    if tune.voice is None and any(isinstance(element, Sound) for element in tune.found):
        tune.voice = "1"
    if tune.voice not in (None, name):
        raise tune.error(f"the tune has several voices, V:{value}. {_ONE_VOICE}")
    tune.voice = name
    _octaves(tune, value)


def _octaves(tune: Tune, value: str) -> None:
    """What a key or a voice says of how much higher than it is written a tune sounds."""
    if re.search(r"\b(?:transpose|t|score|sound|shift)=", value):
        raise tune.error(f"{value!r} moves the notes, which is not read. Leave it out, or save the tune as MIDI")
    if found := re.search(r"\boctave=\s*([+-]?\d)\b", value):
        tune.up = 12 * int(found[1])
    elif found := re.search(r"\b(?:treble|alto|tenor|bass|[GFC])[1-5]?([+-])8\b", value):
        tune.up = 12 if found[1] == "+" else -12


def _key(tune: Tune, value: str, in_body: bool) -> None:
    known = key_in(value)
    if known is None:
        raise tune.error(f"K: must be a key such as G, Am or Ddor, got {value!r}")
    tune.fifths, tune.minor, more = known
    tune.signs = {**signature(tune.fifths), **more}
    _octaves(tune, value)
    if not in_body:
        # The meter of the head says how long notes are; a later one does not change that.
        tune.unit = tune.length / 4
        tune.found.insert(0, f"{METER}{tune.meter[0]}/{tune.meter[1]}")
    tune.found.append(f"{KEY}{tune.fifths}{'m' if tune.minor else ''}")


def _meter(tune: Tune, value: str) -> None:
    plain = {"C": "4/4", "C|": "2/2", "none": "4/4", "": "4/4"}.get(value, value)
    found = re.fullmatch(r"\(?(\d+(?:\s*\+\s*\d+)*)\)?\s*/\s*(\d+)", plain)
    beats = sum(map(int, re.findall(r"\d+", found[1]))) if found else 0
    if not found or not is_event(f"{METER}{beats}/{int(found[2])}"):
        raise tune.error(f"M: must be a meter such as 6/8, C or none, got {value!r}")
    tune.meter = (beats, int(found[2]))
    if tune.fifths is not None:
        tune.found.append(f"{METER}{tune.meter[0]}/{tune.meter[1]}")


def _tempo(tune: Tune, value: str) -> None:
    """`1/4=120`, or a plain number of unit notes; only what stands before the first note is the tempo."""
    if any(isinstance(element, Sound) for element in tune.found):
        return
    if found := re.search(r"(?:(\d+)/(\d+)\s*=\s*)?(\d+)", re.sub(r"\"[^\"]*\"", "", value)):
        beat = 4 * Fraction(int(found[1]), int(found[2])) if found[1] and int(found[2]) else tune.length
        tune.tempo = min(max(float(int(found[3]) * beat), 10.0), 1000.0)
