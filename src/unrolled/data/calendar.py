"""How often a series has a value, which seasons that makes usual, and what the calendar says of its times."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError, DataError

Moments = NDArray[np.datetime64]
"""Times in microseconds, `datetime64[us]`, which begin nowhere and end nowhere that matters."""

DAY = 86_400_000_000
"""Microseconds of a day."""

_FIXED = {"ms": 1000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "D": DAY, "W": 7 * DAY}
_MONTHS = {"MS": 1, "ME": 1, "QS": 3, "QE": 3, "YS": 12, "YE": 12}
_OTHER_NAMES = {
    "S": "s", "T": "min", "H": "h", "d": "D", "b": "B", "M": "ME", "Q": "QE", "Y": "YE", "A": "YE", "AS": "YS", "L": "ms",
    "second": "s", "minute": "min", "hour": "h", "day": "D", "week": "W", "month": "MS", "quarter": "QS", "year": "YS",
    "seconds": "s", "minutes": "min", "hours": "h", "days": "D", "weeks": "W", "months": "MS", "quarters": "QS", "years": "YS",
    "hourly": "h", "daily": "D", "weekly": "W", "monthly": "MS", "quarterly": "QS", "yearly": "YS",
}  # fmt: skip
_WORDS = {
    "ms": "millisecond", "s": "second", "min": "minute", "h": "hour", "D": "day", "B": "business day", "W": "week", "MS": "month",
    "ME": "end of month", "QS": "quarter", "QE": "end of quarter", "YS": "year", "YE": "end of year",
}  # fmt: skip
_CODE = re.compile(r"(\d*)\s*([A-Za-z]+)(?:-[A-Za-z]{3})?", re.ASCII)

_FEWEST_WEEKDAYS = 6
"""So many days without a weekend are business days; fewer could lie inside a week."""

_ON_THE_GRID = 0.5
"""The part of the steps that must be multiples of the usual one, so that there is a usual one."""


@dataclass(frozen=True)
class Frequency:
    """`count` times a unit: ms, s, min, h, D, B (business days), W, or months, quarters and years (`MS`, `QS`, `YS`, and `ME`, `QE`, `YE` for their last days)."""

    unit: str
    count: int = 1

    def __str__(self) -> str:
        return f"{self.count if self.count > 1 else ''}{self.unit}"

    @property
    def words(self) -> str:
        """As it is said: `hour`, `30 minutes`."""
        word = _WORDS[self.unit]
        return word if self.count == 1 else f"{self.count} {word}s"

    @classmethod
    def parse(cls, text: str) -> "Frequency":
        """A frequency from its usual code, as pandas has them, with or without a number: `h`, `30min`, `D`, `B`, `W`, `MS`. `ConfigError` for others."""
        found = _CODE.fullmatch(text.strip())
        unit = "" if found is None else _OTHER_NAMES.get(found[2], found[2])
        if found is None or unit not in _WORDS or (found[1] and int(found[1]) < 1):
            raise ConfigError(f"`frequency` must be one of {', '.join(_WORDS)}, with a number before it or not (30min, 2h), got {text!r}.")
        return cls(unit, int(found[1] or 1))._plain()

    @classmethod
    def found(cls, times: Moments) -> "Frequency":
        """The frequency of rising times, of which some may be missing. `DataError` where they have none."""
        moments = times.astype("datetime64[us]")
        if len(moments) < 2:
            raise DataError(f"There is {len(moments)} time, which has no frequency. Give `frequency`, such as h, D or MS.")
        steps = np.diff(moments).astype(np.int64)
        if steps.min() <= 0:
            raise DataError("Times must rise and not repeat to have a frequency. Sort them, or give `frequency`.")
        return _of_months(moments) or _of_business_days(moments) or cls._of_steps(moments, steps)

    @classmethod
    def _of_steps(cls, moments: Moments, steps: NDArray[np.int64]) -> "Frequency":
        values, counts = np.unique(steps, return_counts=True)
        usual = int(values[counts.argmax()])
        unit = next((unit for unit, length in reversed(_FIXED.items()) if usual % length == 0), "")
        if not unit or (steps % usual == 0).mean() < _ON_THE_GRID:
            raise DataError(
                f"The times from {moments[0]} have no common step: from {_seconds(steps.min())} to {_seconds(steps.max())}, "
                f"most often {_seconds(usual)}. Give `frequency`, such as h, D or MS, and `merge` if several of them lie on one step."
            )
        return cls(unit, usual // _FIXED[unit])

    @property
    def months(self) -> int:
        """How many months a step has; 0 if it is not measured in months."""
        return self.count * _MONTHS.get(self.unit, 0)

    @property
    def length(self) -> int:
        """Microseconds of a step, and for business days and months their usual ones."""
        if self.unit == "B":
            return self.count * DAY
        return self.months * 30 * DAY if self.months else self.count * _FIXED[self.unit]

    @property
    def seasons(self) -> tuple[int, ...]:
        """Steps of the seasons that are usual, shortest first: those of a day and of a week, or of a year; empty if none is whole."""
        if self.months:
            spans = [12 / self.months]
        elif self.unit == "B":
            spans = [5 / self.count]
        elif self.unit == "W":
            spans = [52 / self.count]
        else:
            shorter = [3_600_000_000] if self.length < _FIXED["min"] else []
            spans = [span / self.length for span in [*shorter, DAY, 7 * DAY][: 2 if shorter else 3]]
        return tuple(int(span) for span in spans if span == int(span) and span > 1)

    def floor(self, time: np.datetime64) -> np.datetime64:
        """The beginning of the step in which a time lies: of its month, quarter or year, of its day, or of a multiple of shorter steps."""
        moment = time.astype("datetime64[us]")
        if self.months:
            month = moment.astype("datetime64[M]")
            return (month - month.astype(np.int64) % min(self.months, 12)).astype("datetime64[us]")
        length = min(self.length, DAY)
        return moment - np.timedelta64(int(moment.astype(np.int64)) % length, "us")

    def after(self, last: np.datetime64, count: int) -> Moments:
        """The `count` times that come after one."""
        return self._from(last, np.arange(1, count + 1))

    def grid(self, first: np.datetime64, last: np.datetime64) -> Moments:
        """All times from the first to the last one, which belongs to them if it is one of them."""
        ends = np.array([last], "datetime64[us]")
        times = self._from(first, np.arange(int(self.places(first, ends)[0]) + 1))
        return times[times <= ends]

    def places(self, first: np.datetime64, times: Moments) -> NDArray[np.int64]:
        """How many steps after the first one each time is, or the last step before it where it is between two."""
        start, moments = first.astype("datetime64[us]"), times.astype("datetime64[us]")
        if self.unit == "B":
            day = moments.astype("datetime64[D]")
            weekdays = np.busday_count(start.astype("datetime64[D]"), np.busday_offset(day, 0, roll="backward"))
            early = np.is_busday(day) & (_time_of_day(moments) < _time_of_day(start))
            return (weekdays - early) // self.count
        if self.months:
            rough = ((_month(moments) - _month(start)).astype(np.int64)) // self.months
            return rough - (self._from(start, rough) > moments)
        return (moments - start).astype(np.int64) // self.length

    def _from(self, first: np.datetime64, steps: NDArray[np.int64]) -> Moments:
        """The times that are so many steps after one."""
        start = first.astype("datetime64[us]")
        if self.unit == "B":
            days = np.busday_offset(start.astype("datetime64[D]"), steps * self.count, roll="backward")
            return np.asarray(days.astype("datetime64[us]") + _time_of_day(start))
        if not self.months:
            return np.asarray(start + (steps * self.length).astype("timedelta64[us]"))
        month = _month(start) + steps * self.months
        most = _last_day(month)
        day = most if self.unit.endswith("E") else np.minimum(most, (start.astype("datetime64[D]") - _month(start).astype("datetime64[D]")))
        return np.asarray((month.astype("datetime64[D]") + day).astype("datetime64[us]") + _time_of_day(start))

    def _plain(self) -> "Frequency":
        """With the largest unit that fits: 60min is an hour, 7D a week, 3MS a quarter."""
        larger = {"min": ("h", 60), "h": ("D", 24), "s": ("min", 60), "ms": ("s", 1000), "D": ("W", 7)}
        larger |= {"MS": ("QS", 3), "ME": ("QE", 3), "QS": ("YS", 4), "QE": ("YE", 4)}
        unit, size = larger.get(self.unit, ("", 0))
        return Frequency(unit, self.count // size)._plain() if size and self.count % size == 0 else self


def _of_months(moments: Moments) -> Frequency | None:
    """A frequency in months, if all times have the same place in their month."""
    months = np.diff(_month(moments)).astype(np.int64)
    day = (moments.astype("datetime64[D]") - _month(moments).astype("datetime64[D]")).astype(np.int64)
    last = _last_day(_month(moments)).astype(np.int64)
    if months.min() < 1 or len({*_time_of_day(moments).tolist()}) > 1:
        return None
    at_end, same_day = bool((day == last).all()), bool((day == np.minimum(day.max(), last)).all())
    if not at_end and not same_day:
        return None
    return Frequency("ME" if at_end else "MS", int(np.gcd.reduce(months)))._plain()


def _of_business_days(moments: Moments) -> Frequency | None:
    """Business days, if there are enough days and none on a weekend."""
    days = moments.astype("datetime64[D]")
    enough = len(days) >= _FEWEST_WEEKDAYS and bool((np.diff(days).astype(np.int64) == 1).any())
    if not enough or not np.is_busday(days).all() or len({*_time_of_day(moments).tolist()}) > 1:
        return None
    return Frequency("B")


def _month(moments: Moments) -> Moments:
    return moments.astype("datetime64[M]")


def _last_day(months: Moments) -> NDArray[np.timedelta64]:
    """How many days after the first the last day of each month is."""
    return (months + 1).astype("datetime64[D]") - months.astype("datetime64[D]") - 1


def _time_of_day(moments: Moments) -> NDArray[np.timedelta64]:
    return moments - moments.astype("datetime64[D]")


def _seconds(step: int) -> str:
    return f"{step / 1e6:g} s"


CIRCLES: dict[str, tuple[int, int, int]] = {
    "second of minute": (1, _FIXED["s"] * 20, 1),
    "minute of hour": (1, _FIXED["min"] * 20, 1),
    "hour": (1, _FIXED["h"] * 8, 3),
    "weekday": (1, DAY * 3, 3),
    "day of month": (1, DAY * 9, 1),
    "day of year": (1, DAY * 100, 2),
}
"""What goes round in the calendar. It is told to a network whose steps have from the first to the second number of microseconds, by as many sines and cosines."""


def calendar_features(
    times: Moments, frequency: Frequency, *, zone: str = "", holidays: Iterable[str | np.datetime64] = ()
) -> tuple[NDArray[np.float32], list[str]]:
    """What the calendar says of times, `[T, F]`, and the names of the F features: those that vary at this frequency, as sines and cosines.

    With a `zone`, such as `Europe/Madrid`, times are UTC and the calendar is that of the zone, with its summer time. `holidays` are
    days, which add a feature that is 1 on them.
    """
    moments = times.astype("datetime64[us]")
    local = moments if not zone else (moments + _offsets(moments, zone)).astype("datetime64[us]")
    features, names = [], []
    for name, (least, most, harmonics) in CIRCLES.items():
        if least <= frequency.length <= most:
            for harmonic in range(1, harmonics + 1):
                angle = 2 * np.pi * harmonic * _turn(local, name)
                features += [np.sin(angle), np.cos(angle)]
                names += [f"{name} sin{harmonic}", f"{name} cos{harmonic}"]
    days = np.array([*holidays], "datetime64[D]")
    if len(days):
        features.append(np.isin(local.astype("datetime64[D]"), days).astype(float))
        names.append("holiday")
    return np.stack(features, -1).astype(np.float32) if features else np.zeros((len(times), 0), np.float32), names


def _turn(local: Moments, name: str) -> NDArray[np.float64]:
    """How far round its circle each time is, from 0 to 1."""
    days = local.astype("datetime64[D]")
    if name == "day of year":
        return _part(days, "Y")
    if name == "day of month":
        return _part(days, "M")
    moments = local.astype(np.int64)
    # 1970 began on a Thursday; weeks begin on Mondays.
    start, length = {"weekday": (3 * DAY, 7 * DAY), "hour": (0, DAY), "minute of hour": (0, _FIXED["h"])}.get(name, (0, _FIXED["min"]))
    if name == "weekday":
        moments = days.astype("datetime64[us]").astype(np.int64)
    return (moments + start) % length / length


def _part(days: Moments, unit: str) -> NDArray[np.float64]:
    """How much of its month or year is over at the beginning of each day."""
    begin = days.astype(f"datetime64[{unit}]")
    length = (begin + 1).astype("datetime64[D]") - begin.astype("datetime64[D]")
    return (days - begin.astype("datetime64[D]")) / length


def _offsets(moments: Moments, zone: str) -> NDArray[np.timedelta64]:
    """What the clocks of a zone add to UTC at each time."""
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(f"`zone` must be the name of a time zone, such as Europe/Madrid, got {zone!r}.") from None
    hours, places = np.unique(moments.astype("datetime64[h]"), return_inverse=True)
    each = [datetime.fromtimestamp(hour * 3600, timezone.utc).astimezone(place).utcoffset() for hour in hours.astype(np.int64).tolist()]
    return np.array([offset for offset in each if offset is not None], "timedelta64[us]")[places]
