"""Times in cells of text, and whether they come at even steps."""

import re
import warnings
from collections.abc import Iterable
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from unrolled.data.numerals import as_number, is_number
from unrolled.errors import UnrolledWarning

_UNEVEN = 0.5
"""Steps that differ from the usual one by more than this share of it are uneven; months, jitter and leap seconds are not."""

_COMPACT = re.compile(r"((?:19|20|21)\d\d)(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?", re.ASCII)
"""A date without marks, as in 20240531, 202405311200 and 20240531T120000. Seconds since 1970 have nine or ten digits in our times."""

_MONTH = re.compile(r"((?:19|20|21)\d\d)(0[1-9]|1[0-2])", re.ASCII)
_QUARTER = re.compile(r"(\d{4})[- ]?Q([1-4])|Q([1-4])[-/ ](\d{4})", re.ASCII)

_YEAR_LAST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,?[ T](\d{1,2}):(\d\d)(:\d\d(?:\.\d+)?)?(?: ?([AaPp][Mm]))?)?", re.ASCII)
"""A date with the year at its end, and a time of the day, perhaps with AM or PM."""


class Times:
    """The times of one column, in seconds: numbers, or dates as ISO 8601 has them, one or the other throughout.

    The first one decides what digits alone are: dates without marks, if they make one, or seconds. In 31.12.2023 the day stands first; in 01/02/2023 it
    does if `day_first` says so, which must be said where neither number is above 12 and no AM or PM follows.
    """

    def __init__(self, day_first: bool | None = None) -> None:
        self._first = self._kind = ""
        self._day_first = day_first

    def read(self, text: str) -> float:
        """The time that a cell holds. A date without a zone is taken as UTC. What is neither a number nor a date is a `ValueError`."""
        text = text.strip()
        if (date := _as_iso(text, self._day_first)) is not None:
            kind, time = _parse(date, compact=False)
        else:
            kind, time = _parse(text, compact=self._kind != "number")
        if not self._kind:
            self._first, self._kind = text, kind
        if kind != self._kind:
            raise ValueError(f"{text!r} is a {kind}, and the first time, {self._first!r}, is a {self._kind}")
        return time


def _as_iso(text: str, day_first: bool | None) -> str | None:
    """A date whose year stands last as ISO 8601 has it; None for another text. A `ValueError` if it is not clear which number is the day."""
    found = _YEAR_LAST.fullmatch(text)
    if found is None:
        return None
    first, _, second, year, hour, minute, rest, half = found.groups("")
    shown = _shows_day_first(found, day_first)
    if shown is None and first != second:
        raise ValueError(f"in {text!r} it is not clear which number is the day; pass `day_first=True` or `day_first=False`")
    day, month = (first, second) if shown else (second, first)
    hours = int(hour or 0) % 12 + 12 * (half.lower() == "pm") if half else int(hour or 0)
    return f"{year}-{int(month):02}-{int(day):02}T{hours:02}:{minute or '00'}{rest or ':00'}"


def _shows_day_first(found: "re.Match[str]", day_first: bool | None) -> bool | None:
    """Whether the day stands first in a date, as is said or as it shows; None if it does not."""
    first, mark, second, *_, half = found.groups("")
    if mark != "/":
        return True
    if day_first is not None:
        return day_first
    return int(first) > 12 if half or max(int(first), int(second)) > 12 else None


def year_last_form(text: str, others: Iterable[str]) -> str | None:
    """How a date whose year stands last is written, as strptime has it; None for another text.

    Which number is the day is shown by the date itself, or by the first of `others` of its column that does. `ValueError` if none shows it.
    """
    found = _YEAR_LAST.fullmatch(text)
    if found is None:
        return None
    shown = (_shows_day_first(one, None) for other in (text, *others) if (one := _YEAR_LAST.fullmatch(other)))
    day_first = next((each for each in shown if each is not None), None)
    if day_first is None:
        raise ValueError(f"in {text!r} it is not clear which number is the day")
    _, mark, _, _, hour, _, second, half = found.groups()
    day = f"%d{mark}%m{mark}%Y" if day_first else f"%m{mark}%d{mark}%Y"
    if hour is None:
        return day
    between = text[found.end(4) : found.start(5)]
    clock = f"{'%I' if half else '%H'}:%M{'' if second is None else ':%S.%f' if '.' in second else ':%S'}"
    return f"{day}{between}{clock}{text[found.end(7 if second else 6) : found.start(8)]}%p" if half else f"{day}{between}{clock}"


def is_year_last(text: str) -> bool:
    """Whether a text is a date whose year stands last, whichever number is the day."""
    return _YEAR_LAST.fullmatch(text) is not None


def _parse(text: str, *, compact: bool) -> tuple[str, float]:
    """Whether a time is a number or a date, and its seconds. Digits are looked at as a date where that may be `compact`."""
    plain = text.replace("/", "-").replace("Z", "+00:00")
    if compact and (found := _COMPACT.fullmatch(text)):
        year, month, day, hour, minute, second = found.groups("00")
        plain = f"{year}-{month}-{day}T{hour}:{minute}:{second}"
    elif compact and (found := _MONTH.fullmatch(text)):
        plain = f"{found[1]}-{found[2]}"
    elif found := _QUARTER.fullmatch(text):
        plain = f"{found[1] or found[4]}-{3 * int(found[2] or found[3]) - 2:02}"
    elif (number := _finite(text)) is not None:
        return "number", number
    try:
        date = datetime.fromisoformat(f"{plain}-01" if len(plain) == len("2024-05") else plain)
    except ValueError:
        if (number := _finite(text)) is not None:
            return "number", number
        raise ValueError(f"{text!r} is neither a number nor a date such as 2024-05, 2024-05-31 or 2024-05-31T12:00:00") from None
    return "date", (date if date.tzinfo else date.replace(tzinfo=timezone.utc)).timestamp()


def _finite(text: str) -> float | None:
    """The number that a text is; None if it is none."""
    return as_number(text) if is_number(text) else None


class Sampling:
    """Says once, as an `UnrolledWarning`, that the steps of series, or those of one against another, are uneven."""

    def __init__(self) -> None:
        self._usual, self._said = 0.0, False

    def look(self, times: NDArray[np.float64], place: str) -> None:
        """Look at the increasing times of a series that begins at `place`."""
        if self._said or len(times) < 2:
            return
        steps = np.diff(times)
        usual = float(np.median(steps))
        self._usual = self._usual or usual
        uneven = int((abs(steps - usual) > _UNEVEN * usual).sum())
        if uneven:
            self._say(
                f"{place}: {uneven} of the {len(steps)} steps of this series are uneven, from {min(steps):g} to {max(steps):g} (seconds for dates)."
            )
        elif abs(usual - self._usual) > _UNEVEN * self._usual:
            self._say(f"{place}: this series has a row every {usual:g} (seconds for dates), and the first one every {self._usual:g}.")

    def _say(self, what: str) -> None:
        self._said = True
        cure = "A network counts rows and not time: resample them to one step, or go on if their times do not matter."
        warnings.warn(f"{what} {cure}", UnrolledWarning, stacklevel=3)
