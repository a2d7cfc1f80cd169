"""Files as bytes, lines and tables, packed or not; what cannot be read is told with file and line."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from unrolled.data.text import known_encoding
from unrolled.errors import ConfigError, DataError

_DELIMITERS = ",;\t|"


@contextmanager
def open_bytes(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked if its name ends in ".gz". One that is missing, damaged or not to be read is a `DataError`."""
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb") as file:
            yield cast(BinaryIO, file)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist. Pass the path of a file.") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder. Pass files, for instance {path / '*'}.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be unpacked: {error}. Get it again, or take .gz off its name if it is not packed.") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Check its permissions and its disk.") from None


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """The text of a file, with its ends of lines as they are and without a byte-order mark; errors as in `open_bytes`."""
    encoding = known_encoding(encoding)
    with open_bytes(path) as data, TextIOWrapper(data, "utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
        try:
            yield file
        except UnicodeError as error:
            reason = getattr(error, "reason", str(error))
            cure = "Pass the encoding it was written in, for instance `--encoding latin-1`."
            raise DataError(f"{path} is not {encoding}: {reason}. {cure}") from None


def read_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines of a file, numbered from 1, without their ends."""
    with open_text(path, encoding) as file:
        for number, line in enumerate(file, 1):
            yield number, line.rstrip("\r\n")


@dataclass(frozen=True)
class Table:
    """A table whose first row has the names of its columns. `rows` gives each other row once, with the number of its last line."""

    path: Path
    delimiter: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]

    def find(self, name: str, flag: str) -> int:
        """Where the column `name` stands, which was asked for with `flag`."""
        if name not in self.columns:
            found = ", ".join(self.columns)
            raise ConfigError(f"{self.path} has no column {name!r}; its columns are {found}. Pass one of them as `{flag}`.")
        return self.columns.index(name)


@contextmanager
def open_table(path: Path, encoding: str) -> Iterator[Table]:
    """A table divided by commas, semicolons, tabs or bars, whichever its first line has most of.

    No first row, two columns of one name, and a row of another length are a `DataError`.
    """
    with open_text(path, encoding) as file:
        first = next(file, "")
        delimiter = max(_DELIMITERS, key=first.count)
        columns = tuple(name.strip() for name in next(csv.reader([first], delimiter=delimiter), []))
        if not any(columns):
            raise DataError(f"{path} has no first line with the names of its columns. Add one.")
        twice = next((name for name in columns if columns.count(name) > 1), None)
        if twice is not None:
            raise DataError(f"{path}, line 1, has two columns {twice!r}. Give each its own name.")
        yield Table(path, delimiter, columns, _rows(path, file, delimiter, len(columns)))


def _rows(path: Path, file: TextIO, delimiter: str, width: int) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file, delimiter=delimiter)
    try:
        for row in reader:
            if not row:
                continue
            if len(row) != width:
                raise DataError(
                    f"{path}, line {reader.line_num + 1}: a row must have {width} cells as the first line has, got {len(row)}. "
                    f"Put a cell that has {delimiter!r} in it between double quotes."
                )
            yield reader.line_num + 1, row
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num + 1}: {error}. Check its double quotes.") from None
