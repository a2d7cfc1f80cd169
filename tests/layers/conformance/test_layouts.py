"""Tensors as they lie in memory: steps apart, turned round, repeated, in the middle of others."""

import pytest
import torch
from torch.func import functional_call

from pairs import INPUTS, UNITS, assert_same, flat, gradients, loss_of, make_pair

LAYOUTS = {
    "every second row": lambda t: torch.stack([t, t + 1], -2).flatten(-3, -2)[..., ::2, :],
    "every second column": lambda t: torch.stack([t, t + 1], -1).flatten(-2)[..., ::2],
    "transposed": lambda t: t.transpose(-1, -2).contiguous().transpose(-1, -2),
    "first dimension last": lambda t: t.movedim(0, -1).contiguous().movedim(-1, 0),
    "in the middle": lambda t: torch.cat([t, t, t])[len(t) : 2 * len(t)],
    "one element off": lambda t: torch.cat([t.flatten()[:1], t.flatten()])[1:].view(t.shape),
    "negated lazily": lambda t: torch._neg_view(-t),
}
laid = pytest.mark.parametrize("lay", LAYOUTS.values(), ids=LAYOUTS)
WIDE = {
    "one step for all": lambda t: t[:1].expand(t.shape),
    "one row for all": lambda t: t[:, :1].expand(t.shape),
    "one number for all": lambda t: t[:1, :1, :1].expand(t.shape),
}
expanded = pytest.mark.parametrize("lay", WIDE.values(), ids=WIDE)


@pytest.fixture
def two(kind, engine):
    """Two layers both ways, and three rows."""
    return make_pair(kind, engine, layers=2, bidirectional=True, batch=3)


def run(layer, x, hx=None):
    """Results, and gradients of all that is given, which may lie as it likes."""
    layer.zero_grad()
    tensors = [x, *([] if hx is None else hx if isinstance(hx, tuple) else [hx])]
    results = flat(layer(x, hx))
    loss = loss_of([results[0], tuple(results[1:])])
    wanted = [*(t for t in tensors if t.requires_grad), *layer.parameters()]
    return [*(r.detach() for r in results), *torch.autograd.grad(loss, wanted)]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@laid
def test_inputs_however_they_lie(two, lay):
    x = lay(two.x)
    assert torch.equal(x, two.x)
    wanted = gradients(two.theirs, two.x)
    leaf = two.x.clone().requires_grad_()
    for made in (x.detach().requires_grad_(), lay(leaf)):
        found = run(two.ours, made)
        assert_same(found, [*wanted[0], wanted[1], *wanted[2].values()])
    with torch.no_grad():
        assert_same(flat(two.ours(x)), wanted[0])


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@expanded
def test_inputs_that_are_repeated(two, lay):
    both = []
    for layer in two.both:
        leaf = two.x.clone().requires_grad_()
        layer.zero_grad()
        result = layer(lay(leaf))
        loss_of(result).backward()
        both.append([*(t.detach() for t in flat(result)), leaf.grad, *(p.grad for p in layer.parameters())])
        with torch.no_grad():
            both[-1] += flat(layer(lay(two.x)))
    assert_same(*both)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@laid
def test_states_however_they_lie(two, lay):
    h = torch.randn(4, two.x.shape[1], UNITS, dtype=two.x.dtype)
    made = lambda lay: tuple(lay(t).detach().requires_grad_() for t in ([h, h * 2] if isinstance(two.theirs, torch.nn.LSTM) else [h]))  # noqa: E731
    given, plain = made(lay), made(torch.clone)
    found, wanted = (run(layer, two.x, s if len(s) > 1 else s[0]) for layer, s in zip(two.both, (given, plain), strict=True))
    assert_same(found, wanted)


def test_a_state_that_is_repeated_over_rows(two):
    both = []
    for layer in two.both:
        one = torch.linspace(-1, 1, UNITS, dtype=two.x.dtype).requires_grad_()
        h = one.expand(4, two.x.shape[1], UNITS)
        loss_of(layer(two.x, (h, h) if isinstance(two.theirs, torch.nn.LSTM) else h)).backward()
        both.append([one.grad, *(p.grad for p in layer.parameters())])
    assert_same(*both)


def lay_out(layer, lay):
    """Parameters of the same values that lie otherwise."""
    for name, parameter in list(layer.named_parameters()):
        value = lay(parameter.detach()[None])[0] if parameter.dim() == 1 else lay(parameter.detach())
        layer.register_parameter(name, torch.nn.Parameter(value))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@laid
def test_steps_with_parameters_however_they_lie(kind, engine, lay):
    pair = make_pair(kind, engine)
    with torch.no_grad():
        wanted = pair.theirs(pair.x[:1])[0][0]
        assert_same(pair.ours.step(pair.x[0])[0], wanted)
        lay_out(pair.ours, lay)
        for _ in range(2):
            assert_same(pair.ours.step(pair.x[0])[0], wanted)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@laid
def test_parameters_however_they_lie(two, lay):
    wanted = gradients(two.theirs, two.x)
    lay_out(two.ours, lay)
    assert_same(gradients(two.ours, two.x), wanted)
    with torch.no_grad():
        assert_same(flat(two.ours(two.x)), wanted[0])


def test_weights_that_are_repeated_or_transposed(two):
    both = []
    for layer in two.both:
        rows = {n: p.detach()[:1].clone().requires_grad_() for n, p in layer.named_parameters()}
        weights = {n: rows[n].expand(p.shape) for n, p in layer.named_parameters()}
        turned = torch.randn(UNITS, two.theirs.weight_hh_l0.shape[0], dtype=two.x.dtype, generator=torch.Generator().manual_seed(2))
        weights["weight_hh_l0"] = turned.requires_grad_().t()
        result = functional_call(layer, weights, (two.x,))
        loss_of(result).backward()
        both.append([*(t.detach() for t in flat(result)), turned.grad, *(r.grad for n, r in rows.items() if n != "weight_hh_l0")])
    assert_same(*both)


def test_a_gradient_that_comes_back_repeated_or_turned(two):
    both = []
    for layer in two.both:
        layer.zero_grad()
        y, _ = layer(two.x)
        y.transpose(0, 2).sum().backward(retain_graph=True)
        y.backward(torch.linspace(0, 1, y.shape[-1], dtype=y.dtype).expand_as(y))
        both.append([p.grad for p in layer.parameters()])
    assert_same(*both)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("lay", LAYOUTS.values(), ids=LAYOUTS)
def test_an_input_that_lies_otherwise_batch_first_and_unbatched(kind, engine, lay):
    pair = make_pair(kind, engine, layers=2, bidirectional=True, batch_first=True)
    x = lay(torch.randn(3, 6, INPUTS, dtype=torch.float64))
    assert_same(flat(pair.ours(x)), flat(pair.theirs(x)))
    assert_same(flat(pair.ours(x[1])), flat(pair.theirs(x[1])))
