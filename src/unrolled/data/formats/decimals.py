"""How numbers are written in the columns of a table: with a point or, as in much of Europe, with a comma, with marks between thousands or without, and with
units or without."""

import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from unrolled.data.formats.files import named
from unrolled.data.formats.units import Unit, unit_of, without_unit
from unrolled.data.numerals import as_number, is_number
from unrolled.errors import UnrolledWarning

_BLANKS = "'’\u00a0\u2009\u202f"
_GROUPED = r"[-+]?[1-9]\d{{0,2}}(?P<mark>[{other}{blanks}])\d{{3}}(?:(?P=mark)\d{{3}})*(?:{point}\d*)?"
_SIMPLE = r"[-+]?\d*{point}\d+(?:e[-+]?\d+)?"
_WRITTEN = {
    mark: re.compile(f"{_GROUPED}|{_SIMPLE}".format(point=rf"\{mark}", other=other, blanks=_BLANKS), re.ASCII | re.IGNORECASE)
    for mark, other in ((".", ","), (",", "."))
}
"""Numbers with each decimal mark. Thousands may be divided by the other mark, by an apostrophe, or by a blank that does not end a line."""

_UNCLEAR = re.compile(rf"[-+]?[1-9]\d{{0,2}}(?:([.,])\d{{3}}|[{_BLANKS}]\d{{3}})", re.ASCII)

_USUAL = {";": ",", ",": "."}
"""The decimal mark that goes with what divides cells: spreadsheets write semicolons where numbers have a comma."""


class Decimals:
    """The decimal mark of each column, by some rows of a table.

    1.5 and 1,234.5 have a point, 1,5 and 1.234,5 a comma. 1,234 has the mark that others of its column have, else that of all other columns, else that which
    goes with the `delimiter`; which number it is taken for is an `UnrolledWarning`, once for a column, where the column itself does not say it. 1.234 has
    a point, unless its column says otherwise, or all others do between semicolons; that is told, too, where it stands beside numbers below 1000 that are
    whole, as 995 and 1.000. In a column with both marks nothing is changed.

    A unit that all numbers of a column have, as 12 % and $1,200, is no part of them, which is an `UnrolledWarning`, once for a column.
    """

    def __init__(self, path: Path, delimiter: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self._path, self._names = path, tuple(names)
        self._marks, self._unclear = dict[int, str](), dict[int, str]()
        self._units = _units(rows)
        self._told = set[int]()
        rows = [[self._bare(at, cell) for at, cell in enumerate(row)] for row in rows] if self._units else rows
        seen = [_seen(row[at].strip() for row in rows) for at in range(len(rows[0]) if rows else 0)]
        every = set[str]().union(*(marks for marks, _ in seen))
        self._common = "," if every == {","} else "."
        for at, (marks, unclear) in enumerate(seen):
            if len(marks) == 1 and any(_with_point(row[at], min(marks)) != row[at] for row in rows):
                self._marks[at] = min(marks)
            elif not marks and len(unclear) == 1 and (mark := _taken(min(unclear), every, delimiter)):
                self._marks[at], self._unclear[at] = mark, unclear[min(unclear)]
            elif not marks and [*unclear] == ["."] and _are_below_1000(row[at].strip() for row in rows):
                self._marks[at], self._unclear[at] = ".", unclear["."]

    @property
    def commas(self) -> frozenset[str]:
        """The columns in which a number has a decimal comma, if it is no whole one: those that show it, and where no number has a point all that show nothing."""
        return frozenset(name for at, name in enumerate(self._names) if self._marks.get(at, self._common) == ",")

    def plain(self, at: int, cell: str) -> str:
        """A cell of a column as Python writes the number that it is; another text as it is."""
        if at in self._units:
            cell = self._without_unit(at, cell)
        mark = self._marks.get(at)
        if mark is None:
            return cell
        found = _with_point(cell, mark)
        if (found != cell or _UNCLEAR.fullmatch(cell.strip())) and (unclear := self._unclear.pop(at, "")):
            told = f"{self._named(at)}: {unclear!r} is read as {as_number(_with_point(unclear, mark)):g}"
            cure = "If it is another number, write it with a decimal point, and without marks between thousands."
            warnings.warn(f"{told}. {cure}", UnrolledWarning, stacklevel=2)
        return found

    def _without_unit(self, at: int, cell: str) -> str:
        found = self._bare(at, cell)
        if found != cell and at not in self._told:
            self._told.add(at)
            number = _with_point(found, self._marks[at]) if at in self._marks else found
            told = f"{self._named(at)}: {cell.strip()!r} is read as {number}, and so are the other numbers, without their unit"
            warnings.warn(f"{told}. If they are none, pass other columns.", UnrolledWarning, stacklevel=3)
        return found

    def _bare(self, at: int, cell: str) -> str:
        return without_unit(cell, self._units[at]) if at in self._units else cell

    def _named(self, at: int) -> str:
        return f"{named(self._path)}, column {repr(self._names[at]) if at < len(self._names) else at}"

    def row(self, cells: list[str]) -> list[str]:
        """All cells of a row so."""
        return [self.plain(at, cell) for at, cell in enumerate(cells)] if self._marks or self._units else cells

    def guessed(self, rows: Sequence[Sequence[str]]) -> list[list[str]]:
        """Rows with their numbers as Python writes them, to look at."""
        bare = [[self._bare(at, cell) for at, cell in enumerate(row)] for row in rows] if self._units else rows
        return [[_with_point(cell, self._marks[at]) if at in self._marks else cell for at, cell in enumerate(row)] for row in bare]


def without_comma(cell: str) -> str:
    """A cell of a column with decimal commas as Python writes the number that it is; another text as it is."""
    return _with_point(cell, ",")


def pointed(cells: Sequence[str]) -> list[str]:
    """The cells of one column with their numbers as Python writes them, to look at; 1,234 is taken as between semicolons."""
    column = [[cell] for cell in cells]
    return [cell for (cell,) in Decimals(Path(), ";", (), column).guessed(column)]


def _units(rows: Sequence[Sequence[str]]) -> dict[int, Unit]:
    """The units of the columns that have one."""
    found = {at: unit_of(row[at] for row in rows) for at in range(len(rows[0]) if rows else 0)}
    return {at: unit for at, unit in found.items() if unit is not None}


def _seen(cells: Iterable[str]) -> tuple[set[str], dict[str, str]]:
    """The decimal marks that cells surely have, and by the mark in them the first of those that may be two numbers."""
    sure, unclear = set[str](), dict[str, str]()
    for cell in cells:
        if cell.isdecimal() or cell.isalpha():
            continue
        if found := _UNCLEAR.fullmatch(cell):
            unclear.setdefault(found[1] or " ", cell)
        elif len(marks := [mark for mark, written in _WRITTEN.items() if written.fullmatch(cell)]) == 1:
            sure.update(marks)
    return sure, unclear


def _are_below_1000(cells: Iterable[str]) -> bool:
    """Whether there are whole numbers without marks among cells, and all of them have at most three digits, as where larger ones have marks."""
    digits = [len(cell.lstrip("+-")) for cell in cells if cell.lstrip("+-").isdecimal()]
    return bool(digits) and max(digits) <= 3


def _taken(between: str, every: set[str], delimiter: str) -> str | None:
    """The decimal mark of a column whose cells do not say it, with this mark `between` three digits; None where it is best left alone."""
    common = min(every) if len(every) == 1 else None
    if between == ",":
        return common or _USUAL.get(delimiter)
    if between == ".":
        return "," if delimiter == ";" and common == "," else None
    return common or "."


def _with_point(cell: str, mark: str) -> str:
    plain = cell.strip()
    if is_number(plain) and (mark == "." or "." not in plain):
        return cell
    if not _WRITTEN[mark].fullmatch(plain):
        return cell
    for other in (*_BLANKS, "." if mark == "," else ","):
        plain = plain.replace(other, "")
    return plain.replace(mark, ".")
