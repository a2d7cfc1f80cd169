"""Texts to ids and back, at every level."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.coding import LEVELS, SPECIALS, Coding, CodingOptions
from unrolled.errors import ConfigError, DataError, RunError

TEXTS = [
    "Ça alors\u202f!",
    "J'ai dit\u00a0: «\u00a0l’homme n'est pas là\u00a0».",
    "He said: he isn't here, is he?",
    "3 mai 1998, 12 mai 1999",
    "là, là, là",
    "<EOS> <UNK>",
] * 3


def learn(level, **options):
    return Coding.learn(TEXTS, CodingOptions(level=level, **options))


@pytest.fixture(scope="module")
def pieces():
    return {kind: learn("subword", subwords=kind, vocabulary=320) for kind in ("bpe", "unigram")}


def test_every_coding_begins_with_the_same_symbols(pieces):
    assert SPECIALS == ("<UNK>", "<EOS>")
    for coding in (*pieces.values(), learn("char"), learn("word")):
        assert tuple(coding.names([Coding.unknown, Coding.end])) == SPECIALS
        assert len(set(coding.names(range(coding.size)))) == coding.size


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_subwords_lose_nothing(pieces, text):
    for coding in pieces.values():
        ids = coding.encode(text)
        assert ids.min(initial=2) >= 2
        assert coding.decode(ids) == text


def test_what_was_learnt_comes_back(pieces):
    for coding in (*pieces.values(), learn("char")):
        for text, ids in zip(TEXTS, coding.encode_all(TEXTS), strict=True):
            assert coding.decode(ids) == text
            np.testing.assert_array_equal(ids, coding.encode(text))
    assert learn("word").decode(learn("word").encode("là,  l’homme\u202f: «\u00a0pas »")) == "là, l’homme: «pas»"


def test_frequent_pieces_are_longer_than_bytes(pieces):
    for coding in pieces.values():
        assert 258 < coding.size <= 320
        assert len(coding.encode(TEXTS[2])) < len(TEXTS[2]) / 1.5
        assert "".join(coding.join([name]) for name in coding.names(coding.encode("he isn't"))) == "he isn't"


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_equal_texts_give_equal_pieces_in_every_process(pieces, kind):
    code = f"""
import sys
from unrolled.data.coding import Coding, CodingOptions
options = CodingOptions(level="subword", subwords="{kind}", vocabulary=320)
sys.stdout.reconfigure(encoding="utf-8")
print(Coding.learn({TEXTS!r}, options).to_json())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == pieces[kind].to_json()


def test_specials_in_a_text_are_none(pieces):
    for coding in (*pieces.values(), learn("char")):
        assert coding.encode("<EOS>").min() >= 2
    assert learn("word").encode("<EOS> <UNK> he").tolist()[:2] == [0, 0]


def test_unknown_symbols_are_one_id_and_still_told(pieces):
    letters, words = learn("char"), learn("word")
    assert letters.encode("éa").tolist()[0] == letters.unknown
    assert letters.decode([0, *letters.encode("a")]) == "\N{REPLACEMENT CHARACTER}a"
    ids = words.encode("he met Zoë.")
    assert [bool(n) for n in ids] == [True, False, False, True]
    assert words.decode(ids) == "he <UNK> <UNK>."
    assert list(words.split(["he met Zoë."])) == [["he", "met", "Zoë", "."]]
    assert words.join(["he", "met", "Zoë", "."]) == "he met Zoë."
    assert pieces["bpe"].decode(pieces["bpe"].encode("a\ud800b")) == "a?b"


@pytest.mark.parametrize("level", LEVELS)
def test_a_text_ends_with_its_end(level):
    coding = learn(level, vocabulary=300 if level == "subword" else None)
    ids = coding.encode("he, he")
    assert coding.decode([*ids, coding.end, *ids]) == "he, he"
    assert coding.decode([]) == ""
    assert coding.encode("").shape == (0,)
    assert coding.encode("").dtype == ids.dtype == np.int64


def test_the_most_frequent_symbols_are_known():
    words = learn("word", vocabulary=4)
    assert (words.size, words.names([2, 3])) == (4, [",", "là"])
    letters = learn("char", min_count=10)
    assert [bool(n) for n in letters.encode("a é3")] == [True, True, False, False]


@pytest.mark.parametrize("level", LEVELS)
def test_json_and_back(level):
    coding = learn(level, vocabulary=300)
    again = Coding.from_json(coding.to_json())
    assert again.size == coding.size
    assert again.to_json() == coding.to_json()
    for text in TEXTS:
        np.testing.assert_array_equal(again.encode(text), coding.encode(text))
        assert again.decode(again.encode(text)) == coding.decode(coding.encode(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"level": "letter", "symbols": ["a"]}),
        json.dumps({"level": "char", "symbols": ["a", "a"]}),
        json.dumps({"level": "word", "symbols": ["<EOS>"]}),
        json.dumps({"level": "char", "symbols": {"a": 1}}),
        json.dumps({"level": "subword", "symbols": ["a"]}),
        json.dumps({"level": "subword", "symbols": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}),
    ],
)
def test_damaged_json_is_told(text):
    with pytest.raises(RunError, match="of the run are damaged"):
        Coding.from_json(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "letter"}, "`--level` must be one of char, word, subword, got 'letter'"),
        ({"subwords": "wordpiece"}, "`--subwords` must be one of bpe, unigram"),
        ({"vocabulary": 2}, "`--vocabulary` must be more than 2"),
        ({"min_count": 0}, "`--min-count` must be at least 1, got 0"),
        ({"level": "subword", "vocabulary": 200}, "room for the 256 bytes"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        Coding.learn(TEXTS, CodingOptions(**options))


def test_ids_outside_are_told():
    coding = learn("char")
    with pytest.raises(DataError, match=rf"must lie in 0..{coding.size - 1}, got -1..{coding.size}"):
        coding.decode([-1, coding.size])
