"""Built-in pairs: what they promise, and that they promise it every time."""

import re
from datetime import date

import pytest

from unrolled.data.pairs import BUILTIN_PAIRS, PairOptions, read_pairs
from unrolled.data.pairs.dates import LOCALES, dates
from unrolled.data.pairs.numbers import LANGUAGES, numbers
from unrolled.data.pairs.strings import additions, reversed_strings

MAKERS = {"builtin:dates": dates, "builtin:numbers": numbers, "builtin:reversed": reversed_strings, "builtin:additions": additions}


@pytest.fixture(scope="module")
def made():
    return {name: list(make(2000)) for name, make in MAKERS.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_no_source_comes_twice_and_all_come_again(made, name):
    pairs = made[name]
    assert BUILTIN_PAIRS[name] is MAKERS[name]
    assert len({pair.source for pair in pairs}) == len({pair.place for pair in pairs}) == len(pairs) == 2000
    assert pairs[:100] == list(MAKERS[name](100))
    assert pairs[:10] == [pair for pair, _ in zip(read_pairs(name, PairOptions()), range(10), strict=False)]
    assert pairs[:100] != list(MAKERS[name](100, seed=1))
    assert all(pair.source and len(pair.targets) == 1 and pair.targets[0] for pair in pairs)


def test_dates_are_the_day_that_they_name(made):
    """The target is read off the source without Babel: the year and the day stand in it as numbers, the month as a number or as a word."""
    months = {}
    assert len(LOCALES) >= 10
    for pair in made["builtin:dates"]:
        day = date.fromisoformat(pair.targets[0])
        assert pair.group == pair.targets[0]
        found = [int(digits) for digits in re.findall(r"\d+", pair.source)]
        if len(found) == 3:
            assert found in ([day.year, day.month, day.day], [day.day, day.month, day.year])
        else:
            assert sorted(found) == [day.day, day.year]
            for word in re.findall(r"[^\W\d]{3,}", pair.source.lower()):
                months.setdefault(word, set()).add(day.month)
    named = {word: found.pop() for word, found in months.items() if len(found) == 1}
    english = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
    assert [named.get(word) for word in (*english, "août", "kesäkuuta", "września", "haziran")] == [*range(1, 13), 8, 6, 9, 6]
    assert not {"january", "monday"} - set(months)


def test_numbers_say_which_language_is_wanted(made):
    values = {pair.source: (pair.targets[0], pair.group) for pair in numbers(20_000) if int(pair.group) < 100}
    assert len(LANGUAGES) >= 6
    assert values["fr: dreiundzwanzig"] == ("vingt-trois", "23")
    assert values["de: forty-two"] == ("zweiundvierzig", "42")
    assert {pair.source[:4] for pair in made["builtin:numbers"]} == {f"{language}: " for language in LANGUAGES}


def test_strings_and_sums_are_right(made):
    for pair in made["builtin:reversed"]:
        assert pair.targets[0][::-1] == pair.source
    sums = set()
    for pair in made["builtin:additions"]:
        terms = [int(term) for term in pair.source.split("+")]
        assert sum(terms) == int(pair.targets[0])
        assert max(terms) <= 999
        sums.add(tuple(sorted(terms)))
    assert len(sums) == 2000
