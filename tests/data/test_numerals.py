"""Numbers as files of text have them."""

import pytest

from unrolled.data.numerals import as_number, is_number


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
