r"""Formulas of LaTeX in a line: commands, such as `\frac`, and single characters; blanks mean nothing but in texts, such as those of `\mbox`."""

import re
from collections.abc import Iterable

_TEXTS, _LENGTHS = r"\\(?:[mh]box|text|text(?:rm|bf|it|sf|tt|normal))", r"\\[hv]space\*?"
"""Commands in whose braces blanks are seen, and in whose braces there must be none."""

_TOKEN = re.compile(r"\\(?:begin|end)\s*\{[A-Za-z]+\*?\}|\\[hv]space\s*\*|\\[A-Za-z]+|\\[^A-Za-z]|\S", re.DOTALL)
_NAMED = re.compile(r"\s+")
_TEXT = re.compile(rf"({_TEXTS}\s*\{{)([^{{}}\\$]*)\}}")
_BLANK = "\\ "
_JOINED = re.compile(rf"({_LENGTHS} \{{(?= (?:[^{{}}\\$ ] )*\}})|{_TEXTS} \{{) ((?:[^{{}}\\$ ] |\\  )*)\}}")
_BETWEEN = re.compile(r"(\\ )? ")


def split_formula(text: str) -> list[str]:
    r"""The tokens of a formula: `\begin{array}` and the like, commands, and single characters; a blank of a text is the token `\ `."""
    text = _TEXT.sub(lambda found: found[1] + _NAMED.sub(lambda _: _BLANK, found[2]) + "}", text)
    return [_BLANK if token[1:].isspace() else _NAMED.sub("", token) for token in _TOKEN.findall(text)]


def join_formula(symbols: Iterable[str]) -> str:
    """The formula of tokens, with blanks between them, but for those of texts and lengths, where blanks are seen or not allowed."""
    return _JOINED.sub(lambda found: found[1] + _BETWEEN.sub(lambda one: " " if one[1] else "", found[2]) + "}", " ".join(symbols))
