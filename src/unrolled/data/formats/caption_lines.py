"""Lines that begin with a picture and have a sentence in the rest, in which there may be commas, as Flickr8k has them."""

import csv
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.caption_parts import require_whole
from unrolled.data.formats.caption_tables import PICTURE_NAMES, SENTENCE_NAMES, Named
from unrolled.data.formats.files import HEAD, look_ahead
from unrolled.errors import DataError

_DIVIDERS = "\t,;|"

_QUOTED = re.compile(r'"(?:[^"]|"")*"')

_NUMBERED = re.compile(r"(?<=.)#\d+$")
"""What Flickr8k writes after the name of a picture, to tell its sentences apart."""

_MOST = 100
"""Lines that a sentence between double quotes may go over."""


def is_lines(lines: Sequence[str], options: CaptionOptions, ends: tuple[str, ...]) -> bool:
    """Whether most lines begin with the name of a picture and have one more cell; the first may name the two columns, and does where columns are asked for."""
    some = [line for line in lines if line.strip()]
    if not some or _divider(some, options, ends) is not None:
        return bool(some)
    if options.sentences_needed and (options.input is not None or options.target is not None):
        return False
    # Below other names of columns lines begin with a picture, too.
    return _are_most(some, lambda line: _begins(line, ends)) if _begins(some[0], ends) else _are_most(some, _is_token)


def in_lines(path: Path, lines: Iterable[tuple[int, str]], options: CaptionOptions, ends: tuple[str, ...]) -> Iterator[Named | DataError]:
    """What such lines say."""
    require_whole(path, options.part)
    head, some = look_ahead(((number, line) for number, line in lines if line.strip()), HEAD)
    divider = _divider([line for _, line in head], options, ends)

    def named(numbered: tuple[int, str]) -> Named:
        number, line = numbered
        found = _parted(line, ends, divider)
        if found is None:
            told = f"{path}, line {number}: there must be a picture, and a sentence after a tab or comma, got {line[:40]!r}"
            raise DataError(f"{told}. Mend the line.")
        return Named(f"{path}, line {number}", found[0], (_unquoted(found[1]),))

    yield from tried(_joined(islice(some, divider is not None, None), ends, divider), named)


def _divider(lines: Sequence[str], options: CaptionOptions, ends: tuple[str, ...]) -> str | None:
    """What divides the names of two columns, that of pictures and that of sentences, in the first of some lines; None if it does not have these."""
    divider = next((mark for mark in lines[0] if mark in _DIVIDERS), None) if lines else None
    if divider is None or _begins(lines[0], ends):
        return None
    names = [name.strip() for name in _cells(lines[0], divider)]
    said = len(names) == 2 and (names[1] == options.target if options.target is not None else names[1].lower() in SENTENCE_NAMES)
    if not said or options.input not in (None, names[0]):
        return None
    sure = options.input is not None or names[0].lower() in PICTURE_NAMES
    return divider if sure or _are_most(lines[1:], lambda line: _begins(line, ends)) else None


def _are_most(lines: Sequence[str], such: Callable[[str], bool]) -> bool:
    return 2 * sum(map(such, lines)) > len(lines)


def _begins(line: str, ends: tuple[str, ...]) -> bool:
    """Whether a line begins with a picture, whatever comes after its name."""
    first = next(iter(line.split()), "").strip('"')
    return _parted(line, ends) is not None or _NUMBERED.sub("", first) != first or first.lower().endswith(ends)


def _is_token(line: str) -> bool:
    """Whether a line is one of Flickr8k's."""
    return _NUMBERED.search(line.partition("\t")[0]) is not None


def _joined(lines: Iterable[tuple[int, str]], ends: tuple[str, ...], divider: str | None) -> Iterator[tuple[int, str]]:
    """Numbered lines, of which those that a sentence between double quotes goes over are one. A line that begins with a picture begins anew."""
    rest, waiting = iter(lines), deque[tuple[int, str]]()

    def following() -> tuple[int, str] | None:
        return waiting.popleft() if waiting else next(rest, None)

    while one := following():
        text, more = one[1], list[tuple[int, str]]()
        while _is_open(text, ends, divider) and len(more) < _MOST and (after := following()):
            more.append(after)
            if _begins(after[1], ends):
                break
            text = f"{text}\n{after[1]}"
        if _is_open(text, ends, divider):
            text = one[1]
            waiting.extendleft(reversed(more))
        yield one[0], text


def _is_open(line: str, ends: tuple[str, ...], divider: str | None) -> bool:
    """Whether the sentence of a line begins with a double quote that does not end there."""
    found = _parted(line, ends, divider)
    return found is not None and found[1].startswith('"') and found[1].count('"') % 2 == 1


def _parted(line: str, ends: tuple[str, ...], divider: str | None = None) -> tuple[str, str] | None:
    """The name and the sentence of a line as they are written; None if it does not begin with the name of a picture. In a table whose `divider` is known
    any name will do."""
    for between in _DIVIDERS if divider is None else divider:
        quoted = re.match(rf'\s*("(?:[^"]|"")*")\s*{re.escape(between)}(.*)', line, re.DOTALL)
        cell, found, rest = (quoted[1], True, quoted[2]) if quoted else line.partition(between)
        cell = _unquoted(cell.strip())
        name = _NUMBERED.sub("", cell)
        if found and (divider is not None or name.lower().endswith(ends) or (between == "\t" and name != cell)):
            return name, rest.strip()
    alone = _NUMBERED.sub("", _unquoted(line.strip()))
    return (alone, "") if alone.lower().endswith(ends) else None


def _unquoted(cell: str) -> str:
    """A cell without the double quotes around all of it."""
    return cell[1:-1].replace('""', '"') if _QUOTED.fullmatch(cell) else cell


def _cells(line: str, divider: str) -> list[str]:
    """The cells of a line; the line as it is if quotes or ends of lines in it are astray."""
    try:
        return next(csv.reader([line], delimiter=divider))
    except csv.Error:
        return [line]
