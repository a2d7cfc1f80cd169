"""`copy`, `deepcopy`, pickle and torch.save."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.func import functional_call

from pairs import assert_same, gradients, loss_of, make_pair


def saved(layer):
    torch.save(layer, buffer := io.BytesIO())
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda layer: pickle.loads(pickle.dumps(layer)),
    "old pickle": lambda layer: pickle.loads(pickle.dumps(layer, protocol=2)),
    "save": saved,
}
apart = pytest.mark.parametrize("way", COPIES)


def check(pair, way):
    wanted = gradients(pair.theirs, pair.x)
    gradients(pair.ours, pair.x)
    other = COPIES[way](pair.ours)
    assert type(other) is type(pair.ours)
    assert repr(other) == repr(pair.ours)
    assert_same(gradients(other, pair.x), wanted)
    with torch.no_grad():
        for p in other.parameters():
            p.zero_()
    assert not other(pair.x)[0].any()
    assert_same(gradients(pair.ours, pair.x), wanted)


def test_a_deep_copy_computes_the_same_and_stands_alone(pair):
    check(pair, "deepcopy")


@apart
def test_a_copy_of_every_kind_computes_the_same_and_stands_alone(one_pair, way):
    check(one_pair, way)


@apart
def test_parameters_of_a_copy_have_memory_of_their_own(one_pair, way):
    layers = [*one_pair.both, *(COPIES[way](layer) for layer in one_pair.both)]
    places = [p.data_ptr() for layer in layers for p in layer.parameters()]
    assert len(set(places)) == len(places)
    for ours, theirs in (layers[:2], layers[2:]):
        assert [(n, p.requires_grad, p.grad is None) for n, p in ours.named_parameters()] == [
            (n, p.requires_grad, p.grad is None) for n, p in theirs.named_parameters()
        ]


@apart
def test_what_was_set_goes_along(kind, way):
    for layer in make_pair(kind, layers=2, dropout=0.25, batch_first=True, bias=False).both:
        layer.weight_hh_l0.requires_grad_(False)
        layer.note = {"any": "thing"}
        other = COPIES[way](layer.eval())
        assert (other.training, other.dropout, other.batch_first, other.bias, other.note) == (False, 0.25, True, False, {"any": "thing"})
        assert [p.requires_grad for p in other.parameters()] == [p.requires_grad for p in layer.parameters()]


@apart
def test_hooks_go_along(one_pair, way):
    for layer in one_pair.both:
        layer.register_forward_hook(twice)
        assert_same(COPIES[way](layer)(one_pair.x), layer(one_pair.x))


def twice(module, given, result):
    return 2 * result[0], result[1]


def test_deepcopy_takes_gradients_and_shared_layers_as_torch_does(pair):
    found = []
    for layer in pair.both:
        gradients(layer, pair.x)
        model = copy.deepcopy(nn.ModuleList([layer, layer]))
        assert model[0] is model[1]
        found.append([None if p.grad is None else p.grad.clone() for p in model[0].parameters()])
    assert [g is None for g in found[0]] == [g is None for g in found[1]]
    assert_same(*([g for g in each if g is not None] or [torch.zeros(())] for each in found))


def test_a_copy_between_forward_and_backward_disturbs_neither(pair):
    wanted = gradients(pair.theirs, pair.x)
    x = pair.x.clone().requires_grad_()
    value = loss_of(pair.ours(x))
    other = copy.deepcopy(pair.ours)
    with torch.no_grad():
        for p in other.parameters():
            p.mul_(2)
    loss_of(other(pair.x)).backward()
    value.backward()
    assert_same(x.grad, wanted[1])
    assert_same({name: p.grad for name, p in pair.ours.named_parameters()}, wanted[2])


def test_a_shallow_copy_shares_what_torchs_shares(pair):
    found = []
    for layer in pair.both:
        layer(pair.x)
        other = copy.copy(layer)
        assert all(a is b for a, b in zip(other.parameters(), layer.parameters(), strict=True))
        with torch.no_grad():
            other.weight_hh_l0.mul_(0.5)
            other.bias_ih_l0.add_(1)
        found.append([layer(pair.x), other(pair.x)])
        assert_same(*found[-1])
    assert_same(*found)


def test_a_shallow_copy_can_be_given_other_weights(pair):
    before = pair.ours(pair.x)
    other = copy.copy(pair.ours)
    other._parameters = dict(pair.ours._parameters)
    other.weight_hh_l0 = nn.Parameter(pair.ours.weight_hh_l0.detach() * 0.5)
    assert_same(pair.ours(pair.x), before)
    assert_same(other(pair.x), functional_call(pair.theirs, {"weight_hh_l0": pair.theirs.weight_hh_l0 * 0.5}, (pair.x,)))


def test_replicas_compute_with_the_tensors_they_are_given(pair):
    wanted = functional_call(pair.theirs, {name: 0.5 * p for name, p in pair.theirs.named_parameters()}, (pair.x,))
    before = pair.ours(pair.x)
    replica = pair.ours._replicate_for_data_parallel()
    for name, p in pair.ours.named_parameters():
        setattr(replica, name, 0.5 * p)
    assert_same(replica(pair.x), wanted)
    assert_same(pair.ours(pair.x), before)
    loss_of(replica(pair.x)).backward()
    assert all(p.grad is not None for p in pair.ours.parameters())


@pytest.mark.parametrize("assign", [False, True])
def test_states_go_from_one_to_the_other(pair, assign):
    for source, target in (pair.both, pair.both[::-1]):
        with torch.no_grad():
            for p in source.parameters():
                p.mul_(0.5)
        torch.save(source.state_dict(), buffer := io.BytesIO())
        buffer.seek(0)
        state = torch.load(buffer, weights_only=True)
        assert not any(target.load_state_dict(state, assign=assign))
        assert_same(gradients(target, pair.x), gradients(source, pair.x))
        if assign:
            assert all(p.data_ptr() == state[name].data_ptr() for name, p in target.named_parameters())


def test_copies_of_a_layer_that_streamed(kind, engine):
    pair = make_pair(kind, engine, 2)
    with torch.no_grad():
        wanted, _ = pair.theirs(pair.x)
        for make in COPIES.values():
            state, ys = None, []
            for t, x_t in enumerate(pair.x):
                layer = pair.ours if t < 4 else make(pair.ours)
                y, state = layer.step(x_t, state)
                ys.append(y)
            assert_same(torch.stack(ys), wanted)


def test_moved_there_and_back(pair):
    found = []
    for layer in pair.both:
        layer(pair.x)
        other = copy.deepcopy(layer).half().to(pair.x.dtype)
        found.append(gradients(other, pair.x))
    assert_same(*found)


def test_to_empty_and_loaded_anew(pair):
    state = pair.theirs.state_dict()
    for layer in pair.both:
        empty = copy.deepcopy(layer).to("meta").to_empty(device="cpu")
        empty.load_state_dict(state)
        assert_same(gradients(empty, pair.x), gradients(pair.theirs, pair.x))
