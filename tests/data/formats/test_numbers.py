"""Missing and infinite numbers: named, or put right on request."""

import numpy as np
import pytest

from unrolled.data.formats.numbers import complete, parse_number, parse_targets
from unrolled.errors import DataError

NAN = float("nan")
GAPS = np.array([[NAN, 1.5], [2.0, NAN], [NAN, NAN], [3.0, -4.0], [NAN, NAN]], dtype=np.float32)


def line(row: int) -> str:
    return f"sensors.csv, line {row + 2}"


def test_a_missing_number_is_named_with_its_cure() -> None:
    with pytest.raises(DataError, match=r"sensors.csv, line 2, left: .* one of 6 .*`impute`"):
        complete(GAPS, line, ["left", "right"], impute=False)


def test_imputing_repeats_the_last_known_value_and_invents_no_first_one() -> None:
    expected = np.array([[NAN, 1.5], [2.0, 1.5], [2.0, 1.5], [3.0, -4.0], [3.0, -4.0]], dtype=np.float32)
    np.testing.assert_array_equal(complete(GAPS, line, ["left", "right"], impute=True), expected)


@pytest.mark.parametrize("impute", [False, True])
def test_an_infinite_number_is_refused_whatever_was_asked(impute: bool) -> None:
    with pytest.raises(DataError, match=r"line 5, right: a value must be a finite"):
        complete(np.where(GAPS == -4, np.float32("inf"), GAPS), line, ["left", "right"], impute=impute)


def test_whole_numbers_stay_as_they_are() -> None:
    whole = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert complete(whole, line, ["left", "right"], impute=False) is whole


@pytest.mark.parametrize("text", ["", " ", "?", "NaN", "NA", "null"])
def test_cells_that_say_nothing(text: str) -> None:
    assert np.isnan(parse_number(text))


def test_cells_with_numbers_and_with_words() -> None:
    assert parse_number(" -1.5e3 ") == -1500
    with pytest.raises(ValueError):
        parse_number("high")


def test_targets_are_rows_of_numbers() -> None:
    found = parse_targets([("1", " -2.5 "), ("3e2", "0")], line)
    assert found.dtype == np.float64
    assert found.tolist() == [[1, -2.5], [300, 0]]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("high", r"^sensors.csv, line 3: a target must be a number, got 'high'. Mend it, or take another `target`.$"),
        ("", r"^sensors.csv, line 3: a target must be a number, got ''. Mend it"),
        ("?", r"^sensors.csv, line 3: a target must be a number, got '\?'. Mend it"),
        ("1,5", r"^sensors.csv, line 3: a target must be a number, got '1,5'. Mend it"),
        ("NaN", r"^sensors.csv, line 3: a target must be a finite number, got 'NaN'. Mend it, or take the row out.$"),
        ("-inf", r"^sensors.csv, line 3: a target must be a finite number, got '-inf'. Mend it"),
        ("1e999", r"^sensors.csv, line 3: a target must be a finite number, got '1e999'. Mend it"),
    ],
)
def test_a_target_that_is_no_finite_number_is_named_with_its_cure(cell: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_targets([("1", "2"), ("3", cell)], line)
