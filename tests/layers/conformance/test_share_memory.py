"""`share_memory`: what one process writes into a layer, all others see."""

import pytest
import torch
from torch import nn

from pairs import assert_same, descend, flat, gradients, keep, kept_results, load_state, parameters_of

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def test_all_parameters_are_shared_and_compute_as_before(pair):
    wanted = gradients(pair.theirs, pair.x)
    pair.ours(pair.x)
    assert pair.ours.share_memory() is pair.ours
    assert all(p.is_shared() for p in pair.ours.parameters())
    assert all(t.is_shared() for t in pair.ours.state_dict().values())
    assert_same(gradients(pair.ours, pair.x), wanted)


def test_a_spawned_child_that_learns_is_seen(pair, spawned):
    found = []
    for layer in pair.both:
        before = flat(layer(pair.x))
        layer.share_memory()
        spawned(descend, layer, pair.x)
        found.append([parameters_of(layer), gradients(layer, pair.x)])
        assert not torch.allclose(found[-1][1][0][0], before[0])
    assert_same(found[0][0], found[1][0])
    assert_same(found[0][1], found[1][1])


def test_a_spawned_child_sees_what_is_written_here(pair, spawned):
    found = []
    for layer in pair.both:
        spawned(keep, layer.share_memory())
        before = spawned(kept_results, pair.x)
        descend(layer, pair.x)
        after = spawned(kept_results, pair.x)
        assert_same(after, [t.detach() for t in flat(layer(pair.x))])
        found.append([before, after])
        assert not torch.allclose(before[0], after[0])
    assert_same(found[0][0], found[1][0])
    assert_same(found[0][1], found[1][1])


def test_a_spawned_child_that_loads_a_state_is_seen(one_pair, spawned):
    state = {name: 0.5 * t for name, t in one_pair.theirs.state_dict().items()}
    for layer in one_pair.both:
        spawned(load_state, layer.share_memory(), state)
        assert_same(dict(layer.state_dict()), state)
    assert_same(gradients(one_pair.ours, one_pair.x), gradients(one_pair.theirs, one_pair.x))


def test_a_forked_child_that_learns_is_seen(one_pair, forked):
    one_pair.ours.share_memory()
    forked(descend, one_pair.ours, one_pair.x)
    descend(one_pair.theirs, one_pair.x)
    assert_same(parameters_of(one_pair.ours), parameters_of(one_pair.theirs))
    assert_same(gradients(one_pair.ours, one_pair.x), gradients(one_pair.theirs, one_pair.x))


def test_inside_a_model(one_pair, spawned):
    model = nn.ModuleDict({"encoder": one_pair.ours}).share_memory()
    spawned(descend, model["encoder"], one_pair.x)
    descend(one_pair.theirs, one_pair.x)
    assert_same(parameters_of(one_pair.ours), parameters_of(one_pair.theirs))
