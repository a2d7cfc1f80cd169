"""Pairs as ids and in batches."""

import numpy as np
import pytest
import torch

from unrolled.data.coding import Coding, CodingOptions
from unrolled.data.pairs import Pair
from unrolled.data.pairs.bitext import Bitext, Codings
from unrolled.errors import RunError

PAIRS = [Pair("1", "abc", ("xy", "zzz")), Pair("2", "b", ("x",)), Pair("3", "cabca", ("yz",))]


@pytest.fixture
def codings():
    return Codings.learn(PAIRS, CodingOptions())


def read(coding, ids, lengths, row):
    return coding.names(ids[: lengths[row], row])


def test_a_batch_has_each_pair_with_its_end_and_nothing_beyond(codings):
    bitext = Bitext(PAIRS, codings)
    assert len(bitext) == 4
    assert bitext.pair_of.tolist() == [0, 0, 1, 2]
    assert (bitext.source_lengths.tolist(), bitext.target_lengths.tolist()) == ([4, 4, 2, 6], [3, 4, 2, 3])
    batch = bitext.batch(np.array([3, 1, 2]))
    wanted = [("cabca", "yz"), ("abc", "zzz"), ("b", "x")]
    for row, (source, target) in enumerate(wanted):
        assert read(codings.source, batch.source, batch.source_lengths, row) == [*source, "<EOS>"]
        assert read(codings.target, batch.target, batch.target_lengths, row) == [*target, "<EOS>"]
        assert read(codings.target, batch.given, batch.target_lengths, row) == ["<BOS>", *target]
        assert not batch.source[batch.source_lengths[row] :, row].any()
        assert not batch.target[batch.target_lengths[row] :, row].any()
    assert (batch.source.shape, batch.target.shape, batch.given.shape) == ((6, 3), (4, 3), (4, 3))
    assert {t.dtype for t in vars(batch).values()} == {torch.int64}
    moved = batch.to(torch.device("meta"))
    assert (moved.source.device.type, moved.source_lengths.device.type) == ("meta", "cpu")


def test_sources_are_read_from_their_end_if_asked(codings):
    reverse = Codings.learn(PAIRS, CodingOptions(reverse_source=True))
    (ids,) = reverse.sources(["abc"])
    assert reverse.source.names(ids) == ["c", "b", "a", "<EOS>"]
    (target,) = reverse.targets(["xy"])
    assert reverse.target.names(target) == ["x", "y", "<EOS>"]
    assert [next(c.sources([""])).tolist() for c in (codings, reverse)] == [[Coding.end]] * 2


def test_every_pair_is_in_one_batch_the_same_for_a_seed_and_an_epoch(codings):
    rng = np.random.default_rng(4)
    texts = ["".join(rng.choice(list("abc"), n)) for n in rng.integers(1, 40, 2 * 101)]
    bitext = Bitext([Pair("", *pair) for pair in zip(texts[::2], ((text,) for text in texts[1::2]), strict=True)], codings)
    orders = [bitext.order(8, np.random.default_rng(key)) for key in ([1, 1], [1, 1], [1, 2], [2, 1])]
    plain = [[batch.tolist() for batch in order] for order in (*orders, bitext.order(8))]
    assert plain[0] == plain[1]
    assert len({str(order) for order in plain}) == 4
    for order in plain:
        assert sorted(i for batch in order for i in batch) == list(range(101))
        assert len(order) == 13


def test_a_shared_coding_knows_both_sides_and_is_stored_once():
    apart, shared = (Codings.learn(PAIRS, CodingOptions(shared=some)) for some in (False, True))
    assert (apart.source.size, apart.target.size) == (6, 6)
    assert shared.source is shared.target
    assert shared.source.size == 9
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


def test_no_pairs_are_no_batches(codings):
    assert Bitext([], codings).order(3) == []
