"""Mathematical text in SVG: names with their subscripts and Greek letters, and how wide they are at most."""

import re
from collections.abc import Iterator
from html import escape
from unicodedata import east_asian_width

from sympy.printing.pretty.pretty_symbology import greek_unicode

from unrolled.equations.functions import DERIVED, FUNCTIONS
from unrolled.equations.typeset import split_name

LONGEST = 14
"""Letters of a name that are shown, before and in its subscript; the rest becomes an ellipsis."""
_NAME = re.compile(r"([^\W\d]\w*)(?:\[(t[^\]]*)\])?")
_LOWERED = 0.72
_NARROW, _WIDE = set("fijlrtI.,;:·|()[]1 ’"), set("mwMW∑⊙@%")

Run = tuple[str, bool, bool]
"""A piece of text, whether it is slanted, and whether it is a subscript."""


def letters(text: str, size: float) -> str:
    """The content of an SVG text element of a font size: words, and between backticks formulas, whose names become symbols."""
    content, lower = [], 0.0
    for word, slanted, lowered in _runs(text):
        below = round(size * 0.22, 1) if lowered else 0.0
        attributes = f' dy="{below - lower:.1f}"' if below != lower else ""
        attributes += f' font-size="{size * _LOWERED:.1f}"' if lowered else ""
        attributes += ' font-style="italic"' if slanted else ""
        content.append(f"<tspan{attributes}>{escape(word)}</tspan>" if attributes else escape(word))
        lower = below
    return "".join(content)


def width(text: str, size: float) -> float:
    """Room for the text, enough for the wider ones of the serif fonts."""
    return sum(size * (_LOWERED if lowered else 1) * sum(map(_em, word)) for word, _, lowered in _runs(text))


def _em(letter: str) -> float:
    if east_asian_width(letter) in "WF":
        return 1.05
    return 0.42 if letter in _NARROW else 1.0 if letter in _WIDE else 0.78 if letter.isupper() else 0.64


def _runs(text: str) -> Iterator[Run]:
    for number, part in enumerate(text.split("`")):
        yield from _formula(part.strip()) if number % 2 else [(part, False, False)] * bool(part)


def _formula(text: str) -> Iterator[Run]:
    """A formula's runs: `name[t-1]` and names without a time are symbols, functions stay upright."""
    end = 0
    for match in _NAME.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], False, False
        end = match.end()
        name, time = match.groups()
        if name in FUNCTIONS or name in DERIVED:
            yield name, False, False
            continue
        stem, digits, below = split_name(name)
        yield _word(stem), len(_word(stem)) == 1, False
        subscript = ",".join(filter(None, (digits, _word(below), (time or "").replace("-", "−"))))
        if subscript:
            yield subscript, len(_word(below)) == 1 or bool(time), True
    if end < len(text):
        yield text[end:], False, False


def _word(name: str) -> str:
    return greek_unicode.get(name, name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…")
