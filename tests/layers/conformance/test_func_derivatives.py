"""`grad`, `vjp`, `jacrev` and `hessian` of torch.func."""

import pytest
import torch
from torch.func import functional_call, grad, grad_and_value, hessian, jacrev, vjp

from pairs import assert_same, flat, loss_of, make_pair, parameters_of, state_for

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


def of_input(layer):
    return lambda x: loss_of(layer(x))


def of_weights(layer, x):
    return lambda weights: loss_of(functional_call(layer, weights, (x,)))


def test_grad_of_the_input(free_pair):
    assert_same(*(grad(of_input(layer))(free_pair.x) for layer in free_pair.both))


def test_grad_of_weights(free_pair):
    weights = parameters_of(free_pair.theirs)
    found = [grad_and_value(of_weights(layer, free_pair.x))(weights) for layer in free_pair.both]
    assert_same(*found)
    assert all(w.any() for w in found[0][0].values())


def test_grad_of_states(free_pair):
    state = state_for(free_pair)
    assert_same(*(grad(lambda s, f=layer: loss_of(f(free_pair.x, s)))(state) for layer in free_pair.both))


def test_grad_is_what_backward_gives(free_pair):
    found = grad(of_weights(free_pair.ours, free_pair.x))(parameters_of(free_pair.ours))
    loss_of(free_pair.ours(free_pair.x)).backward()
    assert_same(found, {name: p.grad for name, p in free_pair.ours.named_parameters()})


def test_vjp_of_all_that_a_layer_gives(free_pair):
    found = []
    for layer in free_pair.both:
        results, back = vjp(lambda x, f=layer: flat(f(x)), free_pair.x)
        found.append(back([torch.cos(r) for r in results]))
    assert_same(*found)


def test_jacrev_of_the_input(free_pair):
    x = free_pair.x[:2]
    for options in ({}, {"chunk_size": 7}):
        assert_same(*(jacrev(lambda x, f=layer: flat(f(x)), **options)(x) for layer in free_pair.both))


def test_jacrev_of_weights(free_pair):
    weights = parameters_of(free_pair.theirs)
    x = free_pair.x[:2, :1]
    assert_same(*(jacrev(lambda w, f=layer: functional_call(f, w, (x,))[0])(weights) for layer in free_pair.both))


def test_hessian_of_the_input(free_pair):
    found = [hessian(of_input(layer))(free_pair.x[:3]) for layer in free_pair.both]
    assert_same(*found)
    n = free_pair.x[:3].numel()
    torch.testing.assert_close(found[0].view(n, n), found[0].view(n, n).T)


def test_jacrev_of_jacrev(free_pair):
    assert_same(*(jacrev(jacrev(of_input(layer)))(free_pair.x[:3]) for layer in free_pair.both))


def test_hessian_of_a_weight(kind, free_engine):
    pair = make_pair(kind, free_engine, bidirectional=True, steps=2, batch=1)
    found = []
    for layer in pair.both:
        weight = layer.weight_hh_l0.detach()[:, :2]

        def loss(w, f=layer):
            return loss_of(functional_call(f, {"weight_hh_l0": torch.cat([w, f.weight_hh_l0.detach()[:, 2:]], 1)}, (pair.x,)))

        found.append(hessian(loss)(weight))
    assert_same(*found)


def test_grad_of_grad_is_the_third_way_to_a_hessian(free_pair):
    x = free_pair.x
    for layer in free_pair.both:
        along = grad(lambda x, f=layer: (grad(of_input(f))(x) * free_pair.x.cos()).sum())(x)
        difference = (grad(of_input(layer))(x + 1e-5 * x.cos()) - grad(of_input(layer))(x - 1e-5 * x.cos())) / 2e-5
        torch.testing.assert_close(along, difference, atol=1e-7, rtol=1e-6)


def test_derivatives_in_float32_are_those_in_float64(kind, free_engine):
    narrow, wide = (make_pair(kind, free_engine, 2, True, dtype, steps=3) for dtype in (torch.float32, torch.float64))
    wide.theirs.load_state_dict(narrow.theirs.state_dict())
    x = narrow.x
    for transform in (grad, hessian):
        assert_same(transform(of_input(narrow.ours))(x), transform(of_input(wide.theirs))(x.double()).float())


def test_backward_goes_through_grad(free_pair):
    found = []
    for layer in free_pair.both:
        layer.zero_grad()
        grad(of_input(layer))(free_pair.x).square().sum().backward()
        found.append({name: p.grad for name, p in layer.named_parameters()})
    assert_same(*found)
