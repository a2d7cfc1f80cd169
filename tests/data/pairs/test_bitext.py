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
    return Codings.learn(PAIRS, CodingOptions(level="char"))


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
    codings = Codings.learn([Pair("", "abc", ("ab",))], CodingOptions(level="char"))
    batch = Bitext([Pair("", "cbc", ("bc", "a")), Pair("", "dd", ("d",))], codings, copy=True).batch(np.array([2, 0, 1]))
    assert batch.copies is not None
    v = codings.target.size
    a, b = codings.target.encode("ab").tolist()
    assert batch.copies.T.tolist() == [[v, v, 1, 0], [v, b, v, 1], [v, b, v, 1]]
    assert batch.target.T.tolist() == [[v, 1, 0], [b, v, 1], [a, 1, 0]]


def test_every_pair_is_in_one_batch_the_same_for_a_seed_and_an_epoch(codings):
    rng = np.random.default_rng(4)
    sizes = rng.integers(4, 40, 101)[:, None] + rng.integers(-3, 4, (101, 2))
    texts = [["".join(rng.choice(list("abc"), n)) for n in both] for both in sizes.tolist()]
    bitext = Bitext([Pair("", source, (target,)) for source, target in texts], codings)
    orders = [bitext.order(8, np.random.default_rng(key)) for key in ([1, 1], [1, 1], [1, 2], [2, 1])]
    plain = [[batch.tolist() for batch in order] for order in (*orders, bitext.order(8))]
    assert plain[0] == plain[1]
    assert len({str(order) for order in plain}) == 4
    assert len({str(sorted(sorted(batch) for batch in order)) for order in plain}) == 4, "batches have other pairs, not only another order"
    lengths = np.stack([bitext.source_lengths, bitext.target_lengths])
    for order in plain:
        padded = sum(len(batch) * lengths[:, batch].max(1).sum() for batch in order)
        assert padded < 1.3 * lengths.sum()
        assert sorted(i for batch in order for i in batch) == list(range(101))
        assert len(order) == 13


@pytest.mark.parametrize("side", [0, 1])
def test_batches_are_alike_on_either_side(codings, side):
    lengths = np.random.default_rng(6).integers(1, 60, 200).tolist()
    bitext = Bitext([Pair("", *((("a" * n, ("x",)), ("a", ("x" * n,)))[side])) for n in lengths], codings)
    found = (bitext.source_lengths, bitext.target_lengths)[side]
    padded = [sum(len(batch) * found[batch].max() for batch in order) for order in (bitext.order(8), np.arange(200).reshape(-1, 8))]
    assert padded[0] < 1.3 * found.sum() < padded[1]


def test_no_pairs_are_no_batches(codings):
    assert Bitext([], codings).order(3) == []
