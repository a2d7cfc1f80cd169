"""Parquet and Arrow (Feather) tables, through pyarrow: as rows of text, or as objects where cells hold lists."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from unrolled.data import kinds
from unrolled.data.formats.sheets.reading import as_cell, open_seekable, telling
from unrolled.data.opening import kind_in
from unrolled.extras import extra

_ROWS = 4096
"""Rows that are held in memory at a time."""


def parquet_rows(path: Path) -> Iterator[list[str]]:
    """The names of the columns, and the rows."""
    return _rows(path)


def feather_rows(path: Path) -> Iterator[list[str]]:
    """The same of Arrow's files and streams."""
    return _rows(path)


def has_lists(path: Path) -> bool:
    """Whether cells of a table hold lists or objects, as those of tokens and their tags do."""
    with telling(path, "an Arrow or Parquet table"), _opened(path) as (schema, _):
        nested = extra("pyarrow").types.is_nested
        return any(nested(field.type) for field in schema)


def records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows as objects, each with its place. Numbers that the table has names for, as the data sets of Hugging Face do, are these names."""
    with telling(path, "an Arrow or Parquet table"), _opened(path) as (schema, batches):
        names = _class_names(schema)
        number = 1
        for batch in batches:
            for record in batch.to_pylist():
                yield f"{path}, row {number}", {key: _named(value, names[key]) if key in names else value for key, value in record.items()}
                number += 1


def _rows(path: Path) -> Iterator[list[str]]:
    with _opened(path) as (schema, batches):
        names = _class_names(schema)
        yield list(schema.names)
        for batch in batches:
            columns = [_cells(column.to_pylist(), names.get(name)) for name, column in zip(schema.names, batch.columns, strict=True)]
            yield from map(list, zip(*columns, strict=True))


def _cells(values: list[Any], names: list[str] | None) -> list[str]:
    return [as_cell(value if names is None else _named(value, names)) for value in values]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The schema of a table and its rows in batches."""
    with open_seekable(path) as file:
        if kind_in(path) is kinds.PARQUET:
            table = extra("pyarrow.parquet").ParquetFile(file)
            yield table.schema_arrow, table.iter_batches(_ROWS)
            return
        begin = file.read(4)
        file.seek(0)
        if begin == b"\xff\xff\xff\xff":
            stream = extra("pyarrow.ipc").open_stream(file)
            yield stream.schema, iter(stream)
        else:
            table = extra("pyarrow.feather").read_table(file, memory_map=False)
            yield table.schema, iter(table.to_batches(_ROWS))


def _class_names(schema: Any) -> dict[str, list[str]]:
    """The names that numbers of columns stand for, as the library `datasets` writes them beside a table."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return {column: names for column, feature in features.items() if (names := _names_in(feature))}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _names_in(feature: Any) -> list[str] | None:
    if isinstance(feature, list) and feature:
        return _names_in(feature[0])
    if not isinstance(feature, Mapping):
        return None
    return list(feature["names"]) if feature.get("names") else _names_in(feature.get("feature"))


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(part, names) for part in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None if value == -1 else value
