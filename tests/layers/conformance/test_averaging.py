"""Averages of weights: `swa_utils.AveragedModel`, state dicts, vectors."""

import copy

import pytest
import torch
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn, get_swa_multi_avg_fn, update_bn

from pairs import assert_same, descend, flat, gradients, parameters_of

WAYS = {
    "equal": dict,
    "many at once": lambda: {"multi_avg_fn": get_swa_multi_avg_fn()},
    "decaying": lambda: {"avg_fn": get_ema_avg_fn(0.8)},
    "decaying, many at once": lambda: {"multi_avg_fn": get_ema_multi_avg_fn(0.8)},
    "with buffers": lambda: {"use_buffers": True},
}


def averaged(layer, x, **options):
    average = AveragedModel(layer, **options)
    for _ in range(3):
        descend(layer, x)
        average.update_parameters(layer)
    return average


def check(pair, way):
    averages = [averaged(layer, pair.x, **WAYS[way]()) for layer in pair.both]
    assert list(averages[0].state_dict()) == list(averages[1].state_dict())
    assert_same(*(dict(a.state_dict()) for a in averages))
    assert_same(*(gradients(a, pair.x) for a in averages))
    assert_same(*map(parameters_of, pair.both))
    assert not torch.allclose(averages[0].module.weight_hh_l0, pair.ours.weight_hh_l0)


def test_averaged_models(pair):
    check(pair, "equal")


@pytest.mark.parametrize("way", WAYS)
def test_averaged_models_in_every_way(one_pair, way):
    check(one_pair, way)


def test_an_average_of_many_steps_is_their_mean(pair):
    average, seen = AveragedModel(pair.ours), []
    for _ in range(3):
        descend(pair.ours, pair.x)
        average(pair.x)
        average.update_parameters(pair.ours)
        seen.append(parameters_of(pair.ours))
    mean = {name: sum(s[name] for s in seen) / 3 for name in seen[0]}
    assert_same(parameters_of(average.module), mean)
    pair.theirs.load_state_dict(mean)
    assert_same(flat(average(pair.x)), flat(pair.theirs(pair.x)))


def test_an_average_can_be_saved_and_loaded(one_pair):
    states = [averaged(layer, one_pair.x).state_dict() for layer in one_pair.both]
    for layer, state in zip(one_pair.both, states[::-1], strict=True):
        other = AveragedModel(layer)
        other.load_state_dict(state)
        assert int(other.n_averaged) == 3
        assert_same(dict(other.state_dict()), dict(states[1]))


def test_update_bn_has_nothing_to_do(one_pair):
    average = averaged(one_pair.ours, one_pair.x)
    before = parameters_of(average)
    update_bn([one_pair.x], average)
    assert_same(parameters_of(average), before)


def test_the_mean_of_state_dicts(pair):
    found = []
    for layer in pair.both:
        workers = [copy.deepcopy(layer) for _ in range(3)]
        for n, worker in enumerate(workers):
            for _ in range(n):
                descend(worker, pair.x)
        states = [worker.state_dict() for worker in workers]
        layer.load_state_dict({name: torch.stack([s[name] for s in states]).mean(0) for name in states[0]})
        found.append([dict(layer.state_dict()), gradients(layer, pair.x)])
    assert_same(found[0][0], found[1][0])
    assert_same(found[0][1], found[1][1])


def test_a_state_dict_shows_what_is_learnt_and_can_be_written_to(pair):
    found = []
    for layer in pair.both:
        state = layer.state_dict()
        before = {name: t.clone() for name, t in state.items()}
        descend(layer, pair.x)
        assert not torch.equal(state["weight_hh_l0"], before["weight_hh_l0"])
        for name, t in state.items():
            t.lerp_(before[name], 0.5)
        found.append(gradients(layer, pair.x))
    assert_same(*found)


def test_a_decaying_average_in_place_by_hand(pair):
    found = []
    for layer in pair.both:
        slow = copy.deepcopy(layer).requires_grad_(False)
        for _ in range(3):
            descend(layer, pair.x)
            for p, q in zip(slow.parameters(), layer.parameters(), strict=True):
                p.data.mul_(0.9).add_(q.data, alpha=0.1)
        found.append([*flat(slow(pair.x)), *parameters_of(slow).values()])
    assert_same(*found)


def test_parameters_as_one_vector_and_back(pair):
    vector = parameters_to_vector(pair.theirs.parameters()).detach()
    assert_same(parameters_to_vector(pair.ours.parameters()).detach(), vector)
    pair.ours(pair.x)
    for layer in pair.both:
        vector_to_parameters(0.5 * vector, layer.parameters())
    assert_same(gradients(pair.ours, pair.x), gradients(pair.theirs, pair.x))
    for layer in pair.both:
        descend(layer, pair.x)
    assert_same(*map(parameters_of, pair.both))


def test_data_that_is_exchanged(pair):
    for layer in pair.both:
        layer(pair.x)
        for p in layer.parameters():
            p.data = torch.stack([0.5 * p.data, p.data], -1)[..., 0]
    assert_same(gradients(pair.ours, pair.x), gradients(pair.theirs, pair.x))
