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
    ],
)
def test_dates_with_and_without_marks(text, date):
    assert Times().read(f" {text} ") == seconds(*date)


@pytest.mark.parametrize("text", ["0", "1.5", "1700000000", "1700000000000", "20231331", "2023", "18991231", "-3e2"])
def test_other_digits_are_seconds(text):
    assert Times().read(text) == float(text)


def test_the_first_time_decides_what_digits_are():
    times = Times()
    assert [times.read(text) for text in ("20000000", "20000101", "20000102")] == [20000000, 20000101, 20000102]
    times = Times()
    assert times.read("20231231") - times.read("20231230") == 86400
    with pytest.raises(ValueError, match="'20231232' is a number, and the first time, '20231231', is a date"):
        times.read("20231232")


@pytest.mark.parametrize("text", ["1_000", "２０２３-01-01", "nan", "inf", "yesterday", ""])
def test_what_is_no_time(text):
    with pytest.raises(ValueError, match="is neither a number nor a date"):
        Times().read(text)
