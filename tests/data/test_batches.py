"""Batches: what stands side by side, and which sequences come together."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from unrolled.data.batches import Batch, Spellings, by_length, by_two_lengths, evenly, in_batches, padded, side_by_side


def test_every_sequence_is_in_one_batch_of_its_like_in_every_epoch():
    rng = np.random.default_rng(5)
    lengths, which = rng.integers(1, 60, 103), np.flatnonzero(rng.random(103) < 0.8)
    seen = []
    for chance in (None, np.random.default_rng(1), np.random.default_rng(2)):
        batches = by_length(lengths, which, 8, chance)
        assert len(batches) == -(-len(which) // 8)
        assert sorted(np.concatenate(batches).tolist()) == which.tolist()
        padded = sum(len(b) * lengths[b].max() for b in batches)
        assert padded < 1.3 * lengths[which].sum()
        seen.append([b.tolist() for b in batches])
    assert seen[1] != seen[2]


def test_batches_are_larger_where_sequences_are_short():
    rng = np.random.default_rng(6)
    for longest, size in ((9, 256), (16, 256), (32, 128), (10_000, 64)):
        lengths = np.where(rng.random(2000) < 0.5, longest, rng.integers(0, longest, 2000))
        which = np.flatnonzero(rng.random(2000) < 0.9)
        batches = side_by_side(lengths, which)
        assert sorted(np.concatenate(batches).tolist()) == which.tolist()
        assert all(lengths[one].min() >= lengths[other].max() for one, other in pairwise(batches))
        assert all(len(batch) <= 256 and len(batch) * lengths[batch].max() <= max(4096, 64 * longest) for batch in batches)
        assert len(batches[0]) == size
    assert side_by_side(lengths, which[:0]) == []


def test_some_but_not_all_are_held_out():
    chance = np.random.default_rng(0)
    for count, share, wanted in ((10, 0.25, 2), (2, 0.01, 1), (2, 0.99, 1), (7, 0.0, 0), (9, 1, 1), (9, 4, 4), (9, 9, 8)):
        learnt, held = evenly(np.arange(count), share, chance)
        assert len(held) == wanted
        assert sorted([*learnt, *held]) == list(range(count))


def test_batches_of_pairs_have_each_pair_once():
    rng = np.random.default_rng(7)
    source = rng.integers(1, 40, 90)
    target = source + rng.integers(0, 4, 90)
    for chance in (None, np.random.default_rng(3)):
        batches = by_two_lengths(source, target, 8, chance)
        assert sorted(np.concatenate(batches).tolist()) == list(range(90))
        assert sum(len(b) * (source[b].max() + target[b].max()) for b in batches) < 1.3 * (source.sum() + target.sum())


def test_only_the_order_of_batches_is_left_to_chance():
    order = np.arange(10)[::-1]
    plain = [batch.tolist() for batch in in_batches(order, 4)]
    assert plain == [[9, 8, 7, 6], [5, 4, 3, 2], [1, 0]]
    orders = [[batch.tolist() for batch in in_batches(order, 4, np.random.default_rng(seed))] for seed in range(20)]
    assert all(sorted(found) == sorted(plain) for found in orders)
    assert len({str(found) for found in orders}) == 6


@pytest.mark.parametrize("shape", [(), (3,)])
def test_padded_steps_stand_in_columns_with_nothing_past_their_ends(shape):
    flat = np.arange(1, 1 + 6 * (3 if shape else 1)).reshape(6, *shape)
    found = padded(flat, np.array([2, 0, 4]))
    assert (found.shape, found.dtype) == ((4, 3, *shape), torch.int64)
    assert torch.equal(found[:2, 0], torch.from_numpy(flat[:2]))
    assert torch.equal(found[:, 2], torch.from_numpy(flat[2:]))
    assert not found[2:, 0].any() and not found[:, 1].any()
    assert padded(flat[:0], np.array([0, 0])).shape == (0, 2, *shape)


def test_a_batch_is_the_same_elsewhere():
    spellings = Spellings(torch.ones(3, 5, dtype=torch.int64), torch.ones(5, dtype=torch.int64), torch.zeros(4, 2, dtype=torch.int64))
    full = Batch({"spellings": spellings, "numbers": torch.zeros(4, 2, 7)}, *(torch.ones(2) for _ in range(3)), resets=torch.zeros(4, 2))
    for batch in (full, Batch({"words": torch.zeros(4, 2)})):
        moved = batch.to("meta")
        assert moved.shape == batch.shape == (4, 2)
        assert moved.fields.keys() == batch.fields.keys()
        for name in ("lengths", "targets", "target_lengths", "resets"):
            part, there = getattr(batch, name), getattr(moved, name)
            assert (part is None and there is None) or (part.shape == there.shape and there.device.type == "meta")
        parts = [*moved.fields.values()]
        tensors = [t for part in parts for t in (vars(part).values() if isinstance(part, Spellings) else [part])]
        assert {t.device.type for t in tensors} == {"meta"}
    assert full["numbers"].shape == (4, 2, 7)
    with pytest.raises(KeyError):
        full["words"]
