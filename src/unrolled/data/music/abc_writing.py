"""Events written as an ABC tune."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from unrolled.data.music.abc_keys import name_of, signature, spelt
from unrolled.data.music.events import BARS, ENDINGS, KEY, METER, Sound, elements, key_of

_UNIT = Fraction(1, 2)
"""Quarter notes of a note without a number: L:1/8."""

_BARS_A_LINE = 4


def to_abc(events: Iterable[str], title: str = "Tune", tempo: float = 120.0) -> str:
    """A tune of some events. Notes that begin together stand between brackets."""
    found = [*elements(events)]
    head, body = _head(found)
    fifths, minor = key_of(head[1])
    lines = ["X:1", f"T:{title}", f"M:{head[0][len(METER) :]}", "L:1/8", f"Q:1/4={round(tempo)}", f"K:{name_of(fifths, minor)}"]
    return "\n".join([*lines, *_music(body, fifths), ""])


def _head(found: Sequence[Sound | str]) -> tuple[tuple[str, str], list[Sound | str]]:
    """The first meter and key, and the rest."""
    meter, key, rest = f"{METER}4/4", f"{KEY}0", list(found)
    while rest and isinstance(first := rest[0], str) and first.startswith((METER, KEY)):
        meter, key = (first, key) if first.startswith(METER) else (meter, first)
        rest.pop(0)
    return (meter, key), rest


def _music(found: Sequence[Sound | str], fifths: int) -> list[str]:
    """Lines of a few bars each."""
    lines, line, bar, count = list[str](), "", dict[str, int](), 0
    chord = list[str]()
    for element in found:
        if isinstance(element, Sound):
            chord.append(_sound(element, fifths, bar))
            if not element.together:
                line += f"[{''.join(chord)}]" if len(chord) > 1 else chord[0]
                chord = []
        elif element.startswith(KEY):
            fifths, minor = key_of(element)
            line += f"[K:{name_of(fifths, minor)}]"
        elif element.startswith(METER):
            line += f"[{element}]"
        elif element in BARS:
            line, bar, count = f"{line} {element} " if line else f"{element} ", {}, count + 1
            if count % _BARS_A_LINE == 0:
                lines, line = [*lines, line.strip()], ""
        elif element in ENDINGS:
            line = f"{line}{element} "
    line += f"[{''.join(chord)}]" if chord else ""
    return [*lines, line.strip()] if line.strip() else lines


def _sound(sound: Sound, fifths: int, bar: dict[str, int]) -> str:
    """A note or a rest; `bar` has the accidentals that hold in its bar."""
    length = _length(sound.length / _UNIT)
    if sound.pitch is None:
        return f"z{length}"
    letter, alter, octave = spelt(sound.pitch, fifths)
    own = signature(fifths).get(letter, 0)
    sign = ""
    # Readers differ in whether an accidental holds for all octaves, for its own or not at all: a sign stands wherever one of them needs it.
    if any(held != alter for held in (own, bar.get(letter, own), bar.get(f"{letter}{octave}", own))):
        sign = {1: "^", 0: "=", -1: "_"}[alter]
        bar[letter] = bar[f"{letter}{octave}"] = alter
    name = letter.lower() + "'" * (octave - 1) if octave > 0 else letter + "," * -octave
    return f"{sign}{name}{length}{'-' if sound.tied else ''}"


def _length(units: Fraction) -> str:
    """A number of units as ABC writes it."""
    top = "" if units.numerator == 1 else str(units.numerator)
    return top if units.denominator == 1 else f"{top}/{units.denominator}"
