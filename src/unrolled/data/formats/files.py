"""Files as bytes, lines, blocks of lines and tables, packed or not; what cannot be read is told with file and line."""

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from io import BufferedReader, BytesIO, TextIOWrapper
from itertools import chain, groupby, islice
from pathlib import Path
from typing import BinaryIO, Literal, TextIO, TypeVar

from unrolled.data.formats.bad_rows import decided, good, tried
from unrolled.data.formats.guesses import column_names
from unrolled.data.formats.sheets import sheet_rows
from unrolled.data.kinds import wide_encoding
from unrolled.data.opening import markup_in, open_encoded, open_unpacked, require_text
from unrolled.data.text import OTHERWISE_ENCODED, known_encoding
from unrolled.errors import ConfigError, DataError

T = TypeVar("T")

Row = tuple[int, list[str]]
"""The number of the last line of a row of a table, and its cells."""

STANDARD_INPUT = Path("-")
"""What stands for the text that comes from the terminal or from another program."""

HEAD = 1000
"""Lines or examples at the beginning that are looked at to find out how a file is written."""

_LOOKED_AT = 1 << 16
"""Characters or bytes at the beginning of a file by which its format is known if its name does not say it."""

_DELIMITERS = ",;\t|"

_SEPARATOR = re.compile(r"\s*sep=(.)\s*$", re.IGNORECASE)
"""A first line that says what divides the cells, as Excel writes and reads it."""

LEFT = "surrogateescape"
"""How Python leaves bytes in a text that are not in the encoding: as halves of surrogate pairs."""

_UNDECODED = re.compile("[\udc80-\udcff]")

LONGEST_LINE = 1 << 28
"""Characters of a line from which on it is taken to have no end."""

# Whole proteins and stretches of DNA stand in cells, and Python's own limit is 128 KiB. What has no end is still refused.
csv.field_size_limit(1 << 26)


def named(path: Path) -> str:
    """What a file is called in messages."""
    return "standard input" if path == STANDARD_INPUT else str(path)


@contextmanager
def open_text(path: Path, encoding: str, errors: str = "strict") -> Iterator[TextIO]:
    """The text of a file, unpacked, or of the standard input, which stays open; with its ends of lines as they are and without a byte-order mark.

    What is missing, damaged, not to be read, or no text is a `DataError`. With `errors="surrogateescape"` bytes that are not in the encoding
    are left to `undecoded`.
    """
    encoding = known_encoding(encoding)
    with open_encoded(path, encoding) if path != STANDARD_INPUT else nullcontext(_standard_input(encoding)) as data:
        file = TextIOWrapper(data, _without_mark(data, encoding), errors, newline="")
        try:
            yield file
        except UnicodeError as error:
            reason = getattr(error, "reason", str(error))
            raise DataError(f"{named(path)}{_line_in_error(path, encoding)} is not {encoding}: {reason}. {OTHERWISE_ENCODED}") from None
        finally:
            file.detach()


def _standard_input(encoding: str) -> BinaryIO:
    """The standard input, if it begins with text."""
    require_text(named(STANDARD_INPUT), _waiting(sys.stdin.buffer), encoding)
    return sys.stdin.buffer


def _waiting(data: BinaryIO) -> bytes:
    """The first bytes of what is read next, as far as they are there and can be seen; nothing is taken away."""
    return data.peek(_LOOKED_AT) if isinstance(data, BufferedReader) else b""


def _without_mark(data: BinaryIO, encoding: str) -> str:
    """The codec that passes over a byte-order mark, where there is one."""
    marked = wide_encoding(_waiting(data)) if encoding.startswith(("utf-16-", "utf-32-")) else None
    return "utf-8-sig" if encoding == "utf-8" else marked if marked in ("utf-16", "utf-32") else encoding


def _line_in_error(path: Path, encoding: str) -> str:
    """Where the first line stands that is not in an encoding: text is decoded in blocks, and an error does not say in which line."""
    if path == STANDARD_INPUT or encoding.startswith(("utf-16", "utf-32")):
        return ""
    with open_unpacked(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return f", line {number},"
    return ""


def undecoded(path: Path, number: int, line: str, encoding: str) -> DataError | None:
    """What is wrong with a line of an `open_text` that leaves bytes alone which are not in the encoding, if it has some."""
    if line.isascii() or not (found := _UNDECODED.search(line)):
        return None
    byte = ord(found[0]) & 0xFF
    return DataError(f"{named(path)}, line {number}, is not {known_encoding(encoding)}: it has the byte 0x{byte:02x}. {OTHERWISE_ENCODED}")


def tried_lines(path: Path, encoding: str) -> Iterator[tuple[int, str] | DataError]:
    """The lines as `read_lines` has them, or what is wrong with one that is not in the encoding."""
    with open_text(path, encoding, LEFT) as file:
        for number, line in enumerate(_lines(path, file), 1):
            yield undecoded(path, number, line, encoding) or (number, line.rstrip("\r\n"))


def read_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines of a file, numbered from 1, without their ends."""
    with open_text(path, encoding) as file:
        for number, line in enumerate(_lines(path, file), 1):
            yield number, line.rstrip("\r\n")


def lines_of(name: str, content: bytes, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines of a text that is held in memory, numbered from 1, without their ends; errors call it by a `name`."""
    encoding = known_encoding(encoding)
    require_text(name, content[:_LOOKED_AT], encoding)
    try:
        text = content.decode(_without_mark(BufferedReader(BytesIO(content)), encoding))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{name}, line {line}, is not {encoding}: {error.reason}. {OTHERWISE_ENCODED}") from None
    yield from ((number, line.rstrip("\r")) for number, line in enumerate(text.removesuffix("\n").split("\n"), 1))


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """The lines of a file with their ends. One without an end is a `DataError`, so that memory stays bounded."""
    for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), ""), 1):
        if len(line) == LONGEST_LINE:
            raise DataError(f"{named(path)}, line {number}, has more than {LONGEST_LINE:,} characters. Divide it into lines.")
        yield line


def head_lines(path: Path, encoding: str) -> list[str]:
    """The first lines of a file, at most 100, without one that is too long for a look, unless it is the first. From standard input nothing is taken away."""
    if path == STANDARD_INPUT:
        text = _waiting(sys.stdin.buffer).decode(known_encoding(encoding), "ignore")
    else:
        with open_text(path, encoding, LEFT) as file:
            text = file.read(_LOOKED_AT)
    lines = [line.rstrip("\r") for line in text.split("\n")]
    return lines[: 100 if len(text) < _LOOKED_AT else max(min(100, len(lines) - 1), 1)]


def first_lines(path: Path, encoding: str) -> list[str]:
    """Those of `head_lines` that have something in them."""
    return [line for line in head_lines(path, encoding) if line.strip()]


def require_plain(path: Path, encoding: str, way_in: str, *, marks: bool = False) -> None:
    """`DataError` for a file with `markup_in` it. `way_in` says how it is read as plain text nevertheless."""
    if path != STANDARD_INPUT and (told := markup_in(path, known_encoding(encoding), marks=marks)):
        raise DataError(f"{told} If it is plain text, {way_in}.")


def read_blocks(path: Path, encoding: str) -> Iterator[list[tuple[int, str]] | DataError]:
    """The numbered lines of a file by what lies between empty lines, which may have blanks and tabs in them; or what is wrong with the first
    line of a block that is not in the encoding."""
    for empty, block in groupby(tried_lines(path, encoding), lambda item: not isinstance(item, DataError) and not item[1].strip(" \t")):
        if not empty:
            numbered = [*block]
            yield next((item for item in numbered if isinstance(item, DataError)), [*good(numbered)])


def look_ahead(items: Iterable[T], count: int) -> tuple[list[T], Iterator[T]]:
    """The first `count` items, or those there are, and all of them with these once more."""
    rest = iter(items)
    first = list(islice(rest, count))
    return first, chain(first, rest)


@dataclass(frozen=True)
class Table:
    """A table whose first row, `header`, has the names of its `columns`. `rows` gives each other row once, with the number of its last line, or what
    is wrong with it."""

    path: Path
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Iterator[Row | DataError]

    def find(self, name: str, option: str) -> int:
        """Where the column `name` stands, which was asked for with `option`."""
        if name not in self.columns:
            found = ", ".join(self.columns)
            raise ConfigError(f"{named(self.path)} has no column {name!r}; its columns are {found}. Pass one of them as `{option}`.")
        return self.columns.index(name)


@contextmanager
def open_table(path: Path, encoding: str) -> Iterator[Table]:
    """A table divided by commas, semicolons, tabs or bars, whichever its first line has most of.

    No first row is a `DataError`; a row of another length, or with the names once more, is one in its place.
    """
    with open_rows(path, encoding) as (delimiter, rows):
        head, rows = look_ahead(rows, 1)
        header = next((row for _, row in decided(head)), [])
        if not any(header):
            raise DataError(f"{named(path)} has no first line with the names of its columns. Add one.")
        yield Table(path, delimiter, tuple(header), column_names(header), rows_below(path, rows))


def rows_below(path: Path, rows: Iterator[Row | DataError]) -> Iterator[Row | DataError]:
    """The rows of a table after its header. One that is the header once more, as where files were put together, is bad."""
    header: list[str] | None = None
    for item in rows:
        if isinstance(item, DataError):
            yield item
        elif header is None:
            header = item[1]
        elif item[1] == header:
            yield DataError(f"{named(path)}, line {item[0]}: the names of the columns come again. Take the row out.")
        else:
            yield item


@contextmanager
def open_rows(path: Path, encoding: str, delimiter: str | None = None) -> Iterator[tuple[str, Iterator[Row | DataError]]]:
    """What divides the cells of a table, and all its rows, each with the number of its last line.

    Without a `delimiter` it is that of `,` `;` tab and `|` of which the first line has most. Cells may stand between double quotes. A
    row of another length than the first, and a quote that does not end, are bad rows: a `DataError` in their place. The cells of Parquet, Excel
    and the like are text, too, as if commas divided them.
    """
    if path != STANDARD_INPUT and (cells := sheet_rows(path)) is not None:
        yield ",", cells
        return
    with open_text(path, encoding, LEFT) as file:
        head, lines = look_ahead(_lines(path, file), HEAD)
        first = next((line for line in head if line.strip()), "")
        skipped = 0
        if told := _SEPARATOR.match(first):
            skipped = head.index(first) + 1
            for _ in range(skipped):
                next(lines)
            head, delimiter = head[skipped:], told[1]
        delimiter = delimiter or max(_DELIMITERS, key=first.count)
        # Files with tabs often have double quotes as plain characters: they are that where every line is a whole row without them.
        plain = delimiter == "\t" and len({line.count("\t") for line in head if line.strip()}) == 1
        rows = _rows(path, lines, encoding, delimiter, csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL, skipped)
        cell = _unquoted if plain else _marked if delimiter == "\t" else None
        yield delimiter, tried(rows, lambda row: (row[0], [*map(cell, row[1])])) if cell else rows


class Unquoted(str):
    """A cell between tabs that stood in double quotes: others may have quotes as plain characters."""

    __slots__ = ()


def _marked(cell: str) -> str:
    """A cell of a table in which quotes are none of the text; one that has some in it stood in quotes."""
    return Unquoted(cell) if '"' in cell else cell


def _unquoted(cell: str) -> str:
    """A cell without the double quotes around it."""
    inner = cell[1:-1].replace('""', "")
    return Unquoted(cell[1:-1].replace('""', '"')) if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner else cell


class _Lines(Iterator[str]):
    """Lines of which those of the row that is being read can be read again; `row` are these, `number` is that of the last one."""

    def __init__(self, lines: Iterable[str], skipped: int) -> None:
        self._lines, self.row, self.number = iter(lines), list[str](), skipped

    def __next__(self) -> str:
        line = next(self._lines)
        self.row.append(line)
        self.number += 1
        return line

    def leave_out(self) -> None:
        """Go on with the second line of the row, as only the first is known to have a quote too many."""
        again = self.row[1:]
        self._lines, self.number = chain(again, self._lines), self.number - len(again)
        self.row = []


def _rows(
    path: Path, file: Iterable[str], encoding: str, delimiter: str, quoting: Literal[0, 3], skipped: int
) -> Iterator[Row | DataError]:
    lines, width = _Lines(file, skipped), 0
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    while True:
        begin = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.leave_out()
            reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
            yield DataError(f"{named(path)}, line {begin}: {error}. Check its double quotes.")
            continue
        read, lines.row = lines.row, []
        if bad := next(filter(None, (undecoded(path, number, line, encoding) for number, line in enumerate(read, begin))), None):
            yield bad
            continue
        width = width or len(row)
        if row and len(row) != width:
            cure = f"Put a cell that has {delimiter!r} in it between double quotes." if len(row) > width else "Fill the row up."
            yield DataError(f"{named(path)}, line {begin}: a row must have {width} cells as the first line has, got {len(row)}. {cure}")
        elif row:
            yield lines.number, row
