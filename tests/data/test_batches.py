import numpy as np

from unrolled.data.batches import by_length, evenly


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


def test_some_but_not_all_are_held_out():
    chance = np.random.default_rng(0)
    for count, share, wanted in ((10, 0.25, 2), (2, 0.01, 1), (2, 0.99, 1), (7, 0.0, 0), (9, 1, 1), (9, 4, 4), (9, 9, 8)):
        learnt, held = evenly(np.arange(count), share, chance)
        assert len(held) == wanted
        assert sorted([*learnt, *held]) == list(range(count))
