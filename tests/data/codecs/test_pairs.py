"""Both sides of pairs as ids, and what is copied from one to the other."""

import json

import pytest

from unrolled.data.codecs import PairCodec, TextCodec
from unrolled.data.examples import Example
from unrolled.errors import RunError


def pair(source, *targets):
    return Example("", text=source, texts=targets)


PAIRS = [pair("abc", "xy", "zzz"), pair("b", "x"), pair("cabca", "yz")]


@pytest.fixture
def codec():
    return PairCodec.learn(PAIRS, "char")


def test_sources_are_read_from_their_end_if_asked(codec):
    reverse = PairCodec.learn(PAIRS, "char", reverse_source=True)
    (ids,) = reverse.sources(["abc"])
    assert reverse.source.strings(ids) == ["c", "b", "a", "<EOS>"]
    (target,) = reverse.targets(["xy"])
    assert reverse.target.strings(target) == ["x", "y", "<EOS>"]
    assert [next(c.sources([""])).tolist() for c in (codec, reverse)] == [[TextCodec.end]] * 2


def test_a_shared_codec_knows_both_sides_and_is_stored_once():
    apart, shared = (PairCodec.learn(PAIRS, "char", shared=some) for some in (False, True))
    assert (apart.source.size, apart.target.size) == (5, 5)
    assert shared.source is shared.target
    assert shared.source.size == 8
    for codec in (apart, shared, PairCodec(apart.source, apart.target, reverse_source=True)):
        again = PairCodec.from_json(json.loads(json.dumps(codec.to_json())))
        assert again == codec and again.to_json() == codec.to_json()
        assert (again.source is again.target, again.reverse_source) == (codec is shared, codec.reverse_source)
        for text in ("abc", "zb"):
            assert [ids.tolist() for ids in again.sources([text])] == [ids.tolist() for ids in codec.sources([text])]
    assert shared.to_json()["target"] is None


def test_a_source_counts_as_often_as_it_has_targets():
    codec = PairCodec.learn([pair("a", "x", "y", "z"), pair("bb", "w")], "char", size=3)
    assert codec.source.symbols[2:] == ("a",)


def test_what_is_asked_of_texts_holds_for_both_sides():
    few = PairCodec.learn(PAIRS, "char", size=3)
    assert (few.source.size, few.target.size) == (3, 3)
    often = PairCodec.learn(PAIRS, "char", least=3)
    assert (set(often.source.vocabulary.names), set(often.target.vocabulary.names)) == ({"a", "b", "c"}, {"z"})


def test_pairs_without_targets_teach_nothing():
    codec = PairCodec.learn([*PAIRS, Example("", text="never")], "char")
    assert codec == PairCodec.learn(PAIRS, "char")


SIDE = {"level": "char", "lines": False, "symbols": ["a"]}


@pytest.mark.parametrize(
    "found",
    [
        "",
        [],
        None,
        {"source": 1},
        {"source": {}, "target": None, "reverse_source": False},
        {"source": SIDE, "target": 3, "reverse_source": False},
        {"source": SIDE, "target": SIDE, "reverse_source": False, "more": 1},
    ],
)
def test_what_is_damaged_is_told(found):
    with pytest.raises(RunError, match="damaged or foreign"):
        PairCodec.from_json(found)


WORDS = [pair("he met her", "il la vit"), pair("Tom met Ann", "Tom vit Ann")]


@pytest.mark.parametrize("reverse", [False, True])
def test_what_the_target_does_not_know_is_copied_from_the_source(reverse):
    codec = PairCodec.learn(WORDS, "word", reverse_source=reverse)
    source = "Zoë met Tom, Zoë <EOS> Lee"
    (copies,), (read,) = codec.copies([source]), codec.read([source])
    v = codec.target.size
    if reverse:
        read = read[::-1]
        copies = [*copies[-2::-1], copies[-1]]
        places = {"Zoë": 2, "met": 5, ",": 3, "<EOS>": 1, "Lee": 0}
    else:
        places = {"Zoë": 0, "met": 1, ",": 3, "<EOS>": 5, "Lee": 6}
    (tom,) = codec.target.encode("Tom")
    assert read == ["Zoë", "met", "Tom", ",", "Zoë", "<EOS>", "Lee"]
    assert list(copies) == [tom if word == "Tom" else v + places[word] for word in read] + [TextCodec.end]
    target = "Lee vit Zoë <EOS>, Max"
    (ids,) = codec.copying_targets([target], [source])
    (vit,) = codec.target.encode("vit")
    assert ids.tolist() == [v + places["Lee"], vit, v + places["Zoë"], v + places["<EOS>"], v + places[","], 0, TextCodec.end]
    assert codec.write(ids, source) == "Lee vit Zoë <EOS>, <UNK>"
    assert codec.written(ids, source) == ["Lee", "vit", "Zoë", "<EOS>", ",", "<UNK>", "<EOS>"]


@pytest.mark.parametrize("level", ["char", "word", "subword"])
def test_what_is_written_without_copies_is_what_is_decoded(level):
    codec = PairCodec.learn(WORDS, level)
    (ids,) = codec.targets(["il vit Ann"])
    assert codec.write([*ids, *ids], "he met Ann") == codec.target.decode(ids) == "il vit Ann"
    assert codec.write([], "") == ""
