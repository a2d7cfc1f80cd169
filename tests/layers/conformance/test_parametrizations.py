"""Weights that are computed from others: `torch.nn.utils.parametrizations`, `parametrize`, and the older hooks."""

import copy
import pickle

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils import parametrizations, parametrize

from pairs import Pair, assert_same, error_of, flat, loss_of

WAYS = {
    "weight norm": parametrizations.weight_norm,
    "spectral norm": parametrizations.spectral_norm,
    "orthogonal": parametrizations.orthogonal,
    "own": lambda layer, name: parametrize.register_parametrization(layer, name, Softened()),
}
NAMES = ("weight_hh_l0", "weight_ih_l0")
every_way = pytest.mark.parametrize("way", WAYS)


class Softened(nn.Module):
    def forward(self, weight):
        return weight.tanh() * 2

    def right_inverse(self, weight):
        return (weight / 2).atanh()


class Counted(nn.Module):
    def __init__(self):
        super().__init__()
        self.count = 0

    def forward(self, weight):
        self.count += 1
        return weight * 1


class Reference(nn.Module):
    """torch.nn's layer with the weights that its parametrised twin computes, each once a call."""

    def __init__(self, plain, computed, names):
        super().__init__()
        self.plain, self.computed, self.names = plain, computed, names

    def forward(self, x):
        return functional_call(self.plain, {name: getattr(self.computed, name) for name in self.names}, (x,))

    def gradients(self, x):
        x = x.clone().requires_grad_()
        result = self(x)
        loss_of(result).backward()
        own = {name: p.grad for name, p in self.computed.named_parameters() if name.startswith("parametrizations")}
        return [t.detach() for t in flat(result)], x.grad, {**own, **self.plain_gradients()}

    def plain_gradients(self):
        return {name: p.grad for name, p in self.plain.named_parameters() if name not in self.names}


def parametrised(pair, way, names=NAMES):
    """Ours with the parametrisation, and what it is to give."""
    plain = copy.deepcopy(pair.theirs)
    for layer in pair.both:
        for name in names:
            WAYS[way](layer, name)
    pair.ours.load_state_dict(pair.theirs.state_dict())
    return Pair(pair.ours, Reference(plain, pair.theirs, names), pair.x)


def own_gradients(layer, x):
    x = x.clone().requires_grad_()
    result = layer(x)
    loss_of(result).backward()
    return [t.detach() for t in flat(result)], x.grad, {name: p.grad for name, p in layer.named_parameters()}


def sorted_by_name(found):
    return found[0], found[1], dict(sorted(found[2].items()))


@every_way
def test_values_and_gradients(pair, way):
    before = pair.ours(pair.x)
    pair = parametrised(pair, way)
    got, wanted = own_gradients(pair.ours, pair.x), pair.theirs.gradients(pair.x)
    assert_same(sorted_by_name(got), sorted_by_name(wanted))
    assert way in ("weight norm", "own") or not torch.allclose(got[0][0], before[0])
    with torch.no_grad():
        for layer in (pair.ours, pair.theirs.computed):
            for p in layer.parametrizations.weight_hh_l0.parameters():
                p.mul_(0.5).add_(0.1)
    assert_same([t.detach() for t in flat(pair.ours.eval()(pair.x))], [t.detach() for t in flat(pair.theirs.eval()(pair.x))])


@every_way
def test_names_order_and_keys_are_torchs(one_pair, way):
    parametrised(one_pair, way)
    for what in ("named_parameters", "named_buffers"):
        assert [(n, t.shape) for n, t in getattr(one_pair.ours, what)()] == [(n, t.shape) for n, t in getattr(one_pair.theirs, what)()]
    assert list(one_pair.ours.state_dict()) == list(one_pair.theirs.state_dict())
    assert parametrize.is_parametrized(one_pair.ours, "weight_hh_l0")


@every_way
def test_learning(one_pair, way):
    one_pair = parametrised(one_pair, way)
    descents = [torch.optim.SGD(one_pair.ours.parameters(), 0.05)]
    plain = [p for name, p in one_pair.theirs.plain.named_parameters() if name not in NAMES]
    descents.append(torch.optim.SGD([*one_pair.theirs.computed.parametrizations.parameters(), *plain], 0.05))
    found = [[], []]
    for _ in range(3):
        for layer, descent, values in zip(one_pair.both, descents, found, strict=True):
            descent.zero_grad()
            value = loss_of(layer(one_pair.x))
            value.backward()
            descent.step()
            values.append(value.detach())
    assert_same(*found)
    assert len(set(map(float, found[0]))) == 3


@every_way
def test_buffers_move_once_a_call_as_torchs_do(one_pair, way):
    one_pair = parametrised(one_pair, way)
    for _ in range(2):
        one_pair.ours(one_pair.x)
        one_pair.theirs(one_pair.x)
    assert_same(dict(one_pair.ours.named_buffers()), dict(one_pair.theirs.computed.named_buffers()))


def test_each_weight_is_computed_once_a_call(pair):
    counted = {}
    for name, _ in list(pair.ours.named_parameters()):
        parametrize.register_parametrization(pair.ours, name, made := Counted())
        counted[name] = made
    for call in (lambda: pair.ours(pair.x), lambda: loss_of(pair.ours(pair.x)).backward()):
        for made in counted.values():
            made.count = 0
        call()
        assert {name: made.count for name, made in counted.items()} == dict.fromkeys(counted, 1)


@pytest.mark.parametrize(
    ("way", "stays"), [*((way, True) for way in WAYS), ("spectral norm", False), ("orthogonal", False), ("own", False)]
)
def test_taken_away_again(one_pair, way, stays):
    shown = repr(one_pair.ours)
    found = [t.detach() for t in flat(parametrised(one_pair, way).ours.eval()(one_pair.x))]
    one_pair.theirs.eval()
    for layer in one_pair.both:
        for name in NAMES:
            parametrize.remove_parametrizations(layer, name, leave_parametrized=stays)
    assert [(n, type(p)) for n, p in one_pair.ours.named_parameters()] == [(n, type(p)) for n, p in one_pair.theirs.named_parameters()]
    assert repr(one_pair.ours) == shown
    assert not hasattr(one_pair.ours, "parametrizations")
    fresh = copy.deepcopy(one_pair.theirs)
    fresh.load_state_dict(one_pair.ours.state_dict())
    assert_same(flat(one_pair.ours(one_pair.x)), flat(fresh(one_pair.x)))
    if stays:
        assert_same([t.detach() for t in flat(one_pair.ours(one_pair.x))], found)


@every_way
def test_copies(one_pair, way):
    one_pair = parametrised(one_pair, way)
    one_pair.ours(one_pair.x)
    other = copy.deepcopy(one_pair.ours)
    assert_same(own_gradients(other.eval(), one_pair.x), own_gradients(one_pair.ours.eval(), one_pair.x))
    with torch.no_grad():
        for p in other.parameters():
            p.mul_(0.5)
    assert not torch.allclose(other(one_pair.x)[0], one_pair.ours(one_pair.x)[0])
    for layer in (one_pair.ours, one_pair.theirs.computed):
        assert isinstance(error_of(lambda layer=layer: pickle.dumps(layer)), RuntimeError)


def test_kept_while_cached(one_pair):
    one_pair = parametrised(one_pair, "own")
    with parametrize.cached():
        results = [one_pair.ours(one_pair.x), one_pair.ours(one_pair.x)]
    sum(map(loss_of, results)).backward()
    wanted = one_pair.theirs.gradients(one_pair.x)
    assert_same(results[0][0].detach(), wanted[0][0])
    assert_same(one_pair.ours.parametrizations.weight_hh_l0.original.grad / 2, wanted[2]["parametrizations.weight_hh_l0.original"])


def test_written_to_by_assignment(one_pair):
    one_pair = parametrised(one_pair, "own")
    value = one_pair.theirs.plain.weight_hh_l0.detach().cos()
    for layer in (one_pair.ours, one_pair.theirs.computed):
        layer.weight_hh_l0 = value
    assert_same(one_pair.ours.weight_hh_l0, value)
    assert_same(flat(one_pair.ours(one_pair.x)), flat(one_pair.theirs(one_pair.x)))


def test_all_parameters_and_one_twice(pair):
    names = [name for name, _ in pair.ours.named_parameters()]
    plain = copy.deepcopy(pair.theirs)
    for layer in pair.both:
        for name in [*names, "bias_hh_l0"]:
            parametrize.register_parametrization(layer, name, Softened())
    reference = Reference(plain, pair.theirs, names)
    with torch.no_grad():
        for layer in pair.both:
            for p in layer.parameters():
                p.mul_(0.8)
    assert_same(sorted_by_name(own_gradients(pair.ours, pair.x)), sorted_by_name(reference.gradients(pair.x)))


def test_one_parameter_for_two_weights(one_pair):
    found = []
    for layer in one_pair.both:
        layer.bias_hh_l0 = layer.bias_ih_l0
        assert "bias_hh_l0" not in dict(layer.named_parameters())
        found.append(own_gradients(layer, one_pair.x))
    assert_same(*found)


@pytest.mark.filterwarnings("ignore:.*weight_norm.* is deprecated:FutureWarning")
@pytest.mark.parametrize("way", ["weight_norm", "spectral_norm"])
def test_the_older_hooks(one_pair, way):
    plain = copy.deepcopy(one_pair.theirs)
    for layer in one_pair.both:
        torch.manual_seed(5)
        getattr(nn.utils, way)(layer, "weight_hh_l0")
    assert list(one_pair.ours.state_dict()) == list(one_pair.theirs.state_dict())
    got = own_gradients(one_pair.ours, one_pair.x)
    x = one_pair.x.clone().requires_grad_()
    hook = next(iter(one_pair.theirs._forward_pre_hooks.values()))
    hook(one_pair.theirs, (x,))
    result = functional_call(plain, {"weight_hh_l0": one_pair.theirs.weight_hh_l0}, (x,))
    loss_of(result).backward()
    moved = {name: p.grad for name, p in one_pair.theirs.named_parameters() if name.startswith("weight_hh_l0_") and p.grad is not None}
    assert "weight_hh_l0_reverse" not in moved
    rest = {name: p.grad for name, p in plain.named_parameters() if name != "weight_hh_l0"}
    assert_same(sorted_by_name(got), sorted_by_name(([t.detach() for t in flat(result)], x.grad, {**moved, **rest})))
    getattr(nn.utils, f"remove_{way}")(one_pair.ours, "weight_hh_l0")
    assert "weight_hh_l0" in dict(one_pair.ours.named_parameters())
