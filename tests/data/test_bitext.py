"""Pairs as ids and in batches."""

import numpy as np
import pytest
import torch

from unrolled.data import columns
from unrolled.data.bitext import Bitext
from unrolled.data.codecs import PairCodec
from unrolled.data.examples import Example


def pair(source, *targets):
    return Example("", text=source, texts=targets)


PAIRS = [pair("abc", "xy", "zzz"), pair("b", "x"), pair("cabca", "yz")]


@pytest.fixture
def codec():
    return PairCodec.learn(PAIRS, "char")


def read(side, ids, lengths, row):
    return side.strings(ids[: lengths[row], row])


def test_a_batch_has_each_pair_with_its_end_and_nothing_beyond(codec):
    bitext = Bitext(PAIRS, codec)
    assert len(bitext) == 4
    assert bitext.pair_of.tolist() == [0, 0, 1, 2]
    assert (bitext.source_lengths.tolist(), bitext.target_lengths.tolist()) == ([4, 4, 2, 6], [3, 4, 2, 3])
    batch = bitext.batch(np.array([3, 1, 2]))
    wanted = [("cabca", "yz"), ("abc", "zzz"), ("b", "x")]
    for row, (source, target) in enumerate(wanted):
        assert read(codec.source, batch["words"], batch.lengths, row) == [*source, "<EOS>"]
        assert read(codec.target, batch.targets, batch.target_lengths, row) == [*target, "<EOS>"]
        assert not batch["words"][batch.lengths[row] :, row].any()
        assert not batch.targets[batch.target_lengths[row] :, row].any()
    assert (batch.shape, batch.targets.shape, [*batch.fields], batch.resets) == ((6, 3), (4, 3), ["words"], None)
    assert {t.dtype for t in (batch["words"], batch.lengths, batch.targets, batch.target_lengths)} == {torch.int64}


def test_copies_stand_beside_their_sources():
    codec = PairCodec.learn([pair("abc", "ab")], "char")
    batch = Bitext([pair("cbc", "bc", "a"), pair("dd", "d")], codec, copy=True).batch(np.array([2, 0, 1]))
    v = codec.target.size
    a, b = codec.target.encode("ab").tolist()
    assert [*batch.fields] == ["words", "copies"] and batch["copies"].dtype == torch.int64
    assert batch["copies"].T.tolist() == [[v, v, 1, 0], [v, b, v, 1], [v, b, v, 1]]
    assert batch["words"].T.tolist() == [[0, 0, 1, 0], [*codec.source.encode("cbc"), 1], [*codec.source.encode("cbc"), 1]]
    assert batch.targets.T.tolist() == [[v, 1, 0], [b, v, 1], [a, 1, 0]]


def test_every_pair_is_in_one_batch_the_same_for_a_seed_and_an_epoch(codec):
    rng = np.random.default_rng(4)
    sizes = rng.integers(4, 40, 101)[:, None] + rng.integers(-3, 4, (101, 2))
    texts = [["".join(rng.choice(list("abc"), n)) for n in both] for both in sizes.tolist()]
    bitext = Bitext([pair(*both) for both in texts], codec)
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
def test_batches_are_alike_on_either_side(codec, side):
    lengths = np.random.default_rng(6).integers(1, 60, 200).tolist()
    bitext = Bitext([pair(*(("a" * n, "x"), ("a", "x" * n))[side]) for n in lengths], codec)
    found = (bitext.source_lengths, bitext.target_lengths)[side]
    padded = [sum(len(batch) * found[batch].max() for batch in order) for order in (bitext.order(8), np.arange(200).reshape(-1, 8))]
    assert padded[0] < 1.3 * found.sum() < padded[1]


def test_no_pairs_are_no_batches(codec):
    assert Bitext([], codec).order(3) == []


def test_pairs_in_a_file_are_those_in_memory(monkeypatch, codec):
    held = Bitext(PAIRS, codec, copy=True)
    monkeypatch.setattr(columns, "IN_MEMORY", 8)
    laid = Bitext(PAIRS, codec, copy=True)
    assert isinstance(laid.targets.elements, columns.Mapped) and isinstance(held.targets.elements, columns.InMemory)
    one, other = (bitext.batch(np.array([3, 0, 2])) for bitext in (held, laid))
    for name in ("words", "copies"):
        assert torch.equal(one[name], other[name])
    assert torch.equal(one.targets, other.targets)
    assert torch.equal(one.target_lengths, other.target_lengths)
