"""Tables and JSON Lines of which a column, or a key, names files of sound, pictures or videos."""

import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import good
from unrolled.data.formats.files import head_lines
from unrolled.data.formats.guesses import column_names
from unrolled.data.formats.object_lines import read_objects
from unrolled.data.formats.objects import JsonLines
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.rows import open_rows
from unrolled.data.formats.table_layouts import differing
from unrolled.data.formats.tables import TextTable
from unrolled.data.numerals import as_number, is_number
from unrolled.data.opening import inner_name
from unrolled.errors import DataError, UnrolledWarning

LOOKED_AT = 20
"""Rows by which it is found out whether a table names files."""

_TABLES = {".csv": None, ".tsv": "\t", ".tab": "\t", ".txt": None}
_OBJECTS = JsonLines.suffixes

_BEGINS = ("offset", "begin", "start")
"""Columns with the time at which a part of a file begins."""

Named = Callable[[str], bool]
"""Whether a value is the name of a file that is looked for."""


def ending(ends: Sequence[str]) -> Named:
    """Those of files with such ends."""
    return lambda cell: cell.strip().lower().endswith(tuple(ends))


def path_column(path: Path, options: ReadingOptions, ends: Sequence[str], other: Named, surely: Named | None = None) -> str | None:
    """The column or key of which most values that are there name files with such ends, or else most are `other` ones, at least one of them `surely`:
    the one that was asked for or learnt, or else the first."""
    if not is_table(path):
        return None
    lines = head_lines(path, options.encoding)[: LOOKED_AT + 1]
    written = any(end in line.lower() for line in lines for end in ends)
    found = _column(path, options, ending(ends)) if written else None
    return _column(path, options, other, surely) if found is None else found


def folders_of(source: Path, beside: Sequence[str]) -> list[Path]:
    """Where the files lie that a table or a list names: in its own folder, or in one of some `beside` it."""
    own = source.absolute().parent
    return [own, *(folder for name in beside if (folder := own / name).is_dir())]


def shortened(folders: Sequence[Path], ends: Sequence[str]) -> Named:
    """The names of files with such ends, and those to which one of these ends must be added to find a file in some folders."""
    named = ending(ends)
    # All cells of the first rows of all tables are asked, for which paths as objects are slow.
    places = [os.fspath(folder) for folder in folders]
    return lambda cell: named(cell) or any(os.path.isfile(os.path.join(place, f"{cell.strip()}{end}")) for place in places for end in ends)


def file_in(folders: Sequence[Path], name: str, ends: Sequence[str], there: Callable[[Path], bool] = os.path.isfile) -> Path | None:
    """What is `there` of a name in the first of some folders that has it: as it is written, or else with one of some ends behind it."""
    return next((one for end in ("", *ends) for folder in folders if there(one := folder / f"{name}{end}")), None) if name else None


def missing(folders: Sequence[Path], name: str, ends: Sequence[str], place: str, column: str | None = None) -> DataError:
    """What is wrong with a place, or a column of it, that names a file which is in none of some folders."""
    told = f"{place}: there is no file {name!r}{'' if column is None else f', which {column!r} names'}"
    where = ", ".join(dict.fromkeys(str(folder / name) for folder in folders[:3]))
    return DataError(f"{told}; it was looked for as {where}, also with {', '.join(ends[:2])} and the like behind it. Mend the path.")


def _column(path: Path, options: ReadingOptions, named: Named, surely: Named | None = None) -> str | None:
    rows = first_rows(path, options, named)
    columns = dict.fromkeys(name for row in rows for name in row)
    names = [name for name in columns if _mostly_named([row.get(name) for row in rows], named, surely or named)]
    asked = (options.input, *options.learnt[:1])
    return next((name for name in asked if name in names), names[0] if names and options.input is None else None)


def is_table(path: Path) -> bool:
    """Whether a file may be a table, or JSON Lines, by the end of its name."""
    return _end(path) in (*_OBJECTS, *_TABLES)


def has_texts(path: Path, column: str, options: ReadingOptions) -> bool:
    """Whether a file is a table, or JSON Lines, with texts under a name."""
    return is_table(path) and any(isinstance(row.get(column), str) for row in first_rows(path, options, lambda cell: False))


def _end(path: Path) -> str:
    return Path(inner_name(path)).suffix.lower() if path.is_file() else ""


def first_rows(path: Path, options: ReadingOptions, named: Named) -> list[Mapping[str, Any]]:
    """The first rows or objects of a file; the first row of a table is its header unless it names a file."""
    end = _end(path)
    return list(_first_objects(path, options) if end in _OBJECTS else _first_cells(path, options, _TABLES[end], named))


def _first_objects(path: Path, options: ReadingOptions) -> list[Mapping[str, Any]]:
    # Whoever reads the file says what is wrong with it, and what is odd.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnrolledWarning)
        try:
            return [record for _, record in islice(good(read_objects(path, options.encoding)), LOOKED_AT)]
        except (DataError, json.JSONDecodeError):
            return []


def _first_cells(path: Path, options: ReadingOptions, delimiter: str | None, named: Named) -> Iterator[Mapping[str, str]]:
    with open_rows(path, options.encoding, delimiter) as (_, rows):
        head = [row for _, row in good(islice(rows, LOOKED_AT + 1))]
    if not head:
        return
    header = not any(map(named, head[0])) if options.header is None else options.header
    columns = column_names(head[0]) if header else tuple(map(str, range(len(head[0]))))
    yield from (dict(zip(columns, row, strict=False)) for row in head[header:])


def _mostly_named(values: list[Any], named: Named, surely: Named) -> bool:
    cells = [value for value in values if isinstance(value, str) and value.strip()]
    return 2 * sum(map(named, cells)) > len(cells) and any(map(surely, cells))


def table_of(path: Path) -> TextTable | JsonLines:
    """The format of a table, which reads it and writes it again."""
    end = Path(inner_name(path)).suffix.lower()
    return JsonLines() if end in _OBJECTS else TextTable("csv", (), _TABLES[end])


def require_alike(tables: Sequence[Path], options: ReadingOptions, learnt_of: Callable[[Path], Sequence[str]]) -> None:
    """`DataError` for a table whose files or targets, as far as they were not asked for, stand under other names than in the first one; `learnt_of` tells these."""
    if len(tables) < 2 or not options.labels_needed:
        return
    first, *others = tables
    known = learnt_of(first)
    for path in others:
        found = learnt_of(path)
        if any(name.isdecimal() for name in (*known, *found)):
            continue
        parts = ((options.input, "input", found[:1], known[:1]), (options.target, "target", found[1:], known[1:]))
        for asked, option, here, before in parts:
            if asked is None and [*map(str.lower, here)] != [*map(str.lower, before)]:
                raise differing(path, first, option, here, before)


def cells_of(example: Example) -> Mapping[str, Any]:
    """What a row or object says, by column."""
    if isinstance(example.origin, Mapping):
        return example.origin
    row, layout = example.origin
    return dict(zip(layout.columns or (), row, strict=False))


def cure_for(example: Example, wanted: Target) -> str | None:
    """What one does so that a row that names a file has what is `wanted`; None for an example that is no such row."""
    if (example.sound is None and example.clip is None) or not isinstance(example.origin, Mapping | tuple):
        return None
    if example.target:
        return f"Fill in {example.target}, or take the row out."
    listed = ", ".join(map(repr, cells_of(example))) or "no names"
    return f"Pass the column or key that has it as `{'text' if wanted is Target.TEXTS else 'target'}`; there are {listed}."


def span_of(cells: Mapping[str, Any], place: str) -> tuple[float, float | None]:
    """The part of a file that is meant: `offset` and `duration`, or `begin` and `end`, or `start` and `stop`. Where a beginning is left blank it is 0;
    without a column of beginnings all of the file is meant, as `duration` may be that of the file. `DataError` for what is no such time."""
    if not any(name in cells for name in _BEGINS):
        return 0.0, None
    begin = _time(cells, _BEGINS, place) or 0.0
    end = _time(cells, ("end", "stop"), place)
    length = _time(cells, ("duration",), place)
    return begin, end if end is not None else None if length is None else begin + length


def _time(cells: Mapping[str, Any], names: tuple[str, ...], place: str) -> float | None:
    # A number of 0 is a time; only None and blank texts say nothing.
    told = {name: str(cells[name]) for name in names if cells.get(name) is not None}
    name = next((name for name, text in told.items() if text.strip()), None)
    if name is None:
        return None
    if not is_number(told[name]) or as_number(told[name]) < 0:
        raise DataError(f"{place}: {name!r} must be a time, 0 or more, got {told[name][:40]!r}. Mend it, or rename the column.")
    return as_number(told[name])
