"""Tables of pictures with sentences: rows and JSON objects."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.caption_parts import SPLIT, of_part, require_whole, split_of
from unrolled.data.formats.files import HEAD, look_ahead
from unrolled.data.formats.guesses import column_names
from unrolled.data.formats.object_lines import has_key, shown, value_of
from unrolled.data.formats.path_tables import span_of
from unrolled.data.formats.rows import open_rows, rows_below
from unrolled.errors import ConfigError, DataError

IsNamed = Callable[[str], bool]
"""Whether a text names a picture, a video or features, by its end or as there is such a file."""

PICTURE_NAMES = ("image", "picture", "video", "file", "filename", "file_name", "image_name", "path", "image_path", "clip", "features")
SENTENCE_NAMES = ("caption", "captions", "sentence", "sentences", "text", "comment", "raw", "formula", "latex", "description")
"""What columns and keys are usually called."""

_LOOKED_AT = 20
"""Cells by which it is found out whether a column names pictures."""


@dataclass(frozen=True)
class Named:
    """What a source says at a place: the name of a picture, its sentences, and which part of a video is meant."""

    place: str
    name: str
    sentences: tuple[str, ...]
    begin: float = 0.0
    end: float | None = None


def in_rows(path: Path, options: CaptionOptions, named: IsNamed) -> Iterator[Named | DataError]:
    """What the rows of a table say, whose first row has the names of its columns."""
    with open_rows(path, options.encoding) as (_, rows):
        header = next((row for _, row in good(rows)), [])
        if not any(header):
            raise DataError(f"{path} has no first line with the names of its columns. Add one.")
        columns = column_names(header)
        head, rows = look_ahead(rows, HEAD)
        if head and not any(good(head)) and options.input is None and options.target is None:
            # By no cell can it be known what columns have.
            yield from (item for item in rows if isinstance(item, DataError))
            return
        cells = {name: [row[at].strip() for _, row in good(head)] for at, name in enumerate(columns)}
        picture, sentence = _columns(cells, str(path), options, lambda: _of_pictures(cells, named))
        split = next((name for name in columns if name.lower() == SPLIT), None)
        if split is None:
            require_whole(path, options.part)
        below = rows_below(path, chain([(1, header)], rows))
        some = of_part(path, below, options.part, lambda row: row[1][columns.index(split or "")].strip())
        yield from tried(some, lambda row: _row(f"{path}, line {row[0]}", columns, row[1], picture, sentence))


def _of_pictures(columns: Mapping[str, Sequence[str]], named: IsNamed) -> str | None:
    """The first column in which most cells name pictures."""
    filled = {name: [cell for cell in cells if cell][:_LOOKED_AT] for name, cells in columns.items()}
    return next((name for name, cells in filled.items() if 2 * sum(map(named, cells)) > len(cells)), None)


def _row(place: str, columns: Sequence[str], row: Sequence[str], picture: str, sentence: str) -> Named:
    cells = dict(zip(columns, row, strict=False))
    begin, end = span_of(cells, place)
    return Named(place, cells[picture].strip(), (cells.get(sentence, ""),), begin, end)


def in_objects(
    path: Path, records: Iterable[tuple[str, dict[str, Any]] | DataError], options: CaptionOptions, is_named: IsNamed
) -> Iterator[Named | DataError]:
    """What objects say: a picture, and a sentence or a list of them."""

    def named(placed: tuple[str, dict[str, Any]]) -> Named:
        place, record = placed
        try:
            picture, sentence = _columns(
                record,
                place,
                options,
                lambda: next((key for key, value in record.items() if isinstance(value, str) and is_named(value)), None),
            )
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

    def split(placed: tuple[str, dict[str, Any]]) -> str:
        return split_of(placed[1], placed[0])

    return tried(of_part(path, records, options.part, split), named)


def _columns(record: Mapping[str, Any], place: str, options: CaptionOptions, pictures: Callable[[], str | None]) -> tuple[str, str]:
    """The columns or keys of pictures and of sentences: those that are asked for, or else usual ones, or, of pictures, what `pictures` finds by values."""
    found = []
    for option, asked, usual in (("input", options.input, PICTURE_NAMES), ("target", options.target, SENTENCE_NAMES)):
        lower = {name.lower().strip(): name for name in record}
        name = asked if asked is not None else next((lower[one] for one in usual if one in lower), None)
        if name is None and option == "input":
            name = pictures()
        if name is None and option == "target" and not options.sentences_needed:
            name = ""
        if name is None or (name and not has_key(record, name) and (asked is None or option == "input" or options.sentences_needed)):
            which = "pictures" if option == "input" else "sentences"
            told = f"which column has the {which} is not clear" if asked is None else f"there is no column {asked!r}"
            raise ConfigError(f"{place}: {told}; there are {', '.join(record)}. Pass one of them as `{option}`.")
        found.append(name)
    if found[0] == found[1]:
        raise ConfigError(
            f"{place}: {found[0]!r} is the column of pictures and that of sentences. Pass two of {', '.join(record)} as `input` and `target`."
        )
    return found[0], found[1]
