"""Activities of event logs in a line of text: with blanks between them, and in double quotes where they have blanks themselves."""

import json
import re
from collections.abc import Iterable

_PIECE = re.compile(r'\n|"(?:[^"\\\n]|\\[^\n])*"(?=\s|$)|\S+')
_PLAIN = re.compile(r'[^\s"]\S*')


def split_activities(text: str) -> list[str]:
    """The activities of `text` in order, and its newlines. What stands in double quotes is one activity, written as a JSON string."""
    return [_unquoted(piece) for piece in _PIECE.findall(text)]


def join_activities(symbols: Iterable[str]) -> str:
    """The text of activities and newlines, which `split_activities` reads again."""
    pieces = (symbol if symbol == "\n" or _PLAIN.fullmatch(symbol) else json.dumps(symbol, ensure_ascii=False) for symbol in symbols)
    return " ".join(pieces).replace(" \n", "\n").replace("\n ", "\n")


def _unquoted(piece: str) -> str:
    if not piece.startswith('"') or piece == '"':
        return piece
    try:
        return str(json.loads(piece, strict=False))
    except ValueError:
        return piece
