"""Vocabularies: ids, text and JSON, there and back."""

import contextlib
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.counting import count_symbols
from unrolled.data.vocabulary import END, UNKNOWN, Vocabulary, first_words, split_words
from unrolled.errors import ConfigError, DataError, RunError

CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def of(level: str, *texts: str, size: int | None = None) -> Vocabulary:
    return Vocabulary.from_counts(level, count_symbols(texts, level), size)


@given(CHARACTERS)
def test_characters_round_trip(text: str) -> None:
    vocabulary = of("char", text)
    ids = vocabulary.encode(text)
    assert ids.dtype == np.int64 and len(ids) == len(text)
    assert vocabulary.decode(ids) == text
    assert vocabulary.missing(text) == []


@given(st.text(st.sampled_from("ab é'’_1<>().,;!?\n\t\"“”[]漢-") | st.characters(exclude_categories=["Cs"]), max_size=60))
def test_words_survive_being_printed_and_read_again(text: str) -> None:
    vocabulary = of("word", text)
    ids = vocabulary.encode(text)
    printed = vocabulary.decode(ids)
    assert [vocabulary.symbols[i] for i in ids] == [END if w == "\n" else w for w in split_words(text)]
    assert vocabulary.encode(printed).tolist() == ids.tolist()


def test_characters_are_looked_up_one_by_one() -> None:
    vocabulary = Vocabulary("char", (UNKNOWN, END, "a", "é", "😀"))
    assert vocabulary.encode("a\né😀z漢").tolist() == [2, 1, 3, 4, 0, 0]
    assert vocabulary.encode("az\n").tolist() == [2, 0, 1]
    assert vocabulary.encode("").tolist() == []
    assert vocabulary.decode([2, 1, 0]) == "a\n\N{REPLACEMENT CHARACTER}"
    assert vocabulary.missing("zaz\n漢") == ["z", "漢"]
    assert (len(vocabulary), vocabulary.size, vocabulary.unknown, vocabulary.end) == (5, 5, 0, 1)


def test_words_are_split_at_punctuation_but_not_at_apostrophes() -> None:
    text = "Don't stop, O’Neill's (big) <tag> x-ray...\n"
    assert split_words(text) == ["Don't", "stop", ",", "O’Neill's", "(", "big", ")", "<tag>", "x", "-", "ray", ".", ".", ".", "\n"]


def test_special_words_are_known_in_any_case_and_never_listed() -> None:
    vocabulary = of("word", "the <unk> cat <eos> <Unk> <N> \n the")
    assert vocabulary.symbols == (UNKNOWN, END, "the", "<N>", "cat")
    assert vocabulary.encode("<unk> <EOS> <uNk> <eos>\nthe dog").tolist() == [0, 1, 0, 1, 1, 2, 0]
    assert vocabulary.missing("<unk> dog <eos>\n dog the") == ["dog"]


def test_words_are_printed_as_prose() -> None:
    text = "Yes, he (old) said: no!\nWhy? <UNK> “so”."
    vocabulary = of("word", text)
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_most_frequent_first_then_alphabetical_and_size_counts_all() -> None:
    counts = Counter({"b": 2, "c": 5, "a": 2, "\n": 100, "z": 0, "d": 1})
    assert Vocabulary.from_counts("char", counts).symbols == (UNKNOWN, END, "c", "a", "b", "d")
    assert Vocabulary.from_counts("char", counts, 4).symbols == (UNKNOWN, END, "c", "a")
    assert Vocabulary.from_counts("char", counts, 99).size == 6


def test_counts_are_kept_with_the_rest_for_what_is_unknown_and_make_frequencies() -> None:
    counts = Counter({"b": 2, "c": 5, "a": 2, "\n": 100, "z": 0, "d": 1})
    small = Vocabulary.from_counts("char", counts, 4)
    assert small.counts == (3, 100, 5, 2)
    assert Vocabulary.from_json(small.to_json()).counts == small.counts
    assert small.log_frequencies is not None
    np.testing.assert_allclose(np.exp(small.log_frequencies), np.array([4, 101, 6, 3]) / 114)
    bare = Vocabulary.from_json(json.dumps({"level": "char", "symbols": small.symbols}))
    assert bare == small and bare.counts == () and bare.log_frequencies is None


@pytest.mark.parametrize(("level", "size", "named"), [("letter", None, "char, word"), ("char", 2, "at least 3")])
def test_impossible_vocabularies_are_refused(level: str, size: int | None, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Vocabulary.from_counts(level, {}, size)


@pytest.mark.parametrize("ids", [[-1], [0, 3]])
def test_ids_outside_are_refused(ids: list[int]) -> None:
    with pytest.raises(DataError, match=r"0\.\.2"):
        Vocabulary("char", (UNKNOWN, END, "a")).decode(ids)


@pytest.mark.parametrize(("size", "dtype"), [(2, "u1"), (256, "u1"), (257, "u2"), (65536, "u2"), (65537, "u4")])
def test_ids_are_stored_as_narrowly_as_they_fit(size: int, dtype: str) -> None:
    assert Vocabulary("char", (UNKNOWN, END, *map(chr, range(0x10000, 0x10000 + size - 2)))).dtype == np.dtype(dtype)


@given(CHARACTERS, st.sampled_from(["char", "word", "event"]))
def test_json_round_trip(text: str, level: str) -> None:
    vocabulary = of(level, text)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


BROKEN = {
    "no JSON": "{",
    "too deep": "[" * 100_000,
    "no object": "[]",
    "counts too few": json.dumps({"level": "char", "symbols": [UNKNOWN, END, "a"], "counts": [1, 2]}),
    "counts below 0": json.dumps({"level": "char", "symbols": [UNKNOWN, END], "counts": [1, -2]}),
    "counts that are none": json.dumps({"level": "char", "symbols": [UNKNOWN, END], "counts": [1, "2"]}),
    "a key too few": '{"level": "char"}',
    "a key too many": json.dumps({"level": "char", "symbols": [UNKNOWN, END], "more": 1}),
    "unknown level": json.dumps({"level": "byte", "symbols": [UNKNOWN, END]}),
    "level no string": json.dumps({"level": ["char"], "symbols": [UNKNOWN, END]}),
    "no list": json.dumps({"level": "char", "symbols": "abc"}),
    "no strings": json.dumps({"level": "char", "symbols": [UNKNOWN, END, 3]}),
    "specials missing": json.dumps({"level": "char", "symbols": ["a", "b"]}),
    "specials exchanged": json.dumps({"level": "char", "symbols": [END, UNKNOWN]}),
    "twice": json.dumps({"level": "char", "symbols": [UNKNOWN, END, "a", "a"]}),
    "two characters": json.dumps({"level": "char", "symbols": [UNKNOWN, END, "ab"]}),
    "newline": json.dumps({"level": "char", "symbols": [UNKNOWN, END, "\n"]}),
    "half a character": json.dumps({"level": "char", "symbols": [UNKNOWN, END, "\ud800"]}),
    "two words": json.dumps({"level": "word", "symbols": [UNKNOWN, END, "a b"]}),
    "an activity with a blank before it": json.dumps({"level": "event", "symbols": [UNKNOWN, END, " a"]}),
    "no activity": json.dumps({"level": "event", "symbols": [UNKNOWN, END, ""]}),
    "special activity": json.dumps({"level": "event", "symbols": [UNKNOWN, END, "<Unk>"]}),
    "special word again": json.dumps({"level": "word", "symbols": [UNKNOWN, END, "<eos>"]}),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_damaged_json_is_refused(text: str) -> None:
    with pytest.raises(RunError, match="run folder"):
        Vocabulary.from_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["level", "symbols", "x"]), inner, max_size=3),
)


@given(st.text() | JSON.map(json.dumps) | JSON.map(lambda s: json.dumps({"level": "word", "symbols": s})))
def test_arbitrary_json_gives_a_vocabulary_or_the_projects_error(text: str) -> None:
    with contextlib.suppress(RunError):
        assert Vocabulary.from_json(text).encode("a b\n").max() >= 0


ACTIVITIES = st.text(st.sampled_from('ab "\\\n\t,é\u2028') | st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip)


@given(st.lists(ACTIVITIES.filter(lambda name: name and name.upper() not in (UNKNOWN, END)) | st.sampled_from([END, UNKNOWN])))
def test_activities_of_any_characters_survive_being_printed_and_read_again(names: list[str]) -> None:
    vocabulary = Vocabulary.from_counts("event", Counter(names))
    ids = vocabulary.look_up(names)
    assert [vocabulary.symbols[i] for i in ids] == names
    assert vocabulary.encode(vocabulary.decode(ids)).tolist() == ids.tolist()
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_activities_are_divided_by_blanks_and_quoted_where_they_have_some() -> None:
    vocabulary = Vocabulary("event", (UNKNOWN, END, "Close", "Take in charge", 'say"hi', '"', "a\nb", "."))
    text = 'Close "Take in charge" say"hi .\n"\\"" "a\\nb"\n\nClose <UNK>'
    assert vocabulary.encode(text).tolist() == [2, 3, 4, 7, 1, 5, 6, 1, 1, 2, 0]
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert vocabulary.encode('Close\t"Close"  " "Close"').tolist() == [2, 2, 5, 2]
    assert vocabulary.missing('Close "Take up" "Take in charge" "') == ["Take up"]


def test_rare_words_are_forgotten_when_there_are_too_many() -> None:
    rare = [f"w{i}" for i in range(1000)]
    counts = count_symbols((f"often {word} " for word in rare), "word", most=100)
    assert len(counts) <= 100 and counts["often"] == 1000
    assert set(count_symbols([" ".join(rare)], "word", most=1000)) == set(rare)


def test_characters_are_counted_exactly() -> None:
    texts = ["abba\n", "é漢é", "", "😀a"]
    assert count_symbols(texts, "char") == Counter("".join(texts))


@given(CHARACTERS, st.integers(1, 9))
def test_the_first_words_of_a_text(text: str, most: int) -> None:
    found = first_words(text, most)
    assert text.startswith(found)
    assert split_words(found) == split_words(text)[:most]
    assert found == text or len(split_words(found)) == most
