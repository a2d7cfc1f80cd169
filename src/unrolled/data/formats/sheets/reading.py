"""What readers of tables have in common: cells as text, and the errors of libraries as errors of files."""

import io
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from unrolled.data.kinds import Kind
from unrolled.data.opening import PACKED, open_unpacked, require_file
from unrolled.errors import DataError, UnrolledError


def whole(path: Path, kind: Kind, read: Callable[[Path], Iterator[list[str] | DataError]]) -> Iterator[tuple[int, list[str]] | DataError]:
    """The rows that `read` gives of a file, with their numbers; what it raises is a `DataError` that names the file."""
    width = 0
    with telling(path, kind.name):
        for number, row in enumerate(read(path), 1):
            width = width or (0 if isinstance(row, DataError) else len(row))
            if isinstance(row, DataError):
                yield row
            elif len(row) != width:
                yield DataError(f"{path}, row {number}: a row must have {width} cells as the first has, got {len(row)}. Mend the row.")
            else:
                yield number, row


@contextmanager
def telling(path: Path, name: str) -> Iterator[None]:
    """Whatever a library raises while it reads a file that is called `name` is a `DataError`: each has its own errors."""
    try:
        yield
    except UnrolledError:
        raise
    except Exception as error:
        told = str(error).partition("\n")[0][:200] or type(error).__name__
        raise DataError(f"{path} cannot be read as {name}: {told}. It is damaged, or not complete: get it again.") from None


@contextmanager
def open_seekable(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file in any order; a packed one is unpacked into memory."""
    if path.suffix.lower() in PACKED:
        with open_unpacked(path) as packed:
            yield io.BytesIO(packed.read())
    else:
        require_file(path)
        with open(path, "rb") as file:
            yield file


def as_cell(value: Any) -> str:
    """A value as CSV has it: nothing for what is missing, dates as ISO 8601 has them, lists as JSON."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, list | dict) else str(value)
