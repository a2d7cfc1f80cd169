"""Both sides of pairs as ids, and what is copied from one to the other."""

import pytest

from unrolled.data.coding import Coding, CodingOptions
from unrolled.data.pairs import Codings, Pair
from unrolled.errors import RunError

PAIRS = [Pair("1", "abc", ("xy", "zzz")), Pair("2", "b", ("x",)), Pair("3", "cabca", ("yz",))]


@pytest.fixture
def codings():
    return Codings.learn(PAIRS, CodingOptions(level="char"))


def test_sources_are_read_from_their_end_if_asked(codings):
    reverse = Codings.learn(PAIRS, CodingOptions(level="char", reverse_source=True))
    (ids,) = reverse.sources(["abc"])
    assert reverse.source.names(ids) == ["c", "b", "a", "<EOS>"]
    (target,) = reverse.targets(["xy"])
    assert reverse.target.names(target) == ["x", "y", "<EOS>"]
    assert [next(c.sources([""])).tolist() for c in (codings, reverse)] == [[Coding.end]] * 2


def test_a_shared_coding_knows_both_sides_and_is_stored_once():
    apart, shared = (Codings.learn(PAIRS, CodingOptions(level="char"), shared=some) for some in (False, True))
    assert (apart.source.size, apart.target.size) == (5, 5)
    assert shared.source is shared.target
    assert shared.source.size == 8
    for codings in (apart, shared, Codings(apart.source, apart.target, reverse_source=True)):
        again = Codings.from_json(codings.to_json())
        assert again.to_json() == codings.to_json()
        assert (again.source is again.target, again.reverse_source) == (codings is shared, codings.reverse_source)
        for text in ("abc", "zb"):
            assert [ids.tolist() for ids in again.sources([text])] == [ids.tolist() for ids in codings.sources([text])]


@pytest.mark.parametrize("text", ["", "[]", '{"source": 1}', '{"source": {}, "target": null, "reverse_source": false}'])
def test_damaged_codings_are_told(text):
    with pytest.raises(RunError, match="damaged"):
        Codings.from_json(text)


WORDS = [Pair("1", "he met her", ("il la vit",)), Pair("2", "Tom met Ann", ("Tom vit Ann",))]


@pytest.mark.parametrize("reverse", [False, True])
def test_what_the_target_does_not_know_is_copied_from_the_source(reverse):
    codings = Codings.learn(WORDS, CodingOptions(level="word", reverse_source=reverse))
    source = "Zoë met Tom, Zoë <EOS> Lee"
    (copies,), (read,) = codings.copies([source]), codings.read([source])
    v = codings.target.size
    if reverse:
        read = read[::-1]
        copies = [*copies[-2::-1], copies[-1]]
        places = {"Zoë": 2, "met": 5, ",": 3, "<EOS>": 1, "Lee": 0}
    else:
        places = {"Zoë": 0, "met": 1, ",": 3, "<EOS>": 5, "Lee": 6}
    (tom,) = codings.target.encode("Tom")
    assert read == ["Zoë", "met", "Tom", ",", "Zoë", "<EOS>", "Lee"]
    assert list(copies) == [tom if word == "Tom" else v + places[word] for word in read] + [Coding.end]
    target = "Lee vit Zoë <EOS>, Max"
    (ids,) = codings.copying_targets([target], [source])
    (vit,) = codings.target.encode("vit")
    assert ids.tolist() == [v + places["Lee"], vit, v + places["Zoë"], v + places["<EOS>"], v + places[","], 0, Coding.end]
    assert codings.write(ids, source) == "Lee vit Zoë <EOS>, <UNK>"


@pytest.mark.parametrize("level", ["char", "word", "subword"])
def test_what_is_written_without_copies_is_what_is_decoded(level):
    codings = Codings.learn(WORDS, CodingOptions(level=level))
    (ids,) = codings.targets(["il vit Ann"])
    assert codings.write([*ids, *ids], "he met Ann") == codings.target.decode(ids) == "il vit Ann"
    assert codings.write([], "") == ""
