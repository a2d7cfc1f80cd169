"""JSON files that are one object with a table in it: columns, rows under a key, and what pandas writes as `split`, `index` and `columns`."""

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from unrolled.data.formats.files import LEFT, named, open_text, whole_lines
from unrolled.data.formats.guesses import INPUTS, TARGETS
from unrolled.data.formats.json_arrays import objects_of
from unrolled.data.formats.json_values import whole_value
from unrolled.data.opening import inner_name
from unrolled.errors import DataError, UnrolledWarning

Rows = Iterator[tuple[str, dict[str, Any]] | DataError]

_LINES = (".jsonl", ".ndjson")
"""The ends of names of files of which a single line is one object, whatever is in it."""

_DIVIDED = ("tokens", "words", "sequence", "seq", "input")
"""Keys under which a list may be one sequence, step by step."""

_TEXTS = frozenset(INPUTS) - {*_DIVIDED, "name"}
"""Keys under which one sequence is a text and no list."""

_USUAL = frozenset((*INPUTS, *TARGETS))

_LINES_CURE = "If it is one sequence, let the name of the file end in .jsonl"


def read_table(path: Path, encoding: str) -> Rows | None:
    """The rows of a file that is one object, as objects with their places; None if it has an object a line, or is no JSON.

    One that has no table in it is one row. What may be a table or a sequence is read as a sequence, with an `UnrolledWarning`; several
    tables, and columns of different lengths, are a `DataError`.
    """
    if not _is_one(path, encoding):
        return None
    found = whole_value(path, encoding)
    return None if found is None else _rows(found, path)


def _is_one(path: Path, encoding: str) -> bool:
    """Whether a file seems to be one object: its only line is one, or its first line the beginning of one."""
    with open_text(path, encoding, LEFT) as file:
        filled = (line for line in whole_lines(path, file) if line.strip())
        first = next(filled, "").strip()
        several = next(filled, None) is not None
    if not first.startswith("{"):
        return False
    return _breaks_off(first) if several else not inner_name(path).lower().endswith(_LINES)


def _breaks_off(line: str) -> bool:
    """Whether a line is right as far as it goes, and lacks its end."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line)
    except (ValueError, RecursionError):
        return False
    return False


def _rows(found: dict[str, Any], path: Path) -> Rows:
    if isinstance(found.get("columns"), list) and isinstance(found.get("data"), list):
        return _split(found["columns"], found["data"], path)
    if found and all(isinstance(value, list) for value in found.values()) and (rows := _columns(found, path)) is not None:
        return rows
    if found and all(isinstance(value, dict) for value in found.values()) and (rows := _of_objects(found, path)) is not None:
        return rows
    tables = [key for key, value in found.items() if _has_objects(value) and key not in TARGETS]
    if not tables or not _TEXTS.isdisjoint(found):
        return iter([(named(path), found)])
    if len(tables) > 1:
        each = "; ".join(f"jq -c '.{key}[]' FILE > {key}.jsonl" for key in tables)
        raise DataError(f"{named(path)} has several tables, {', '.join(map(repr, tables))}. Write each to a file of its own: `{each}`.")
    return objects_of(found[tables[0]], f"{named(path)}, {tables[0]!r}")


def _has_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(part, dict) for part in value)


def _split(columns: list[Any], rows: list[Any], path: Path) -> Rows:
    """Names of columns and lists of cells, as pandas' orient="split" has them."""
    for number, row in enumerate(rows, 1):
        place = f"{named(path)}, row {number}"
        if isinstance(row, list) and len(row) == len(columns):
            yield place, dict(zip(map(str, columns), row, strict=True))
        else:
            yield DataError(f"{place} must have {len(columns)} cells, as 'columns' names so many, got {str(row)[:30]}. Mend the row.")


def _columns(found: Mapping[str, list[Any]], path: Path) -> Rows | None:
    """Lists of the cells of each column, as pandas' orient="list" has them; None if they are rows of objects, or one sequence."""
    if len(found) == 1 and _has_objects(*found.values()):
        return None
    lengths = {key: len(value) for key, value in found.items()}
    told = ", ".join(f"{key!r} has {length:,}" for key, length in lengths.items())
    if not any(_is_column(key, value) for key, value in found.items()):
        if len({*lengths.values()}) == 1:
            cure = "If each is a row, write an object for each, as pandas does with orient='records' and lines=True"
            text = f"{named(path)} has lists of one length ({told}), and is read as one sequence. {cure}; {_LINES_CURE[0].lower()}{_LINES_CURE[1:]}."
            warnings.warn(text, UnrolledWarning, stacklevel=2)
        return None
    if len(found) == 1 and all(isinstance(row, list) for row in next(iter(found.values()))):
        raise DataError(f"{named(path)}: the rows under {next(iter(found))!r} have no names of columns. Write each as an object.")
    if len({*lengths.values()}) > 1:
        if all(map(_has_objects, found.values())):
            return None
        raise DataError(f"{named(path)} has columns of different lengths: {told}. Mend it, or write an object for each row. {_LINES_CURE}.")
    rows = zip(*found.values(), strict=True)
    return iter([(f"{named(path)}, row {number}", dict(zip(found, row, strict=True))) for number, row in enumerate(rows, 1)])


def _is_column(key: str, cells: list[Any]) -> bool:
    """Whether a list is surely a column, and not the steps of one sequence: of texts under such a key or with blanks in them, of lists that no series
    has, or of objects."""
    if any(isinstance(cell, dict) for cell in cells):
        return True
    if any(isinstance(cell, str) for cell in cells):
        return key.lower() in _TEXTS or any(isinstance(cell, str) and len(cell.split()) > 1 for cell in cells)
    inside = [cell for cell in cells if isinstance(cell, list)]
    return len({*map(len, inside)}) > 1 or any(isinstance(part, str | list | dict) for cell in inside for part in cell)


def _of_objects(found: Mapping[str, dict[str, Any]], path: Path) -> Rows | None:
    """Objects of one kind under the names of the rows or of the columns, as pandas' orient="index" and "columns" have them; None if they are no table."""
    inner = list(next(iter(found.values())))
    if not inner or any(value.keys() != found[next(iter(found))].keys() for value in found.values()):
        return None
    if _are_numbers(inner) or (len(found) > 1 and not _are_columns(inner) and _are_columns(found)):
        return _named_rows(path, {row: {key: cells[row] for key, cells in found.items()} for row in inner})
    if _are_numbers(found) or (len(found) > 1 and _are_columns(inner) and not _are_columns(found)):
        return _named_rows(path, found)
    if len(found) == 1:
        return None
    told = f"whether {', '.join(map(repr, [*found][:3]))} are rows or columns"
    raise DataError(
        f"{named(path)}: {told} is not clear. Write an object for each row, as pandas does with orient='records' and lines=True. {_LINES_CURE}."
    )


def _are_numbers(names: Iterable[str]) -> bool:
    return all(map(str.isdecimal, names))


def _are_columns(names: Iterable[str]) -> bool:
    """Whether one of some names is usual for a column."""
    return not _USUAL.isdisjoint(map(str.lower, names))


def _named_rows(path: Path, rows: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Rows with their names as `id`, where these are more than numbers."""
    for name, row in rows.items():
        yield f"{named(path)}, {name!r}", dict(row) if name.isdecimal() or "id" in row else {"id": name, **row}
