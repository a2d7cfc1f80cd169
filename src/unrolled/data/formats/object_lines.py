"""JSON objects, one a line, in one array or in a table that is one object, with keys inside other objects."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unrolled.data.formats.files import STANDARD_INPUT, named, tried_lines
from unrolled.data.formats.json_arrays import read_array
from unrolled.data.formats.json_tables import read_table
from unrolled.data.formats.json_values import Part, tell_of_half, value_in, without_halves
from unrolled.errors import DataError

_NAMED = 30
"""Keys of an object that a message names."""


def read_objects(path: Path, encoding: str) -> Iterator[tuple[str, dict[str, Any]] | DataError]:
    """The objects of a file, one a line or in one value, each with its place, or what is wrong with a line that has none.

    Halves of surrogate pairs, as cut texts have them, are no characters and cannot be written: each becomes a question mark. An
    `UnrolledWarning` names the first line that has one.
    """
    if path != STANDARD_INPUT:
        whole = read_array(path, encoding) or read_table(path, encoding)
        if whole is not None:
            # What is the whole value itself is no part of one.
            yield from (item if isinstance(item, DataError) or item[0] == named(path) else (item[0], Part(item[1])) for item in whole)
            return
    halves = False
    for item in tried_lines(path, encoding):
        if isinstance(item, DataError):
            yield item
            continue
        number, line = item
        if not line.strip():
            continue
        place = f"{named(path)}, line {number}"
        try:
            record = parse_object(line, place)
        except DataError as error:
            yield error.with_traceback(None)
            continue
        if (whole := without_halves(record, line)) != record:
            if not halves:
                tell_of_half(place)
            record, halves = whole, True
        yield place, record


def parse_object(line: str, place: str) -> dict[str, Any]:
    """The object in a line that stands at `place`. `DataError` if there is none, or if it has a key twice."""
    try:
        record = value_in(line, place)
    except DataError:
        raise
    except ValueError as error:
        record, told = None, f" ({error})"
    else:
        told = ""
    if not isinstance(record, dict):
        raise DataError(f"{place} must be a JSON object, got {line[:30]!r}{told}. {_cure(record)}")
    return record


def _cure(record: Any) -> str:
    """How something that is no object is mended; None is what cannot be read, as the first line of a list in many lines."""
    if record == []:
        return "Take the line out."
    if isinstance(record, list) and not isinstance(record[0], dict):
        return "Write lists and texts under the keys of an object, as docs/data.md shows."
    return "Write one object a line, as `jq -c '.[]' FILE` does with a list, and `jq -c . FILE` with objects over several lines."


def has_key(record: Any, key: str) -> bool:
    """Whether an object has a key, or `data.text` in the object under another one."""
    first, dot, rest = key.partition(".")
    return isinstance(record, Mapping) and (key in record or bool(dot and has_key(record.get(first), rest)))


def value_of(record: Any, key: str) -> Any:
    """What an object has under a key; None where it has none."""
    if not isinstance(record, Mapping) or key in record:
        return record.get(key) if isinstance(record, Mapping) else None
    first, dot, rest = key.partition(".")
    return value_of(record.get(first), rest) if dot else None


def keys_of(record: Mapping[str, Any]) -> list[str]:
    """The keys of an object, and in the place of one with another object those inside that, as in `data.text`."""
    found = list[str]()
    for key, value in record.items():
        inside = keys_of(value) if isinstance(value, Mapping) and value else []
        found += [name for name in (f"{key}.{name}" for name in inside) if name not in record] or [key]
    return found


def listed(record: Mapping[str, Any]) -> str:
    """The first keys of an object, as messages name them."""
    keys = keys_of(record)
    return ", ".join(keys[:_NAMED]) + (", …" if len(keys) > _NAMED else "")


def shown(value: Any) -> str:
    """A value as JSON, short enough for a message."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 40 else f"{text[:37]}…"
