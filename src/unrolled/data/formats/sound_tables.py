"""Tables and JSON Lines of which a column, or a key, names files of sound."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from unrolled.data.examples import Example, Span, Target
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.files import head_lines, open_rows
from unrolled.data.formats.guesses import column_names
from unrolled.data.formats.object_lines import read_objects
from unrolled.data.formats.objects import JsonLines
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.sound_layouts import sound_at
from unrolled.data.formats.sound_spans import columns_of, span, times_of
from unrolled.data.formats.tables import TextTable
from unrolled.data.numerals import is_number
from unrolled.data.opening import inner_name
from unrolled.data.sound.recordings import SOUNDS, Recording, is_sound
from unrolled.errors import DataError

TEXTS = ("text", "sentence", "wrd", "transcript", "transcription", "normalized_text", "words")
"""Names under which the text of a recording stands."""

BESIDE = ("clips", "wavs", "wav", "audio", "sounds")
"""Folders beside a table in which its recordings may lie."""

LOOKED_AT = 20
"""Rows by which it is found out whether a table names files of sound."""

_TABLES = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": None}
_OBJECTS = JsonLines.suffixes


def sound_column(path: Path, options: ReadingOptions) -> str | None:
    """The column or key of which all values that are there name files of sound: the one that was asked for or learnt, or else the first."""
    end = Path(inner_name(path)).suffix.lower() if path.is_file() else ""
    if end not in (*_OBJECTS, *_TABLES):
        return None
    lines = head_lines(path, options.encoding)[: LOOKED_AT + 1]
    if not any(end in line.lower() for line in lines for end in SOUNDS):
        return None
    rows = list(_first_objects(path, options) if end in _OBJECTS else _first_rows(path, options, _TABLES[end]))
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if _names_sound([row.get(name) for row in rows])]
    asked = (options.input, *options.learnt[:1])
    return next((name for name in asked if name in names), names[0] if names and options.input is None else None)


def _first_objects(path: Path, options: ReadingOptions) -> Iterator[Mapping[str, Any]]:
    try:
        for _, record in islice(good(read_objects(path, options.encoding)), LOOKED_AT):
            yield record
    except (DataError, json.JSONDecodeError):
        # Whoever reads the file says what is wrong with it.
        return


def _first_rows(path: Path, options: ReadingOptions, delimiter: str | None) -> Iterator[Mapping[str, str]]:
    with open_rows(path, options.encoding, delimiter) as (_, rows):
        head = [row for _, row in good(islice(rows, LOOKED_AT + 1))]
    header = bool(head) and not any(map(is_sound, head[0])) if options.header is None else options.header
    columns = column_names(head[0]) if header else tuple(map(str, range(len(head[0]))))
    yield from (dict(zip(columns, row, strict=False)) for row in head[header:])


def _names_sound(values: list[Any]) -> bool:
    named = [value for value in values if isinstance(value, str) and value.strip()]
    return bool(named) and all(is_sound(value.strip()) for value in named)


def read_table(path: Path, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """The recordings that a table or JSON Lines name, each with what is said of it; paths are relative to the table, or absolute."""
    table = table_of(path)
    known = in_columns(path, options, wanted)
    folders = [path.absolute().parent, *(path.absolute().parent / name for name in BESIDE)]
    if wanted is Target.TAGS:
        return _tagged(table.read([path], known, Target.LABELS), folders, options)

    def heard(example: Example) -> Example:
        found = sound_at((example.text or "").strip(), folders, example.place)
        return replace(example, text=None, sound=Recording(found, None, *_span(_cells(example), example.place)))

    return tried(table.read([path], known, wanted), heard)


def _tagged(rows: Iterable[Example | DataError], folders: list[Path], options: ReadingOptions) -> Iterator[Example | DataError]:
    """A recording for all rows that name it, each of which has a span of it, or without spans if no labels are needed."""
    firsts, spans = dict[str, Example](), dict[str, list[Span]]()

    def noted(row: Example) -> None:
        name, cells = (row.text or "").strip(), _cells(row)
        firsts.setdefault(name, row)
        names = columns_of(cells, options.target)
        if options.labels_needed and names is not None:
            spans.setdefault(name, []).append(span(*times_of(cells, names, row.place), (row.labels or ("",))[0], row.place))

    yield from (found for found in tried(rows, noted) if isinstance(found, DataError))
    for name, row in firsts.items():
        sound = Recording(sound_at(name, folders, row.place))
        yield replace(row, text=None, labels=None, sound=sound, spans=tuple(spans[name]) if name in spans else None, origin=None)


def in_columns(path: Path, options: ReadingOptions, wanted: Target) -> ReadingOptions:
    """The options with the columns of recordings and of their texts."""
    column = sound_column(path, options)
    known = replace(options, input=options.input or column, learnt=() if column not in options.learnt[:1] else options.learnt)
    if wanted is not Target.TEXTS or options.target is not None or known.learnt_targets:
        return known
    end = Path(inner_name(path)).suffix.lower()
    rows = _first_objects(path, options) if end in _OBJECTS else _first_rows(path, options, _TABLES[end])
    names = list(next(iter(rows), {}))
    return replace(known, target=next((name for name in TEXTS if name in names), None))


def table_of(path: Path) -> TextTable | JsonLines:
    """The format of a table, which reads it and writes it again."""
    end = Path(inner_name(path)).suffix.lower()
    return JsonLines() if end in _OBJECTS else TextTable("csv", (), _TABLES[end])


def _cells(example: Example) -> Mapping[str, Any]:
    """What a row or object says, by column."""
    if isinstance(example.origin, Mapping):
        return example.origin
    row, layout = example.origin
    return dict(zip(layout.columns or (), row, strict=False))


def _span(cells: Mapping[str, Any], place: str) -> tuple[float, float | None]:
    """The part of the file that is meant, in seconds: `offset` and `duration`, or `begin` and `end`, or `start` and `stop`."""
    begin = _seconds(cells, ("offset", "begin", "start"), place)
    if begin is None:
        return 0.0, None
    end = _seconds(cells, ("end", "stop"), place)
    length = _seconds(cells, ("duration",), place)
    return begin, end if end is not None else None if length is None else begin + length


def _seconds(cells: Mapping[str, Any], names: tuple[str, ...], place: str) -> float | None:
    name = next((name for name in names if str(cells.get(name) or "").strip()), None)
    if name is None:
        return None
    if not is_number(str(cells[name])):
        raise DataError(f"{place}: {name!r} must be a time in seconds, got {str(cells[name])[:40]!r}. Mend it, or rename the column.")
    return float(cells[name])
