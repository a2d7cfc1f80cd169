"""ARFF, the tables of Weka: attributes, and after @data rows of cells with commas between them, or sparse ones in braces.

The format: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrolled.data.formats.bad_rows import tried
from unrolled.data.numerals import as_number, is_number
from unrolled.data.opening import open_encoded
from unrolled.errors import DataError

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_CELL = re.compile(rf"\s*({_QUOTED}|[^,]*?)\s*(,|$)")
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|\S+)\s+(.*)", re.IGNORECASE)
_SPARSE = re.compile(rf"\s*(\d+)\s+({_QUOTED}|[^,]*?)\s*(?:,|$)")
_ESCAPED = re.compile(r"\\(.)")


def arff_rows(path: Path) -> Iterator[list[str] | DataError]:
    """The names of the attributes, and the rows, with nothing where a question mark stands."""
    attributes, rows = _read(path)
    yield [attribute.name for attribute in attributes]
    defaults = [attribute.default for attribute in attributes]
    yield from (_row(line, defaults, place) for place, line in rows)


def relations(path: Path) -> list[str]:
    """The names of the attributes that are tables, as those of series of several channels are; others after them."""
    attributes, _ = _read(path)
    return [attribute.name for attribute in attributes if attribute.relational]


def arff_records(path: Path) -> Iterator[tuple[str, dict[str, Any]] | DataError]:
    """The rows as objects, each with its place. What is a table is a series `[T, C]`: each row of it is a channel, and each attribute a step, as in the UEA archive."""
    attributes, rows = _read(path)
    defaults = [attribute.default for attribute in attributes]

    def record(numbered: tuple[str, str]) -> tuple[str, dict[str, Any]]:
        place, line = numbered
        cells = _row(line, defaults, place)
        if isinstance(cells, DataError):
            raise cells
        return place, {attribute.name: attribute.value(cell, place) for attribute, cell in zip(attributes, cells, strict=True)}

    return tried(rows, record)


@dataclass(frozen=True)
class _Attribute:
    """An attribute: its name, its type in small letters, and the value that sparse rows leave out."""

    name: str
    type: str
    default: str

    @property
    def relational(self) -> bool:
        """Whether its values are tables."""
        return self.type.startswith("relational")

    def value(self, cell: str, place: str) -> Any:
        """What a cell says: a series, a number or a text, and None where nothing is known."""
        if not self.relational:
            return as_number(cell) if self.type in ("numeric", "real", "integer") and is_number(cell) else cell or None
        try:
            channels = [
                [None if part.strip() == "?" else as_number(part) for part in row.split(",")] for row in cell.split("\n") if row.strip()
            ]
        except ValueError as error:
            raise DataError(
                f"{place}, {self.name}: {error}. A table in an attribute must have numbers alone: mend it, or take the row out."
            ) from None
        if len({*map(len, channels)}) > 1:
            raise DataError(
                f"{place}, {self.name}: the channels must have one length, got {', '.join(map(str, map(len, channels)))}. Fill them up with ?."
            )
        steps = [list(step) for step in zip(*channels, strict=True)]
        while steps and all(number is None for number in steps[-1]):
            steps.pop()
        return steps


def _read(path: Path) -> tuple[list[_Attribute], Iterator[tuple[str, str]]]:
    """The attributes of a file, without those of tables inside, and the lines of its rows, each with its place."""
    attributes, inside, lines = list[_Attribute](), False, _lines(path)
    for number, line in lines:
        if line.lower().startswith("@data"):
            if not attributes:
                raise DataError(
                    f"{path}, line {number}: there must be attributes before @data, got none. Write a line @attribute for each column."
                )
            return attributes, ((f"{path}, line {number}", line) for number, line in lines)
        if line.lower().startswith("@end"):
            inside = False
        elif not inside and (found := _ATTRIBUTE.match(line)):
            default = _plain(_CELL.match(found[2][1:])[1]) if found[2].startswith("{") else "0"  # type: ignore[index]
            attributes.append(_Attribute(_plain(found[1]), found[2].strip().lower(), default))
            inside = attributes[-1].relational
    raise DataError(f"{path} has no line with @data, after which the rows come. Pass a whole ARFF file.")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with open_encoded(path, "utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                text = line.decode("latin-1").strip()
            if text and not text.startswith("%"):
                yield number, text


def _row(line: str, defaults: Sequence[str], place: str) -> list[str] | DataError:
    if line.startswith("{") and line.endswith("}"):
        return _sparse(line[1:-1], defaults, place)
    cells, at, more = list[str](), 0, True
    while more:
        found = _CELL.match(line, at)
        if found is None:
            return DataError(f"{place}: a comma must stand after each cell, got {line[at : at + 30]!r}. Mend the line.")
        cells.append(_plain(found[1]))
        at, more = found.end(), found[2] == ","
    if len(cells) != len(defaults):
        return DataError(
            f"{place}: a row must have {len(defaults)} cells, as many as there are attributes, got {len(cells)}. Mend the line."
        )
    return cells


def _sparse(inside: str, defaults: Sequence[str], place: str) -> list[str] | DataError:
    """A row of which only the cells are given that are not the first value of an attribute, or 0."""
    cells, at = list(defaults), 0
    while inside[at:].strip():
        found = _SPARSE.match(inside, at)
        if found is None or int(found[1]) >= len(cells):
            told = (
                f"{place}: a sparse row must have the number of an attribute, below {len(cells)}, and a value, got {inside[at : at + 30]!r}"
            )
            return DataError(f"{told}. Mend the line.")
        cells[int(found[1])] = _plain(found[2])
        at = found.end()
    return cells


def _plain(cell: str) -> str:
    if cell == "?":
        return ""
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"":
        return _ESCAPED.sub(lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), cell[1:-1])
    return cell
