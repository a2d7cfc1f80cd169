"""Keys as ABC writes them, and how notes are spelt in them."""

import re

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
"""Semitones above C."""

ACCIDENTALS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}

_SHARPS = "FCGDAEB"
_TONICS = {"C": 0, "D": 2, "E": 4, "F": -1, "G": 1, "A": 3, "B": 5}
"""Sharps of the major key of each tonic."""

_MODES = {"maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
"""How many more sharps a mode has than the major key of its tonic."""

_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)")
_SIGN = re.compile(r"(\^\^|\^|__|_|=)([A-Ga-g])")


def key_in(value: str) -> tuple[int, bool, dict[str, int]] | None:
    """The sharps of a key, whether it is minor, and accidentals of its own; None if it is none."""
    name = value.split("clef", maxsplit=1)[0].strip()
    if name.lower() in ("", "none"):
        return 0, False, {}
    if name in ("HP", "Hp"):
        return 2, False, {}
    found = _KEY.match(name)
    if not found:
        return None
    mode = found[3].lower()
    shift = _MODES.get(mode if mode == "m" else mode[:3], 0 if not mode or mode in ("exp", "treble", "bass", "octave") else None)
    if shift is None:
        return None
    fifths = _TONICS[found[1]] + {"": 0, "#": 7, "b": -7}[found[2]] + shift
    if not -7 <= fifths <= 7:
        return None
    more = {letter.upper(): ACCIDENTALS[sign] for sign, letter in _SIGN.findall(name)}
    return fifths, mode[:3] in ("m", "min", "aeo"), more


def signature(fifths: int) -> dict[str, int]:
    """The accidentals of a key: letters with 1 for a sharp, -1 for a flat."""
    return dict.fromkeys(_SHARPS[:fifths], 1) if fifths >= 0 else dict.fromkeys(_SHARPS[fifths:], -1)


def name_of(fifths: int, minor: bool) -> str:
    """The key as ABC writes it."""
    tonic = fifths + 3 * minor
    letter = "FCGDAEB"[(tonic + 1) % 7]
    return letter + "#" * ((tonic + 1) // 7) + "b" * -((tonic + 1) // 7) + "m" * minor


def spelt(pitch: int, fifths: int) -> tuple[str, int, int]:
    """The letter, accidental and octave (0 from middle C on) of a pitch: as the key has it, or else with a sharp in sharp keys and a flat in flat ones."""
    signs = signature(fifths)
    for letter, step in STEPS.items():
        if (step + signs.get(letter, 0) - pitch) % 12 == 0:
            return letter, signs.get(letter, 0), (pitch - step - signs.get(letter, 0)) // 12 - 5
    for alter in (0, 1, -1) if fifths >= 0 else (0, -1, 1):
        for letter, step in STEPS.items():
            if (step + alter - pitch) % 12 == 0:
                return letter, alter, (pitch - step - alter) // 12 - 5
    raise AssertionError(pitch)
