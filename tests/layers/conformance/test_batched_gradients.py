"""Many gradients as one: `is_grads_batched`, vectorised Jacobians, `check_batched_grad`."""

import torch
from torch.autograd import gradcheck
from torch.autograd.functional import hessian, jacobian
from torch.func import functional_call

from pairs import assert_same, flat, loss_of, make_pair, parameters_of, state_for


def test_many_flows_back_at_once(pair):
    found = []
    for layer in pair.both:
        x = pair.x.clone().requires_grad_()
        y, _ = layer(x)
        torch.manual_seed(3)
        flows = torch.randn(4, *y.shape, dtype=y.dtype)
        found.append(torch.autograd.grad(y, [x, *layer.parameters()], flows, is_grads_batched=True))
    assert_same(*found)


def test_many_flows_into_outputs_and_states(pair):
    found = []
    for layer in pair.both:
        x = pair.x.clone().requires_grad_()
        results = flat(layer(x, state_for(pair)))
        torch.manual_seed(3)
        flows = [torch.randn(4, *r.shape, dtype=r.dtype) for r in results]
        found.append(torch.autograd.grad(results, [x, *layer.parameters()], flows, is_grads_batched=True))
    assert_same(*found)


def test_many_flows_are_what_each_gives_alone(pair):
    x = pair.x.clone().requires_grad_()
    y, _ = pair.ours(x)
    flows = torch.randn(4, *y.shape, dtype=y.dtype)
    inputs = [x, *pair.ours.parameters()]
    together = torch.autograd.grad(y, inputs, flows, is_grads_batched=True, retain_graph=True)
    alone = [torch.autograd.grad(y, inputs, flow, retain_graph=True) for flow in flows]
    assert_same(list(together), [torch.stack(rows) for rows in zip(*alone, strict=True)])


def test_many_flows_and_a_graph_of_them(double_pair):
    found = []
    for layer in double_pair.both:
        x = double_pair.x.clone().requires_grad_()
        y, _ = layer(x)
        flows = torch.linspace(-1, 1, 3 * y.numel(), dtype=y.dtype).view(3, *y.shape)
        (g,) = torch.autograd.grad(y, x, flows, is_grads_batched=True, create_graph=True)
        found.append(torch.autograd.grad(g.square().sum(), [x, *layer.parameters()], allow_unused=True, materialize_grads=True))
    assert_same(*found)


def test_jacobian_of_the_input_and_the_states(double_pair):
    state = state_for(double_pair)
    given = (double_pair.x, *state) if isinstance(state, tuple) else (double_pair.x, state)

    def call(layer):
        return lambda x, *states: tuple(flat(layer(x, states if len(states) > 1 else states[0])))

    assert_same(*(jacobian(call(layer), given, vectorize=True) for layer in double_pair.both))


def test_jacobian_of_weights(double_pair):
    weights = parameters_of(double_pair.theirs)

    def call(layer):
        return lambda *tensors: functional_call(layer, dict(zip(weights, tensors, strict=True)), (double_pair.x[:2],))[0]

    assert_same(*(jacobian(call(layer), tuple(weights.values()), vectorize=True) for layer in double_pair.both))


def test_hessian_of_the_input(double_pair):
    x = double_pair.x[:2]
    assert_same(*(hessian(lambda x, f=layer: loss_of(f(x)), x, vectorize=True) for layer in double_pair.both))


def test_gradcheck_of_the_input_and_the_states(double_pair):
    state = state_for(double_pair)
    given = [t.clone().requires_grad_() for t in (double_pair.x, *(state if isinstance(state, tuple) else (state,)))]
    for layer in double_pair.both:

        def call(x, *states, f=layer):
            return tuple(flat(f(x, states if len(states) > 1 else states[0])))

        assert gradcheck(call, given, check_batched_grad=True, check_undefined_grad=True, fast_mode=True)


def test_gradcheck_of_weights(kind, engine):
    pair = make_pair(kind, engine, bidirectional=True, steps=2)
    weights = {name: w.requires_grad_() for name, w in parameters_of(pair.theirs).items()}

    def call(*tensors):
        return functional_call(pair.ours, dict(zip(weights, tensors, strict=True)), (pair.x,))[0]

    assert gradcheck(call, tuple(weights.values()), check_batched_grad=True, fast_mode=True)


def test_every_entry_of_a_small_layers_jacobian(kind):
    pair = make_pair(kind, steps=2, batch=1)
    weights = {name: w.requires_grad_() for name, w in parameters_of(pair.theirs).items()}

    def call(x, *tensors):
        return functional_call(pair.ours, dict(zip(weights, tensors, strict=True)), (x,))[0]

    assert gradcheck(call, (pair.x.clone().requires_grad_(), *weights.values()), check_batched_grad=True)
