"""Numbers as files of text have them."""

import pytest

from unrolled.data.numerals import as_number, is_number, rounded, text_of


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1), (" -2.5e3\t", -2500), ("+.5", 0.5), ("1e400", float("inf")), ("\xa07", 7), ("−1.5", -1.5)]
)
def test_numbers(text, number):
    assert as_number(text) == number


@pytest.mark.parametrize("text", ["1_000", "２０", "٣", "1 000", "1,5", "0x1f", "", "one", "−"])
def test_what_is_no_number(text):
    assert not is_number(text)
    with pytest.raises(ValueError, match="is no number"):
        as_number(text)


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e400"])
def test_what_has_no_place_among_numbers(text):
    assert not is_number(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1_700_000_000_007.0, "1700000000007"), (0.1 + 0.2, "0.3"), (-3.0, "-3"), (1e300, "1e+300"), (2.0**52 + 1, "4503599627370497")],
)
def test_times_have_all_their_digits(number, text):
    assert text_of(number) == text and as_number(text) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1 / 3, "0.333333"),
        (1234.5678, "1234.57"),
        (10_000_000_004.25, "10000000004.25"),
        (-1e7 - 0.25, "-10000000.25"),
        (1e28, "1e+28"),
        (2e-9, "2e-09"),
    ],
)
def test_large_numbers_keep_what_lies_behind_the_point(number, text):
    assert rounded(number) == text


def test_more_digits_can_be_asked_for():
    assert rounded(1e9 + 1 / 3, 10, 6) == "1000000000.33333" and rounded(1 / 3, 10, 6) == "0.3333333333"
