"""The columns or keys of files as their first rows show them: names, kinds and first values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import shorten

from unrolled.data.formats.decimals import pointed
from unrolled.data.formats.times import Times
from unrolled.data.numerals import as_number, is_number

_LABELS = 30
"""Different texts up to which a column may have labels, if each comes twice on average."""

_SHOWN, _WIDEST = 3, 32
"""Values of a column that are shown, and characters of each."""


@dataclass(frozen=True)
class ColumnHead:
    """A column: its name, what kind its values are of, and the first different ones of them."""

    name: str
    kind: str
    first: tuple[str, ...]


@dataclass(frozen=True)
class FormatSeen:
    """The format that files are in, why it is taken to be that, as the end of a sentence, and the columns of the first of them, if it has some."""

    name: str
    why: str
    columns: tuple[ColumnHead, ...] = ()


def described(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[ColumnHead]:
    """What the columns of some rows are."""
    for at, name in enumerate(names):
        cells = [cell for row in rows if at < len(row) and (cell := row[at].strip())]
        first = list(dict.fromkeys(cells))[:_SHOWN]
        yield ColumnHead(name, _kind(cells), tuple(shorten(cell, _WIDEST, placeholder="…") or f"{cell[:_WIDEST]}…" for cell in first))


def _kind(cells: Sequence[str]) -> str:
    different = len({*cells})
    if not cells:
        return "empty"
    if different <= _LABELS and 2 * different <= len(cells):
        return f"{different} value{'' if different == 1 else 's'}"
    cells = pointed(cells)
    if all(map(is_number, cells)):
        return "whole numbers" if all(as_number(cell).is_integer() for cell in cells) else "numbers"
    return "times" if _are_times(cells) else "texts"


def _are_times(cells: Sequence[str]) -> bool:
    times = Times()
    try:
        for cell in cells:
            times.read(cell)
    except ValueError:
        return False
    return True
