"""Frequencies, their grids, and what the calendar says."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from unrolled.data.calendar import Frequency, calendar_features
from unrolled.errors import ConfigError, DataError

START = np.datetime64("2024-01-31T06:00", "us")


def dates(*texts):
    return np.array(texts, "datetime64[us]")


@pytest.mark.parametrize(
    ("code", "same", "words", "seasons", "third"),
    [
        ("s", "second", "second", (3600, 86400), "2024-01-31T06:00:03"),
        ("90s", "90s", "90 seconds", (960, 6720), "2024-01-31T06:04:30"),
        ("30min", "30T", "30 minutes", (48, 336), "2024-01-31T07:30"),
        ("h", "60min", "hour", (24, 168), "2024-01-31T09:00"),
        ("7h", "7H", "7 hours", (24,), "2024-02-01T03:00"),
        ("D", "24h", "day", (7,), "2024-02-03T06:00"),
        ("B", "b", "business day", (5,), "2024-02-05T06:00"),
        ("W", "W-SUN", "week", (52,), "2024-02-21T06:00"),
        ("MS", "monthly", "month", (12,), "2024-04-30T06:00"),
        ("2ME", "2M", "2 end of months", (6,), "2024-07-31T06:00"),
        ("QS", "3MS", "quarter", (4,), "2024-10-31T06:00"),
        ("YE", "4QE", "end of year", (), "2027-01-31T06:00"),
    ],
)
def test_codes_mean_what_they_mean_elsewhere(code, same, words, seasons, third):
    frequency = Frequency.parse(code)
    assert Frequency.parse(same) == frequency and Frequency.parse(str(frequency)) == frequency
    assert frequency.words == words and frequency.seasons == seasons
    assert frequency.after(START, 3)[-1] == np.datetime64(third)


@pytest.mark.parametrize("code", ["s", "15min", "h", "7h", "D", "3D", "B", "W", "MS", "ME", "QE", "YS"])
@pytest.mark.parametrize("start", ["2023-12-01", "2024-01-31T06:00"])
def test_grids_are_found_again_and_have_places(code, start):
    frequency = Frequency.parse(code)
    first = frequency.after(np.datetime64(start, "us"), 1)[0]
    times = np.concatenate([[first], frequency.after(first, 39)])
    assert (frequency.grid(first, times[-1]) == times).all()
    assert (frequency.places(first, times) == np.arange(40)).all()
    between = times[1:] - np.timedelta64(1, "us")
    assert (frequency.places(first, between) == np.arange(39)).all()
    assert len(frequency.grid(first, between[-1])) == 39
    gaps = np.delete(times, [3, 4, 20])
    found = Frequency.found(gaps)
    if code in ("MS", "YS") and start.startswith("2024"):
        # The last days of months, or a day that each year has.
        assert found.months == frequency.months
    else:
        assert found == frequency


def test_business_days_are_days_where_a_weekend_has_rows():
    week = np.arange(np.datetime64("2024-03-04"), np.datetime64("2024-03-18"))
    assert Frequency.found(week) == Frequency("D")
    assert Frequency.found(week[np.is_busday(week)]) == Frequency("B")
    assert Frequency.found(week[:4]) == Frequency("D")
    assert Frequency("B").after(np.datetime64("2024-03-08"), 2).astype("datetime64[D]").tolist() == [
        datetime(2024, 3, 11).date(),
        datetime(2024, 3, 12).date(),
    ]


def test_the_last_days_of_months_stay_the_last():
    ends = dates("2023-12-31", "2024-01-31", "2024-02-29", "2024-03-31")
    assert str(Frequency.found(ends)) == "ME" and (Frequency("ME").after(ends[0], 3) == ends[1:]).all()
    thirtieth = dates("2023-12-30", "2024-01-30", "2024-02-29", "2024-03-30")
    assert str(Frequency.found(thirtieth)) == "MS" and (Frequency("MS").after(thirtieth[0], 3) == thirtieth[1:]).all()


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (dates("2024-01-01"), "There is 1 time, which has no frequency"),
        (dates("2024-01-01", "2024-01-01"), "must rise and not repeat"),
        (dates("2024-01-02", "2024-01-01"), "must rise and not repeat"),
        (
            dates("2024-01-01T00:00:00", "2024-01-01T00:00:07", "2024-01-01T00:00:30", "2024-01-01T00:01:41"),
            "no common step: from 7 s to 71 s",
        ),
    ],
)
def test_times_without_a_frequency(times, message):
    with pytest.raises(DataError, match=message):
        Frequency.found(times)


@pytest.mark.parametrize("text", ["", "hourlyish", "0h", "-1D", "h30", "1.5h"])
def test_what_is_no_code(text):
    with pytest.raises(ConfigError, match="`frequency` must be one of ms, s, min, h, D"):
        Frequency.parse(text)


def test_hours_weekdays_and_years_go_round():
    times = Frequency("h").after(np.datetime64("2024-05-31T23:00", "us"), 24 * 366)
    features, names = calendar_features(times, Frequency("h"))
    assert features.shape == (len(times), len(names)) and features.dtype == np.float32
    at = {name: features[:, place] for place, name in enumerate(names)}
    moments = [datetime(2024, 6, 1) + timedelta(hours=hour) for hour in range(len(times))]
    for name, turn in {
        "hour sin1": [moment.hour / 24 for moment in moments],
        "weekday sin2": [2 * moment.weekday() / 7 for moment in moments],
        "day of month sin1": [
            (moment.day - 1) / ((moment.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1)).day for moment in moments
        ],
        "day of year sin1": [(moment.timetuple().tm_yday - 1) / (366 if moment.year == 2024 else 365) for moment in moments],
    }.items():
        np.testing.assert_allclose(at[name], np.sin(2 * np.pi * np.array(turn)), atol=1e-6)
        np.testing.assert_allclose(at[name.replace("sin", "cos")], np.cos(2 * np.pi * np.array(turn)), atol=1e-6)


@pytest.mark.parametrize(
    ("code", "circles"),
    [
        ("s", ["second of minute", "minute of hour", "hour", "weekday", "day of month", "day of year"]),
        ("30min", ["hour", "weekday", "day of month", "day of year"]),
        ("B", ["weekday", "day of month", "day of year"]),
        ("W", ["day of month", "day of year"]),
        ("MS", ["day of year"]),
        ("YS", []),
    ],
)
def test_only_what_varies_is_told(code, circles):
    times = Frequency.parse(code).after(START, 5)
    features, names = calendar_features(times, Frequency.parse(code))
    assert list(dict.fromkeys(name.rpartition(" ")[0] for name in names)) == circles and features.shape == (5, len(names))


def test_a_zone_has_its_summer_time_and_its_holidays():
    times = Frequency("h").after(np.datetime64("2024-03-30T12:00", "us"), 36)
    features, names = calendar_features(times, Frequency("h"), zone="Europe/Madrid", holidays=["2024-03-31"])
    there = [moment.replace(tzinfo=timezone.utc).astimezone(ZoneInfo("Europe/Madrid")) for moment in times.tolist()]
    hours = np.array([moment.hour for moment in there])
    assert {1, 3} <= {*hours[10:16]} and 2 not in hours[10:16]
    np.testing.assert_allclose(features[:, names.index("hour cos1")], np.cos(hours / 12 * np.pi), atol=1e-6)
    assert features[:, names.index("holiday")].tolist() == [moment.day == 31 for moment in there]
    with pytest.raises(ConfigError, match="name of a time zone, such as Europe/Madrid, got 'Spain/Madrid'"):
        calendar_features(times, Frequency("h"), zone="Spain/Madrid")


@pytest.mark.parametrize(
    ("frequency", "begin"),
    [
        ("h", "2024-05-15T13:00"),
        ("6h", "2024-05-15T12:00"),
        ("15min", "2024-05-15T13:45"),
        ("D", "2024-05-15"),
        ("B", "2024-05-15"),
        ("W", "2024-05-15"),
        ("MS", "2024-05-01"),
        ("ME", "2024-05-01"),
        ("QS", "2024-04-01"),
        ("YS", "2024-01-01"),
    ],
)
def test_steps_begin_where_the_calendar_says(frequency, begin):
    assert Frequency.parse(frequency).floor(np.datetime64("2024-05-15T13:59:07")) == np.datetime64(begin)
