"""Properties of a text that a unit may follow: a number for each token, as it stands after the token has been read.

Tokens are the characters of a string, or strings of a list; several characters of a token count one by one.
"""

from collections.abc import Callable, Sequence

import numpy as np

QUOTES = {'"': None, "“": True, "”": False, "«": True, "»": False}
"""What each quotation mark makes of being inside; None for one that turns it round. An apostrophe looks like a single quote, so neither counts."""

BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def inside_quotes(text: Sequence[str]) -> np.ndarray:
    """1 from an opening quotation mark on, 0 from the closing one on, `[T]`."""
    return _over(text, lambda inside, c: inside if c not in QUOTES else 1 - inside if QUOTES[c] is None else float(bool(QUOTES[c])))


def position_in_line(text: Sequence[str]) -> np.ndarray:
    """Characters since the line began, `[T]`: 1 after the first one, 0 after the line's end."""
    return _over(text, lambda position, c: 0 if c == "\n" else position + 1)


def bracket_depth(text: Sequence[str]) -> np.ndarray:
    """Brackets of all kinds that are open, `[T]`; one that closes nothing does not count."""
    return _over(text, lambda depth, c: max(depth + BRACKETS.get(c, 0), 0))


def _over(text: Sequence[str], after: Callable[[float, str], float]) -> np.ndarray:
    value, found = 0.0, []
    for token in text:
        for character in token:
            value = after(value, character)
        found.append(value)
    return np.array(found, dtype=float)
