r"""Formulas of LaTeX in a line: commands, such as `\frac`, and single characters; blanks mean nothing."""

import re
from collections.abc import Iterable

_TOKEN = re.compile(r"\\(?:begin|end)\s*\{[A-Za-z]+\*?\}|\\[A-Za-z]+|\\[^A-Za-z]|\S", re.DOTALL)
_NAMED = re.compile(r"\s+")


def split_formula(text: str) -> list[str]:
    r"""The tokens of a formula: `\begin{array}` and the like, commands, and single characters."""
    return [_NAMED.sub("", token) if token.startswith(("\\begin", "\\end")) else token for token in _TOKEN.findall(text)]


def join_formula(symbols: Iterable[str]) -> str:
    """The formula of tokens, with blanks between them."""
    return " ".join(symbols)
