"""ARFF, the tables of Weka: attributes, and after @data rows of cells with commas between them, or sparse ones in braces.

The format: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from unrolled.data.opening import open_encoded
from unrolled.errors import DataError

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_CELL = re.compile(rf"\s*({_QUOTED}|[^,]*?)\s*(,|$)")
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|\S+)\s+(.*)", re.IGNORECASE)
_SPARSE = re.compile(rf"\s*(\d+)\s+({_QUOTED}|[^,]*?)\s*(?:,|$)")
_ESCAPED = re.compile(r"\\(.)")


def arff_rows(path: Path) -> Iterator[list[str] | DataError]:
    """The names of the attributes, and the rows, with nothing where a question mark stands."""
    names, defaults, begun = list[str](), list[str](), False
    for number, line in _lines(path):
        place = f"{path}, line {number}"
        if begun:
            yield _row(line, defaults, place)
        elif line.lower().startswith("@data"):
            if not names:
                raise DataError(f"{place}: there must be attributes before @data, got none. Write a line @attribute for each column.")
            begun = True
            yield names
        elif found := _ATTRIBUTE.match(line):
            if found[2].lower().startswith("relational"):
                raise DataError(f"{place}: an attribute that is a table is not read. Get the data as a .ts file, or as a long table.")
            names.append(_plain(found[1]))
            defaults.append(_plain(_CELL.match(found[2][1:])[1]) if found[2].startswith("{") else "0")  # type: ignore[index]
    if not begun:
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
