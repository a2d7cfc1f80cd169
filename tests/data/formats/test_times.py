"""Times of one column."""

from datetime import datetime, timezone

import pytest

from unrolled.data.formats.times import Times


def seconds(*date):
    return datetime(*date, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("20231231", (2023, 12, 31)),
        ("202312312359", (2023, 12, 31, 23, 59)),
        ("20120101102500", (2012, 1, 1, 10, 25)),
        ("20231231T235958", (2023, 12, 31, 23, 59, 58)),
        ("2023-12-31 23:59", (2023, 12, 31, 23, 59)),
        ("2023/12", (2023, 12, 1)),
        ("202312", (2023, 12, 1)),
        ("2023Q4", (2023, 10, 1)),
        ("2023-Q1", (2023, 1, 1)),
        ("Q2 2023", (2023, 4, 1)),
    ],
)
def test_dates_with_and_without_marks(text, date):
    assert Times().read(f" {text} ") == seconds(*date)


@pytest.mark.parametrize("text", ["0", "1.5", "1700000000", "1700000000000", "20231331", "202313", "2023", "18991231", "-3e2"])
def test_other_digits_are_seconds(text):
    assert Times().read(text) == float(text)


def test_the_first_time_decides_what_digits_are():
    times = Times()
    assert [times.read(text) for text in ("20000000", "20000101", "20000102")] == [20000000, 20000101, 20000102]
    times = Times()
    assert times.read("20231231") - times.read("20231230") == 86400
    with pytest.raises(ValueError, match="'20231232' is a number, and the first time, '20231231', is a date"):
        times.read("20231232")


@pytest.mark.parametrize("text", ["1_000", "２０２３-01-01", "nan", "inf", "yesterday", "2023Q5", ""])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match="is neither a number nor a date"):
        Times().read(text)


@pytest.mark.parametrize(
    ("text", "day_first", "iso"),
    [
        ("31.12.2023 23:59", None, "2023-12-31T23:59:00"),
        ("01.02.2023", None, "2023-02-01T00:00:00"),
        ("12/31/2023 11:59 PM", None, "2023-12-31T23:59:00"),
        ("1/2/2023 12:05:07 am", None, "2023-01-02T00:05:07"),
        ("1/2/2023 1:05 pm", None, "2023-01-02T13:05:00"),
        ("31/12/2023", None, "2023-12-31T00:00:00"),
        ("01/02/2023", True, "2023-02-01T00:00:00"),
        ("01/02/2023", False, "2023-01-02T00:00:00"),
        ("3/3/2023", None, "2023-03-03T00:00:00"),
    ],
)
def test_dates_whose_year_stands_last(text: str, day_first: bool | None, iso: str) -> None:
    assert Times(day_first).read(text) == datetime.fromisoformat(f"{iso}+00:00").timestamp()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("01/02/2023", "in '01/02/2023' it is not clear which number is the day; pass `day_first=True` or `day_first=False`"),
        ("31.13.2023", "'2023-13-31T00:00:00' is neither a number nor a date"),
    ],
)
def test_dates_that_may_be_two_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Times().read(text)
