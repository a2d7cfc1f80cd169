"""Built-in pairs: what they promise, and that they promise it every time."""

import re
from datetime import date

import pytest

from unrolled.data.builtin_examples import BUILTIN_EXAMPLES
from unrolled.data.builtin_examples.dates import LOCALES, dates
from unrolled.data.builtin_examples.numbers import LANGUAGES, numbers
from unrolled.data.builtin_examples.strings import additions, reversed_strings
from unrolled.data.examples import Target
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs

MAKERS = {"builtin:dates": dates, "builtin:numbers": numbers, "builtin:reversed": reversed_strings, "builtin:additions": additions}


@pytest.fixture(scope="module")
def made():
    return {name: list(make(2000)) for name, make in MAKERS.items()}


def test_all_sources_of_texts_are_looked_at():
    assert {name for name, source in BUILTIN_EXAMPLES.items() if Target.TEXTS in source.has} == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_no_source_comes_twice_and_all_come_again(made, name):
    pairs = made[name]
    assert BUILTIN_EXAMPLES[name].make is MAKERS[name]
    assert len({pair.text for pair in pairs}) == len({pair.place for pair in pairs}) == len(pairs) == 2000
    assert pairs[:100] == list(MAKERS[name](100))
    assert pairs[:10] == [pair for pair, _ in zip(read_pairs(name, PairOptions()), range(10), strict=False)]
    assert pairs[:100] != list(MAKERS[name](100, seed=1))
    assert all(pair.text and len(pair.texts) == 1 and pair.texts[0] for pair in pairs)


def test_dates_are_the_day_that_they_name(made):
    """The target is read off the source without Babel: the year and the day stand in it as numbers, the month as a number or as a word."""
    months = {}
    assert len(LOCALES) >= 10
    for pair in made["builtin:dates"]:
        day = date.fromisoformat(pair.texts[0])
        assert pair.group == pair.texts[0]
        found = [int(digits) for digits in re.findall(r"\d+", pair.text)]
        if len(found) == 3:
            assert found in ([day.year, day.month, day.day], [day.day, day.month, day.year])
        else:
            assert sorted(found) == [day.day, day.year]
            for word in re.findall(r"[^\W\d]{3,}", pair.text.lower()):
                months.setdefault(word, set()).add(day.month)
    named = {word: found.pop() for word, found in months.items() if len(found) == 1}
    english = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
    assert [named.get(word) for word in (*english, "août", "kesäkuuta", "września", "haziran")] == [*range(1, 13), 8, 6, 9, 6]
    assert not {"january", "monday"} - set(months)


def test_numbers_say_which_language_is_wanted(made):
    values = {pair.text: (pair.texts[0], pair.group) for pair in numbers(20_000) if int(pair.group) < 100}
    assert len(LANGUAGES) >= 6
    assert values["fr: dreiundzwanzig"] == ("vingt-trois", "23")
    assert values["de: forty-two"] == ("zweiundvierzig", "42")
    assert {pair.text[:4] for pair in made["builtin:numbers"]} == {f"{language}: " for language in LANGUAGES}


def test_strings_and_sums_are_right(made):
    for pair in made["builtin:reversed"]:
        assert pair.texts[0][::-1] == pair.text
    sums = set()
    for pair in made["builtin:additions"]:
        terms = [int(term) for term in pair.text.split("+")]
        assert sum(terms) == int(pair.texts[0])
        assert max(terms) <= 999
        sums.add(tuple(sorted(terms)))
    assert len(sums) == 2000
