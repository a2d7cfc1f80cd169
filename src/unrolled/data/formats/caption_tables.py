"""Tables of pictures with sentences: rows, JSON objects, and lines that begin with a picture and may have commas in the rest."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.guesses import column_names
from unrolled.data.formats.object_lines import has_key, shown, value_of
from unrolled.data.formats.path_tables import span_of
from unrolled.data.formats.rows import open_rows, rows_below
from unrolled.errors import ConfigError, DataError

Find = Callable[[str, str], Path]
"""`(name, place) -> the file of that name`; `DataError` where there is none."""

PICTURE_NAMES = ("image", "picture", "video", "file", "filename", "file_name", "image_name", "path", "image_path", "clip", "features")
SENTENCE_NAMES = ("caption", "captions", "sentence", "sentences", "text", "comment", "raw", "formula", "latex", "description")
"""What columns and keys are usually called."""

_QUOTED = re.compile(r'"(?:[^"]|"")*"')

_NUMBERED = re.compile(r"#\d+$")
"""What Flickr8k writes after the name of a picture, to tell its sentences apart."""


@dataclass(frozen=True)
class Named:
    """What a source says at a place: the name of a picture, its sentences, and which part of a video is meant."""

    place: str
    name: str
    sentences: tuple[str, ...]
    begin: float = 0.0
    end: float | None = None


def is_lines(lines: Sequence[str], options: CaptionOptions, ends: tuple[str, ...]) -> bool:
    """Whether lines begin with the name of a picture and have one more cell, in which there may be commas; the first may name the two columns, and does
    where columns are asked for."""
    some = [line for line in lines if line.strip()]
    if not some:
        return False
    header = _parted(some[0], ends) is None
    names = [name.strip() for name in _cells(re.sub(r"[\t;|]", ",", some[0]))] if header else []
    if header or (options.sentences_needed and (options.input is not None or options.target is not None)):
        known = len(names) == 2 and (names[1] == options.target if options.target is not None else names[1].lower() in SENTENCE_NAMES)
        if not known or options.input not in (None, names[0]):
            return False
    return len(some) > header and all(_parted(line, ends) is not None for line in some[header:])


def in_lines(path: Path, lines: Iterable[tuple[int, str]], ends: tuple[str, ...]) -> Iterator[Named | DataError]:
    """What such lines say."""

    def named(numbered: tuple[int, str]) -> Named:
        number, line = numbered
        found = _parted(line, ends)
        if found is None:
            told = f"{path}, line {number}: there must be a picture, and a sentence after a tab or comma, got {line[:40]!r}"
            raise DataError(f"{told}. Mend the line.")
        return Named(f"{path}, line {number}", found[0], (found[1],))

    some = ((number, line) for number, line in lines if line.strip())
    for at, one in enumerate(some):
        if at or _parted(one[1], ends) is not None:
            yield from tried([one], named)


def _parted(line: str, ends: tuple[str, ...]) -> tuple[str, str] | None:
    """The name and the sentence of a line; None if it does not begin with the name of a picture."""
    for between in "\t,;|":
        named, found, rest = line.partition(between)
        named = named.strip().strip('"')
        name = _NUMBERED.sub("", named)
        # A number of a sentence says that a name stands there, also where it ends as none of a picture does.
        if found and (name.lower().endswith(ends) or (between == "\t" and name != named)):
            return name, _unquoted(rest.strip())
    return None


def _unquoted(cell: str) -> str:
    """A cell without the double quotes around all of it."""
    return cell[1:-1].replace('""', '"') if _QUOTED.fullmatch(cell) else cell


def _cells(line: str) -> list[str]:
    """The cells of a line between commas; the line as it is if quotes or ends of lines in it are astray."""
    try:
        return next(csv.reader([line]))
    except csv.Error:
        return [line]


def in_rows(path: Path, options: CaptionOptions, ends: tuple[str, ...]) -> Iterator[Named | DataError]:
    """What the rows of a table say, whose first row has the names of its columns."""
    with open_rows(path, options.encoding) as (_, rows):
        header = next((row for _, row in good(rows)), [])
        if not any(header):
            raise DataError(f"{path} has no first line with the names of its columns. Add one.")
        columns = column_names(header)
        picture, sentence = _columns(dict.fromkeys(columns, ""), str(path), options, ())
        yield from tried(
            rows_below(path, iter([(1, header), *rows])), lambda row: _row(f"{path}, line {row[0]}", columns, row[1], picture, sentence)
        )


def _row(place: str, columns: Sequence[str], row: Sequence[str], picture: str, sentence: str) -> Named:
    cells = dict(zip(columns, row, strict=False))
    begin, end = span_of(cells, place)
    return Named(place, cells[picture].strip(), (cells.get(sentence, ""),), begin, end)


def in_objects(
    records: Iterable[tuple[str, dict[str, Any]] | DataError], options: CaptionOptions, ends: tuple[str, ...]
) -> Iterator[Named | DataError]:
    """What objects say: a picture, and a sentence or a list of them."""

    def named(placed: tuple[str, dict[str, Any]]) -> Named:
        place, record = placed
        try:
            picture, sentence = _columns(record, place, options, ends)
        except ConfigError as error:
            # Another object may have the keys that this one lacks.
            raise DataError(str(error)) from None
        name, said = value_of(record, picture), value_of(record, sentence)
        sentences = [said] if isinstance(said, str) else [] if said is None else said
        if not isinstance(name, str) or not isinstance(sentences, list) or not all(isinstance(one, str) for one in sentences):
            told = f"{picture!r} must be the name of a picture, and {sentence!r} a text or a list of texts"
            raise DataError(f"{place}: {told}, got {shown(record)}. Mend the object, or pass other keys as `input` and `target`.")
        begin, end = span_of(record, place)
        return Named(place, name.strip(), tuple(sentences), begin, end)

    return tried(records, named)


def _columns(record: Mapping[str, Any], place: str, options: CaptionOptions, ends: tuple[str, ...]) -> tuple[str, str]:
    """The columns or keys of pictures and of sentences: those that are asked for, or else usual ones."""
    found = []
    for option, asked, usual in (("input", options.input, PICTURE_NAMES), ("target", options.target, SENTENCE_NAMES)):
        lower = {name.lower().strip(): name for name in record}
        name = asked if asked is not None else next((lower[one] for one in usual if one in lower), None)
        if name is None and option == "input":
            name = next((key for key, value in record.items() if isinstance(value, str) and value.lower().endswith(ends or ("\0",))), None)
        if name is None and option == "target" and not options.sentences_needed:
            name = ""
        if name is None or (name and not has_key(record, name) and (asked is None or option == "input" or options.sentences_needed)):
            which = "pictures" if option == "input" else "sentences"
            told = f"which column has the {which} is not clear" if asked is None else f"there is no column {asked!r}"
            raise ConfigError(f"{place}: {told}; there are {', '.join(record)}. Pass one of them as `{option}`.")
        found.append(name)
    return found[0], found[1]
