"""Numbers as files of text have them."""

import math


def as_number(text: str) -> float:
    """The number that a text is, with blanks around it or not, and with a minus sign or the hyphen for it; anything else is a `ValueError`.

    Python also reads 1_000 and digits of other scripts as numbers, which in files are names, codes or damage.
    """
    plain = text.strip().replace("−", "-")
    try:
        return float(plain if plain.isascii() and "_" not in plain else "")
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None


def is_number(text: str) -> bool:
    """Whether a text is a finite number, so that it has a place among others."""
    try:
        return math.isfinite(as_number(text))
    except ValueError:
        return False


def text_of(number: float) -> str:
    """A number as files of text have it: whole ones with all their digits, others with as many as are not the rounding of a sum."""
    return f"{number:.0f}" if number.is_integer() and abs(number) < _EXACT else f"{number:.15g}"


_EXACT = 2.0**53
"""Whole numbers up to it are exact."""


def rounded(number: float, digits: int = 6, behind: int = 2) -> str:
    """A number with so many digits, and at least so many of them behind the point of one that is large, as long as they say something."""
    return f"{number:.{min(max(digits, len(f'{abs(number):.0f}') + behind), _MOST_DIGITS)}g}"


_MOST_DIGITS = 15
"""Digits that a number has without those that come of its rounding."""
