"""Texts to ids and back, at every level, as lines and as wholes."""

import contextlib
import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.codecs import TextCodec
from unrolled.data.codecs.text import EVENT, LEVELS, until_end
from unrolled.data.counting import count_symbols
from unrolled.data.vocabulary import END, TEXTS, UNKNOWN, Vocabulary
from unrolled.data.words import split_words
from unrolled.errors import ConfigError, DataError, RunError

SENTENCES = [
    "Ça alors\u202f!",
    "J'ai dit\u00a0: «\u00a0l’homme n'est pas là\u00a0».",
    "He said: he isn't here, is he?",
    "3 mai 1998, 12 mai 1999",
    "là, là, là",
    "<EOS> <UNK>",
] * 3

CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def learn(level, size=None, **options):
    return TextCodec.learn(SENTENCES, level, size, **options)


def lines(level, *texts, size=None):
    return TextCodec.of_lines(level, count_symbols(texts, level), size)


def given_lines(level, *names):
    return TextCodec(level, Vocabulary(names, TEXTS), lines=True)


def stored(codec):
    """What is read again of what was written."""
    return json.loads(json.dumps(codec.to_json()))


@pytest.fixture(scope="module")
def pieces():
    return {kind: learn("subword", 320, subwords=kind) for kind in ("bpe", "unigram")}


def test_every_codec_begins_with_the_same_symbols(pieces):
    assert TEXTS == (UNKNOWN, END) == ("<UNK>", "<EOS>")
    for codec in (*pieces.values(), learn("char"), learn("word"), lines("char", "ab"), lines("word", "ab"), lines("event", "ab")):
        assert codec.symbols[:2] == tuple(codec.vocabulary.strings([TextCodec.unknown, TextCodec.end])) == TEXTS
        assert len(set(codec.symbols)) == codec.size == len(codec.symbols)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_subwords_lose_nothing(pieces, text):
    for codec in pieces.values():
        ids = codec.encode(text)
        assert ids.min(initial=2) >= 2
        assert codec.decode(ids) == text


@pytest.mark.parametrize("word", ["हिन्दी", "مَرْحَبًا", "e\u0301te\u0301", "می\u200cخواهم"])
def test_a_frequent_word_is_one_piece_whatever_combines_in_it(word):
    assert len(TextCodec.learn([word] * 9, "subword", 300).split(word)) == 1


@pytest.mark.parametrize("of", [lambda text: TextCodec.learn([text], "word"), lambda text: lines("word", text)])
@given(st.text(st.sampled_from("aé\u0301\u0338<>'’\u200d\u00adहिन्दी👩🇩👍🏽1\ufe0f⃣ \u0600"), min_size=1, max_size=12))
def test_words_of_any_text_come_back_from_a_run(of, text):
    codec = of(text)
    again = TextCodec.from_json(stored(codec))
    assert again == codec and again.encode(text).tolist() == codec.encode(text).tolist()
    assert again.missing(text) == []


def test_what_was_learnt_comes_back(pieces):
    for codec in (*pieces.values(), learn("char")):
        for text, ids in zip(SENTENCES, codec.encode_all(SENTENCES), strict=True):
            assert codec.decode(ids) == text
            np.testing.assert_array_equal(ids, codec.encode(text))
    assert learn("word").decode(learn("word").encode("là,  l’homme\u202f: «\u00a0pas »")) == "là, l’homme: «pas»"


def test_frequent_pieces_are_longer_than_bytes(pieces):
    for codec in pieces.values():
        assert 258 < codec.size <= 320
        assert len(codec.encode(SENTENCES[2])) < len(SENTENCES[2]) / 1.5
        assert "".join(codec.join([name]) for name in codec.strings(codec.encode("he isn't"))) == "he isn't"


def test_pieces_are_shown_as_text(pieces):
    for codec in pieces.values():
        found = codec.shown([*codec.split("he isn't"), END])
        assert "".join(found) == "he isn't<EOS>" and found[-1] == END
    assert learn("char").shown(["é", END]) == ["é", END]


def test_equal_texts_give_equal_pieces_in_every_process(pieces):
    code = f"""
import json, sys
from unrolled.data.codecs import TextCodec
sys.stdout.reconfigure(encoding="utf-8")
for kind in ("bpe", "unigram"):
    print(json.dumps(TextCodec.learn({SENTENCES!r}, "subword", 320, subwords=kind).to_json()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines() == [json.dumps(pieces[kind].to_json()) for kind in ("bpe", "unigram")]


def test_specials_in_a_text_are_none(pieces):
    for codec in (*pieces.values(), learn("char")):
        assert codec.encode("<EOS>").min() >= 2
    assert learn("word").encode("<EOS> <UNK> he").tolist()[:2] == [0, 0]
    assert learn("word").vocabulary.counts[TextCodec.end] == 0


def test_unknown_symbols_are_one_id_and_still_told(pieces):
    letters, words = learn("char"), learn("word")
    assert letters.encode("éa").tolist()[0] == letters.unknown
    assert letters.decode([0, *letters.encode("a")]) == "\N{REPLACEMENT CHARACTER}a"
    ids = words.encode("he met Zoë.")
    assert [bool(n) for n in ids] == [True, False, False, True]
    assert words.decode(ids) == "he <UNK> <UNK>."
    assert list(words.split_all(["he met Zoë."])) == [words.split("he met Zoë.")] == [["he", "met", "Zoë", "."]]
    assert words.join(["he", "met", "Zoë", "."]) == "he met Zoë."
    assert words.missing("he met Zoë, met") == ["met", "Zoë"]
    assert pieces["bpe"].decode(pieces["bpe"].encode("a\ud800b")) == "a?b"


@pytest.mark.parametrize("level", LEVELS)
def test_a_text_ends_with_its_end(level):
    codec = learn(level, 300 if level == "subword" else None)
    ids = codec.encode("he, he")
    assert codec.decode([*ids, codec.end, *ids]) == "he, he"
    assert until_end([*ids, codec.end, *ids]).tolist() == until_end(ids).tolist() == ids.tolist()
    assert codec.strings([*ids[:1], codec.end])[1] == END
    assert codec.decode([]) == ""
    assert codec.encode("").shape == (0,)
    assert codec.encode("").dtype == ids.dtype == np.int64


def test_a_newline_is_an_end_in_lines_alone():
    text, whole = "ab\nb\n", TextCodec.learn(["ab\nb\n"], "char")
    assert whole.decode(whole.encode(text)) == text and whole.end not in whole.encode(text)
    line = lines("char", text)
    assert line.decode(line.encode(text)) == text and line.encode(text).tolist() == [3, 2, 1, 2, 1]
    assert line.strings([1, 2]) == ["\n", "b"]
    assert not line.could_be("\n") and whole.could_be("\n")


def test_the_most_frequent_symbols_are_known():
    words = learn("word", 4)
    assert (words.size, words.strings([2, 3])) == (4, [",", "là"])
    letters = learn("char", least=10)
    assert [bool(n) for n in letters.encode("a é3")] == [True, True, False, False]


@pytest.mark.parametrize("level", LEVELS)
def test_json_and_back(level):
    codec = learn(level, 300)
    again = TextCodec.from_json(stored(codec))
    assert again.size == codec.size
    assert (again.level, again.lines, again.to_json()) == (codec.level, codec.lines, codec.to_json())
    for text in SENTENCES:
        np.testing.assert_array_equal(again.encode(text), codec.encode(text))
        assert again.decode(again.encode(text)) == codec.decode(codec.encode(text))


@given(CHARACTERS, st.sampled_from(["char", "word", "event"]))
def test_json_and_back_of_lines(text, level):
    codec = lines(level, text)
    again = TextCodec.from_json(stored(codec))
    assert again == codec and again.vocabulary.counts == codec.vocabulary.counts
    assert again != TextCodec(level, codec.vocabulary)


@pytest.mark.parametrize(
    ("level", "options", "message"),
    [
        ("char", {"size": 2}, "must be at least 3, as it counts <UNK> and <EOS>, got 2"),
        ("subword", {"size": 200}, "room for the 256 bytes"),
        ("subword", {"subwords": "wordpiece"}, "must be one of bpe, unigram, got 'wordpiece'"),
    ],
)
def test_what_cannot_be_learnt_is_refused(level, options, message):
    with pytest.raises(ConfigError, match=message):
        learn(level, **options)


@pytest.mark.parametrize(
    ("level", "size", "named"), [("letter", None, "must be one of char, word, event, got 'letter'"), ("char", 2, "at least 3")]
)
def test_what_cannot_be_learnt_of_lines_is_refused(level, size, named):
    with pytest.raises(ConfigError, match=named):
        TextCodec.of_lines(level, {}, size)


def test_ids_outside_are_told():
    for codec in (learn("char"), lines("word", "a b"), learn("subword", 300)):
        for ids in ([-1, codec.size], [codec.size], [0, -1]):
            with pytest.raises(DataError, match=rf"must lie in 0..{codec.size - 1}, got {min(ids)}..{max(ids)}"):
                codec.decode(ids)


@given(CHARACTERS)
def test_characters_of_lines_come_back(text):
    codec = lines("char", text)
    ids = codec.encode(text)
    assert ids.dtype == np.int64 and len(ids) == len(text)
    assert codec.decode(ids) == text
    assert codec.missing(text) == []
    assert ids.tolist() == codec.look_up(text).tolist()


@given(st.text(st.sampled_from("ab é'’_1<>().,;!?\n\t\"“”[]漢-") | st.characters(exclude_categories=["Cs"]), max_size=60))
def test_words_survive_being_printed_and_read_again(text):
    codec = lines("word", text)
    ids = codec.encode(text)
    printed = codec.decode(ids)
    assert [codec.symbols[i] for i in ids] == [END if w == "\n" else w for w in split_words(text)]
    assert codec.encode(printed).tolist() == ids.tolist()


def test_characters_are_looked_up_one_by_one():
    codec = given_lines("char", "a", "é", "😀")
    assert codec.encode("a\né😀z漢").tolist() == [2, 1, 3, 4, 0, 0]
    assert codec.encode("az\n").tolist() == [2, 0, 1]
    assert codec.encode("").tolist() == []
    assert codec.encode("aé", codec.vocabulary.dtype).dtype == np.uint8
    assert codec.decode([2, 1, 0]) == "a\n\N{REPLACEMENT CHARACTER}"
    assert codec.missing("zaz\n漢") == ["z", "漢"]
    assert (codec.size, codec.unknown, codec.end) == (5, 0, 1)


def test_special_words_are_known_in_any_case_and_never_listed():
    codec = lines("word", "the <unk> cat <eos> <Unk> <N> \n the")
    assert codec.symbols == (UNKNOWN, END, "the", "<N>", "cat")
    assert codec.encode("<unk> <EOS> <uNk> <eos>\nthe dog").tolist() == [0, 1, 0, 1, 1, 2, 0]
    assert codec.missing("<unk> dog <eos>\n dog the") == ["dog"]


def test_words_are_printed_as_prose():
    text = "Yes, he (old) said: no!\nWhy? <UNK> “so”."
    codec = lines("word", text)
    assert codec.decode(codec.encode(text)) == text


def test_most_frequent_first_then_alphabetical_and_size_counts_all():
    counts = Counter({"b": 2, "c": 5, "a": 2, "\n": 100, "z": 0, "d": 1})
    assert TextCodec.of_lines("char", counts).symbols == (UNKNOWN, END, "c", "a", "b", "d")
    assert TextCodec.of_lines("char", counts, 4).symbols == (UNKNOWN, END, "c", "a")
    assert TextCodec.of_lines("char", counts, 99).size == 6


def test_counts_are_kept_with_the_rest_for_what_is_unknown():
    counts = Counter({"b": 2, "c": 5, "a": 2, "\n": 100, "z": 0, "d": 1})
    small = TextCodec.of_lines("char", counts, 4)
    assert small.vocabulary.counts == (3, 100, 5, 2)
    assert TextCodec.from_json(stored(small)).vocabulary.counts == (3, 100, 5, 2)
    words = TextCodec.of_lines("word", Counter({"a": 5, "<unk>": 2, "<UNK>": 1, "<eos>": 4, "\n": 3, "b": 1}), 3)
    assert (words.symbols, words.vocabulary.counts) == ((UNKNOWN, END, "a"), (4, 7, 5))
    bare = TextCodec.from_json({"level": "char", "lines": True, "symbols": ["c", "a"]})
    assert bare == small and bare.vocabulary.counts == () and bare.vocabulary.log_frequencies is None


def broken(level, symbols, *, lines=True, **more):
    return {"level": level, "lines": lines, "symbols": symbols, **more}


BROKEN = {
    "nothing": None,
    "a text": "",
    "a list": [],
    "an empty object": {},
    "a key too few": {"level": "char", "symbols": ["a"]},
    "a key too many": broken("char", ["a"], more=1),
    "unknown level": broken("byte", ["a"]),
    "level no string": broken(["char"], ["a"]),
    "counts too few": broken("char", {"names": ["a"], "counts": [1, 2]}),
    "counts below 0": broken("char", {"names": [], "counts": [1, -2]}),
    "counts that are none": broken("char", {"names": [], "counts": [1, "2"]}),
    "counts that are no list": broken("char", {"names": [], "counts": 3}),
    "counts beyond what can be counted": broken("char", {"names": [], "counts": [1, 2**63]}),
    "no list": broken("char", "abc"),
    "no names": broken("char", {"a": 1}),
    "no strings": broken("char", [3]),
    "twice": broken("char", ["a", "a"]),
    "two characters": broken("char", ["ab"]),
    "newline": broken("char", ["\n"]),
    "half a character": broken("char", ["\ud800"]),
    "a special symbol": broken("word", ["a", "<EOS>"], lines=False),
    "a special symbol first": broken("char", [UNKNOWN, END, "a"]),
    "two words": broken("word", ["a b"]),
    "special word again": broken("word", ["<eos>"]),
    "an activity with a blank before it": broken("event", [" a"]),
    "no activity": broken("event", [""]),
    "special activity": broken("event", ["<Unk>"]),
    "no subwords": broken("subword", ["a"], lines=False),
    "subwords that do not fit": broken("subword", {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}, lines=False),
}


@pytest.mark.parametrize("found", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_damaged_is_refused(found):
    with pytest.raises(RunError, match=r"run (knows .* is damaged or foreign|are damaged).*from a copy of the run"):
        TextCodec.from_json(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["level", "lines", "symbols", "names", "counts"]), inner, max_size=4)
    ),
)


@given(JSON | st.builds(broken, st.sampled_from([*LEVELS, EVENT]), JSON, lines=JSON))
def test_arbitrary_json_gives_a_codec_or_the_projects_error(found):
    with contextlib.suppress(RunError):
        assert TextCodec.from_json(found).encode("a b\n").min() >= 0


ACTIVITIES = st.text(st.sampled_from('ab "\\\n\t,é\u2028') | st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip)


@given(st.lists(ACTIVITIES.filter(lambda name: name and name.upper() not in TEXTS) | st.sampled_from([END, UNKNOWN])))
def test_activities_of_any_characters_survive_being_printed_and_read_again(names):
    codec = TextCodec.of_lines("event", Counter(names))
    ids = codec.look_up(names)
    assert [codec.symbols[i] for i in ids] == names
    assert codec.encode(codec.decode(ids)).tolist() == ids.tolist()
    assert TextCodec.from_json(stored(codec)) == codec


def test_activities_are_divided_by_blanks_and_quoted_where_they_have_some():
    codec = given_lines("event", "Close", "Take in charge", 'say"hi', '"', "a\nb", ".")
    text = 'Close "Take in charge" say"hi .\n"\\"" "a\\nb"\n\nClose <UNK>'
    assert codec.encode(text).tolist() == [2, 3, 4, 7, 1, 5, 6, 1, 1, 2, 0]
    assert codec.decode(codec.encode(text)) == text
    assert codec.encode('Close\t"Close"  " "Close"').tolist() == [2, 2, 5, 2]
    assert codec.missing('Close "Take up" "Take in charge" "') == ["Take up"]
