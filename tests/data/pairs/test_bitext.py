"""Pairs as ids and in batches."""

import numpy as np
import pytest
import torch

from unrolled.data.coding import CodingOptions
from unrolled.data.pairs import Codings, Pair
from unrolled.data.pairs.bitext import Bitext

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
        assert not batch.source[batch.source_lengths[row] :, row].any()
        assert not batch.target[batch.target_lengths[row] :, row].any()
    assert (batch.source.shape, batch.target.shape, batch.copies) == ((6, 3), (4, 3), None)
    assert {t.dtype for t in vars(batch).values() if t is not None} == {torch.int64}


def test_copies_stand_beside_their_sources():
    codings = Codings.learn([Pair("", "abc", ("ab",))], CodingOptions())
    batch = Bitext([Pair("", "cbc", ("bc",)), Pair("", "a", ("b",))], codings, copy=True).batch(np.array([1, 0]))
    assert batch.copies is not None
    v = codings.target.size
    a, b = codings.target.encode("ab").tolist()
    assert batch.copies.T.tolist() == [[a, 1, 0, 0], [v, b, v, 1]]
    assert batch.target.T.tolist() == [[b, 1, 0], [b, v, 1]]


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


def test_no_pairs_are_no_batches(codings):
    assert Bitext([], codings).order(3) == []
