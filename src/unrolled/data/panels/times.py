"""Times in cells, each as a point on a calendar without zones or as a number, and how they are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.formats.times import is_year_last, year_last_form
from unrolled.data.numerals import as_number, is_number, text_of
from unrolled.data.panels.cells import is_missing
from unrolled.data.panels.tables import ColumnTable
from unrolled.errors import DataError

DATE = "datetime64[us]"
"""The type of dates."""

NUMBER = "number"
"""The style of times that are plain numbers."""

_ISO = re.compile(
    r"(?P<month>\d{4}-\d\d)(?:-(\d\d)(?:([T ])(\d\d)(:\d\d)?(:\d\d)?([.,]\d+)?)?)?(?P<zone>\s?(?:Z|UTC|[+-]\d\d:?\d\d))?", re.ASCII
)
_STYLES = (
    *("%b %d %Y", "%d %b %Y", "%d-%b-%Y", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S"),
    *("%Y/%m/%d", "%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M:%S"),
    *("%Y%m%dT%H", "%Y%m%dT%H%M", "%Y%m%dT%H%M%S", "%Y%m%d %H:%M", "%Y%m%d %H:%M:%S"),
    *("%Y/%m", "%m/%Y", "%YM%m", "%b %Y", "%B %Y", "%G-W%V"),
    *("%YQ%q", "%Y-Q%q", "%Y Q%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y"),
)
"""How dates may be written beside ISO 8601, in which day and month cannot be taken for each other; %q is the number of a quarter."""

_DIGITS = ("%Y%m%d", "%Y%m", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S")
"""The same in digits alone, which are dates where a whole column may have them."""

_FEWEST = 4
"""Different digits from which on a column of dates can be told from one of numbers."""

_ZONE = re.compile(r"\s?(?:Z|UTC|[+-]\d\d:?\d\d)$", re.ASCII)


@dataclass(frozen=True)
class Style:
    """How times are written: `form` as strptime has it, or `NUMBER`; `zone` stands behind each of them."""

    form: str
    zone: str = ""

    def text(self, time: Any) -> str:
        """A time as the table would write it."""
        if self.form == NUMBER:
            return text_of(float(time))
        date = time.astype(DATE).astype(datetime)
        return date.strftime(self.form.replace("%q", str((date.month + 2) // 3))).replace(".000000", "") + self.zone

    @property
    def tzinfo(self) -> tzinfo | None:
        """The zone behind the times; None if there is none."""
        return datetime.fromisoformat(f"2000-01-01T00:00{self.zone.strip().replace('UTC', 'Z')}").tzinfo if self.zone else None


def parse_times(table: ColumnTable, name: str, form: str | None, also: str | None = None) -> tuple[NDArray[Any], Style]:
    """The times of a column, as dates or as numbers, and their style. `DataError` names the row of what is none, or of another kind or zone."""
    cells = table.find(name, "time")
    if np.issubdtype(cells.dtype, np.datetime64):
        return _dates(table, name, cells.astype(DATE))
    if cells.dtype != object:
        return _numbers(table, name, cells.astype(np.float64))
    texts = ["" if is_missing(cell, also) else str(cell).strip() for cell in cells.tolist()]
    first, style = _first(table, name, texts, form)
    found: list[Any] = [None] * len(texts)
    for row, text in enumerate(texts):
        try:
            found[row] = _parse(table, name, row, text, style, first)
        except DataError as error:
            table.refuse(row, error)
    if style.form == NUMBER:
        return _numbers(table, name, np.array(found, np.float64))
    return np.array(found, DATE), style


def _first(table: ColumnTable, name: str, texts: Sequence[str], form: str | None) -> tuple[str, Style]:
    """The first time that can be read, and how it is written."""
    for row, text in enumerate(texts):
        try:
            return text, _style(table, name, row, texts, form)
        except DataError as error:
            table.refuse(row, error)
    return "", Style(form or NUMBER)


def _dates(table: ColumnTable, name: str, dates: NDArray[Any]) -> tuple[NDArray[Any], Style]:
    for row in np.flatnonzero(np.isnat(dates)).tolist():
        table.refuse(row, _empty(table, name, row))
    said = dates[~np.isnat(dates)]
    parts = (("D", "%Y-%m-%d"), ("s", "%Y-%m-%d %H:%M:%S"))
    form = next((form for unit, form in parts if (said.astype(f"datetime64[{unit}]") == said).all()), "%Y-%m-%d %H:%M:%S.%f")
    return dates, Style(form, table.zones.get(name, ""))


def _numbers(table: ColumnTable, name: str, numbers: NDArray[np.float64]) -> tuple[NDArray[Any], Style]:
    for row in np.flatnonzero(~np.isfinite(numbers)).tolist():
        table.refuse(row, DataError(f"{table.place(row)}: the time, {name}, is no finite number. Mend it, or take the row out."))
    return numbers, Style(NUMBER)


def _empty(table: ColumnTable, name: str, row: int) -> DataError:
    return DataError(f"{table.place(row)}: the time, {name}, is empty. Fill it in, or take the row out.")


def _style(table: ColumnTable, name: str, row: int, texts: Sequence[str], form: str | None) -> Style:
    """How the time of a row is written; the others may show which number is the day."""
    text = texts[row]
    if not text:
        raise _empty(table, name, row)
    if form is not None:
        return Style(form)
    try:
        if (last := year_last_form(text, texts)) is not None:
            return Style(last)
    except ValueError as error:
        cure = "Pass `time_format='%m/%d/%Y'` or `time_format='%d/%m/%Y'`, with %H:%M behind it where times of the day are."
        raise DataError(f"{table.place(row)}: the time, {name}: {error}. {cure}") from None
    if known := _known_style(text):
        return known
    if is_number(text):
        return Style(_form_of_digits([text] if len(text) == len("20240531") else texts) or NUMBER)
    if found := _ISO.fullmatch(text):
        day, mark, hour, minute, second, part, zone = found.groups()[1:]
        clock = "" if hour is None else f"{mark}%H{':%M' if minute else ''}{':%S' if second else ''}{'.%f' if part else ''}"
        return Style(f"%Y-%m{'' if day is None else '-%d'}{clock}", zone or "")
    cure = "Write dates as 2024-05-31 or 2024-05-31T12:00:00, or pass `time_format`, such as '%d/%m/%Y'."
    raise DataError(f"{table.place(row)}: the time, {name}, {text[:40]!r} is neither a number nor a date. {cure}")


def _known_style(text: str) -> Style | None:
    """How a date is written that is no digits alone and not as ISO 8601 has it; None for another text."""
    zone = found[0] if (found := _ZONE.search(text)) else ""
    forms = ((form, behind) for behind in dict.fromkeys(("", zone)) for form in _STYLES)
    return next((Style(form, behind) for form, behind in forms if _by(form, text.removesuffix(behind)) is not None), None)


def _parse(table: ColumnTable, name: str, row: int, text: str, style: Style, first: str) -> Any:
    """One time, which must be of the kind and the zone of the first one."""
    if not text:
        raise _empty(table, name, row)
    place = f"{table.place(row)}: the time, {name}, {text[:40]!r}"
    if style.form == NUMBER and is_number(text):
        return as_number(text)
    if style.form.startswith("%Y-%m") and (iso := _ISO.fullmatch(text)):
        if (iso["zone"] or "") != style.zone:
            told = f"has {iso['zone'] or 'no zone'}, and the first time, {first!r}, has {style.zone or 'none'}"
            raise DataError(f"{place} {told}. Write all times in one zone, such as UTC.")
        return _point(iso, place)
    found = _by(style.form, text.removesuffix(style.zone)) if text.endswith(style.zone) else None
    if found is None:
        raise DataError(f"{place} is not written as the first one, {first!r}. Write all of them in one way.")
    return found


def _point(iso: "re.Match[str]", place: str) -> datetime:
    """The point on the calendar that an ISO 8601 date names, without its zone."""
    day, _, hour, minute, second, part = (found or "" for found in iso.groups()[1:-1])
    clock = f"T{hour}{minute or ':00'}{second or ':00'}{part.replace(',', '.')[:7]:0<{7 if part else 0}}" if hour else ""
    try:
        return datetime.fromisoformat(f"{iso['month']}-{day or '01'}{clock}")
    except ValueError as error:
        raise DataError(f"{place} is no date: {error}. Mend it.") from None


def _by(form: str, text: str) -> datetime | None:
    """What a text says where dates are written in a form; None if it says nothing in it."""
    if form == NUMBER:
        return None
    if "%q" in form:
        found = re.fullmatch(form.replace("%Y", r"(?P<year>\d{4})").replace("%q", "(?P<quarter>[1-4])"), text, re.ASCII)
        return None if found is None else datetime(int(found["year"]), 3 * int(found["quarter"]) - 2, 1)
    week = form == "%G-W%V"
    try:
        date = datetime.strptime(f"{text}-1" if week else text, f"{form}-%u" if week else form).replace(tzinfo=None)
    except ValueError:
        return None
    # Python also reads fewer digits than are there, so that where nothing divides numbers one could be taken for another.
    return date if not form.startswith("%Y%m") or date.strftime(form) == text else None


def _form_of_digits(texts: Sequence[str]) -> str | None:
    """How dates are written that are digits alone, if all texts that say something are that."""
    said = [text for text in texts if text]
    return next(
        (form for form in _DIGITS if all(text[:2] in ("19", "20", "21") and _by(form, text) is not None for text in said))
        if said
        else iter(()),
        None,
    )


def are_dated(cells: NDArray[Any], also: str | None = None) -> bool:
    """Whether a column has dates: its first cell that says something is one, or all are digits that may be dates and hardly numbers."""
    if cells.dtype != object:
        return bool(np.issubdtype(cells.dtype, np.datetime64))
    texts = [str(cell).strip() for cell in cells.tolist() if not is_missing(cell, also)]
    if not texts or looks_dated(texts[0]):
        return bool(texts)
    return len({*texts}) >= _FEWEST and texts[0].isdecimal() and _form_of_digits(texts) is not None


def looks_dated(text: str) -> bool:
    """Whether a text is a date, and no plain number."""
    text = text.strip()
    return not is_number(text) and (_ISO.fullmatch(text) is not None or is_year_last(text) or _known_style(text) is not None)


def require_same_kind(style: Style, learnt: Style, place: str) -> None:
    """`DataError` for times of another kind or zone than those that were learnt."""
    kinds = ["numbers" if each.form == NUMBER else "dates" for each in (style, learnt)]
    zones = [each.zone.strip() or "none" for each in (style, learnt)]
    apart = [kinds[0] != kinds[1], _offset(style) != _offset(learnt)]
    for differ, what, (here, before) in zip(apart, ("are", "have the zone"), (kinds, zones), strict=True):
        if differ:
            raise DataError(f"{place}: the times {what} {here} here, and {before} in what was learnt. Write both in one way.")


def _offset(style: Style) -> timedelta | None:
    return None if style.tzinfo is None else style.tzinfo.utcoffset(None)
