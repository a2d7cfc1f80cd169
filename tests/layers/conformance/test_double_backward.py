"""Gradients of gradients."""

import pytest
import torch
from torch.autograd import gradgradcheck
from torch.autograd.functional import hvp, vhp
from torch.func import functional_call

from pairs import assert_same, flat, loss_of, make_pair, parameters_of, state_for


def test_gradient_penalty_reaches_every_parameter(pair):
    found = []
    for layer in pair.both:
        x = pair.x.clone().requires_grad_()
        (g,) = torch.autograd.grad(loss_of(layer(x)), x, create_graph=True)
        (g.norm() - 1).square().backward()
        found.append({"x": x.grad, **{name: p.grad for name, p in layer.named_parameters()}})
    assert_same(*found)


def test_penalty_on_the_parameters_own_gradients(pair):
    found = []
    for layer in pair.both:
        state = state_for(pair)
        first = torch.autograd.grad(loss_of(layer(pair.x, state)), list(layer.parameters()), create_graph=True)
        sum(g.square().sum() for g in first).backward()
        found.append([[g.detach() for g in first], {name: p.grad for name, p in layer.named_parameters()}])
    assert_same(*found)


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True:UserWarning")
def test_backward_with_create_graph_leaves_a_graph(double_pair):
    found = []
    for layer in double_pair.both:
        x = double_pair.x.clone().requires_grad_()
        loss_of(layer(x)).backward(create_graph=True)
        assert x.grad.requires_grad
        found.append(torch.autograd.grad(x.grad.sum(), layer.weight_hh_l0)[0])
        layer.zero_grad()
    assert_same(*found)


def test_a_step_of_learning_inside_the_graph(double_pair):
    found = []
    for layer in double_pair.both:
        weights = dict(layer.named_parameters())
        gradients = torch.autograd.grad(loss_of(layer(double_pair.x)), list(weights.values()), create_graph=True)
        moved = {name: w - 0.1 * g for (name, w), g in zip(weights.items(), gradients, strict=True)}
        loss_of(functional_call(layer, moved, (double_pair.x.flip(0),))).backward()
        found.append({name: p.grad for name, p in layer.named_parameters()})
    assert_same(*found)


@pytest.mark.parametrize("product", [hvp, vhp])
def test_products_with_the_hessian(double_pair, product):
    x, v = double_pair.x, double_pair.x.cos()
    assert_same(*(product(lambda x, f=layer: loss_of(f(x)), x, v)[1] for layer in double_pair.both))


def test_third_derivatives(double_pair):
    found = []
    for layer in double_pair.both:
        x = double_pair.x.clone().requires_grad_()
        value, orders = loss_of(layer(x)), []
        for _ in range(3):
            (g,) = torch.autograd.grad(value, x, create_graph=True)
            orders.append(g.detach())
            value = (g * double_pair.x.cos()).sum()
        found.append(orders)
    assert_same(*found)


def test_gradgradcheck_of_the_input_and_the_states(double_pair):
    state = state_for(double_pair)
    given = [t.clone().requires_grad_() for t in (double_pair.x, *(state if isinstance(state, tuple) else (state,)))]

    def call(x, *states):
        return tuple(flat(double_pair.ours(x, states if len(states) > 1 else states[0])))

    assert gradgradcheck(call, given, fast_mode=True, check_batched_grad=True)


def test_gradgradcheck_of_weights(kind, engine):
    pair = make_pair(kind, engine, bidirectional=True, steps=2)
    weights = {name: w.requires_grad_() for name, w in parameters_of(pair.ours).items()}

    def call(*tensors):
        return functional_call(pair.ours, dict(zip(weights, tensors, strict=True)), (pair.x,))[0]

    assert gradgradcheck(call, tuple(weights.values()), fast_mode=True)


def test_every_entry_of_a_small_layers_second_derivatives(kind):
    pair = make_pair(kind, steps=2, batch=1)
    bias = pair.ours.bias_hh_l0.detach().clone().requires_grad_()

    def call(x, b):
        return functional_call(pair.ours, {"bias_hh_l0": b}, (x,))[0].sum(-1)

    assert gradgradcheck(call, (pair.x.clone().requires_grad_(), bias))
