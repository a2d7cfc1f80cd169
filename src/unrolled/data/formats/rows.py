"""Tables as rows of cells, whatever divides them; what cannot be read is told with file and line."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Literal

from unrolled.data.formats.bad_rows import decided, good, tried
from unrolled.data.formats.decimals import Decimals
from unrolled.data.formats.files import HEAD, LEFT, STANDARD_INPUT, look_ahead, named, open_text, undecoded, whole_lines
from unrolled.data.formats.guesses import column_names
from unrolled.data.formats.sheets import sheet_rows
from unrolled.errors import ConfigError, DataError

Row = tuple[int, list[str]]
"""The number of the last line of a row of a table, and its cells."""

_DELIMITERS = ",;\t|"

_LOOKED_AT = 100
"""Lines by which it is known what divides cells."""

_MOST_LINES = 100
"""Lines that a cell between double quotes may go over where others have these as plain characters."""

_OPENED = re.compile(r'(?:^|\t)"')
"""Double quotes at the beginning of a cell between tabs."""

_IN_NUMBER = re.compile(r"(?:[^,]|(?<=\d),(?=\d))*")
"""A line whose commas, if it has some, stand between digits."""

_SEPARATOR = re.compile(r"\s*sep=(.)\s*$", re.IGNORECASE)
"""A first line that says what divides the cells, as Excel writes and reads it."""

# Whole proteins and stretches of DNA stand in cells, and Python's own limit is 128 KiB. What has no end is still refused.
csv.field_size_limit(1 << 26)


@dataclass(frozen=True)
class Table:
    """A table whose first row, `header`, has the names of its `columns`. `rows` gives each other row once, with the number of its last line, or what
    is wrong with it; `decimals` knows how its numbers are written."""

    path: Path
    delimiter: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Iterator[Row | DataError]
    decimals: Decimals

    def find(self, name: str, option: str) -> int:
        """Where the column `name` stands, which was asked for with `option`."""
        if name not in self.columns:
            found = ", ".join(self.columns)
            raise ConfigError(f"{named(self.path)} has no column {name!r}; its columns are {found}. Pass one of them as `{option}`.")
        return self.columns.index(name)


@contextmanager
def open_table(path: Path, encoding: str) -> Iterator[Table]:
    """A table divided by commas, semicolons, tabs or bars; see `open_rows`.

    No first row is a `DataError`; a row of another length, or with the names once more, is one in its place.
    """
    with open_rows(path, encoding) as (delimiter, rows):
        head, rows = look_ahead(rows, HEAD)
        header = next((row for _, row in decided(head[:1])), [])
        if not any(header):
            raise DataError(f"{named(path)} has no first line with the names of its columns. Add one.")
        columns = column_names(header)
        decimals = Decimals(path, delimiter, columns, [row for _, row in good(head[1:])])
        yield Table(path, delimiter, tuple(header), columns, rows_below(path, rows), decimals)


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

    Without a `delimiter` it is that of `,` `;` tab and `|` which divides most rows into as many cells as the first one has. Cells may stand between double quotes. A
    row of another length than the first, and a quote that does not end, are bad rows: a `DataError` in their place. The cells of Parquet, Excel
    and the like are text, too, as if commas divided them.
    """
    if path != STANDARD_INPUT and (cells := sheet_rows(path)) is not None:
        yield ",", cells
        return
    with open_text(path, encoding, LEFT) as file:
        head, lines = look_ahead(whole_lines(path, file), HEAD)
        skipped = 0
        if told := _SEPARATOR.match(first := next((line for line in head if line.strip()), "")):
            skipped = head.index(first) + 1
            for _ in range(skipped):
                next(lines)
            head, delimiter = head[skipped:], told[1]
        filled = [line for line in head if line.strip()]
        delimiter = delimiter or _delimiter_of(filled[:_LOOKED_AT])
        spaced = _are_spaced(filled, delimiter)
        # Files with tabs often have double quotes as plain characters: they are that where every line is a whole row without them.
        plain = delimiter == "\t" and not spaced and len({line.count("\t") for line in filled}) == 1
        written = _Written(delimiter, csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL, spaced)
        rows = _rows(path, lines, encoding, written, skipped)
        cell = _unquoted if plain else _marked if delimiter == "\t" else None
        yield delimiter, tried(rows, lambda row: (row[0], [*map(cell, row[1])])) if cell else rows


def _delimiter_of(lines: Sequence[str]) -> str:
    """What divides some lines into the same number of cells, or else what the first has most of; a comma that stands in numbers alone is their decimal mark."""

    def fitting(delimiter: str) -> tuple[float, bool, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        same = sum(width == widths[0] for width in widths) / len(widths) if widths and widths[0] > 1 else 0.0
        marks = delimiter == "," in lines[0] and all(_IN_NUMBER.fullmatch(line) for line in lines)
        return round(same, 1), not marks, lines[0].count(delimiter)

    return max(_DELIMITERS, key=fitting) if lines else ","


def _are_spaced(lines: Sequence[str], delimiter: str) -> bool:
    """Whether blanks stand between what divides some lines and the double quotes of cells, as in `text, "label"`."""
    mark = re.escape(delimiter)
    opened = [line for line in lines if re.search(rf'{mark} +"', line)]
    closed = sum(bool(re.search(rf'{mark} +"(?:[^"]|"")*" *(?:{mark}|$)', line)) for line in opened)
    return 2 * closed > len(opened) and any(re.match(' +"', cell) for row in csv.reader(opened, delimiter=delimiter) for cell in row)


@dataclass(frozen=True)
class _Written:
    """How cells are written: what divides them, whether double quotes stand around some, and whether blanks before these are none of the cells."""

    delimiter: str
    quoting: Literal[0, 3]
    spaced: bool

    def read(self, lines: Iterator[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self.delimiter, quoting=self.quoting, skipinitialspace=self.spaced, strict=True)


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


def _over_lines(lines: _Lines, written: _Written, width: int) -> list[str] | None:
    """The row that begins with a line in which double quotes are opened, if it is whole with the lines up to their end and some of these are none without."""
    first = lines.row[0]
    try:
        row = next(replace(written, quoting=csv.QUOTE_MINIMAL).read(chain([first], islice(lines, _MOST_LINES))))
    except (csv.Error, StopIteration):
        row = []
    if len(row) == width and any(line.count(written.delimiter) != width - 1 for line in lines.row):
        return row
    lines.leave_out()
    lines.row = [first]
    return None


def _rows(path: Path, file: Iterable[str], encoding: str, written: _Written, skipped: int) -> Iterator[Row | DataError]:
    lines, width = _Lines(file, skipped), 0
    reader = written.read(lines)
    while True:
        begin = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.leave_out()
            reader = written.read(lines)
            yield DataError(f"{named(path)}, line {begin}: {error}. Check its double quotes.")
            continue
        if width and written.quoting == csv.QUOTE_NONE and _OPENED.search(lines.row[0]) and lines.row[0].count('"') % 2:
            row = _over_lines(lines, written, width) or row
        read, lines.row = lines.row, []
        strange = [(number, line) for number, line in enumerate(read, begin) if not line.isascii()]
        if bad := [told for number, line in strange if (told := undecoded(path, number, line, encoding))]:
            yield bad[0]
            continue
        width = width or len(row)
        if row and len(row) != width:
            cure = f"Put a cell that has {written.delimiter!r} in it between double quotes." if len(row) > width else "Fill the row up."
            yield DataError(f"{named(path)}, line {begin}: a row must have {width} cells as the first line has, got {len(row)}. {cure}")
        elif row:
            yield lines.number, row
