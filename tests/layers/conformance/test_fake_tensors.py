"""Tensors without memory: shapes come out as torch's do, or an error, and never a crash."""

from contextlib import nullcontext

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._pytree import tree_map

from engines_here import HERE
from pairs import UNITS, assert_same, flat, make_pair


def described(layer, x, hx=None, gradients=True):
    """What torch says about every result and gradient without reading numbers, or the error."""
    layer.zero_grad()
    try:
        with torch.set_grad_enabled(gradients):
            results = flat(layer(x, hx))
            if gradients:
                sum(r.sum() for r in results).backward()
        found = [*results, *(p.grad for p in layer.parameters() if gradients)]
    except Exception as error:
        return error
    return [(t.shape, t.dtype, t.device) for t in found]


def check(pair, x, hx=None, gradients=True):
    """Ours says what torch's layer says; where that refuses, ours may compute."""
    wanted, found = (described(layer, x, hx, gradients) for layer in (pair.theirs, pair.ours))
    if isinstance(wanted, Exception):
        assert isinstance(found, Exception | list)
    elif isinstance(found, Exception):
        raise found
    else:
        assert found == wanted
    return wanted


def faked(layer, mode):
    """The layer with its own parameters, faked."""
    for name, parameter in list(layer.named_parameters()):
        setattr(layer, name, torch.nn.Parameter(mode.from_tensor(parameter.detach())))
    return layer


def state(pair, mode):
    """A state to begin with, faked."""
    places = pair.theirs.num_layers * (2 if pair.theirs.bidirectional else 1)
    h = mode.from_tensor(torch.zeros(places, pair.x.shape[1], UNITS, dtype=pair.x.dtype))
    return (h, h) if isinstance(pair.theirs, torch.nn.LSTM) else h


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_weights_inputs_and_states_without_memory(pair, gradients, inside):
    mode = FakeTensorMode()
    x, hx = mode.from_tensor(pair.x[:2]), state(pair, mode)
    for layer in pair.both:
        faked(layer, mode)
    with mode if inside else nullcontext():
        assert isinstance(check(pair, x, hx, gradients), list)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("which", ["input", "state", "weights"])
def test_memory_that_some_tensors_lack(pair, gradients, which):
    mode = FakeTensorMode()
    x = mode.from_tensor(pair.x[:2]) if which == "input" else pair.x[:2]
    if which == "weights":
        for layer in pair.both:
            faked(layer, mode)
    check(pair, x, state(pair, mode) if which == "state" else None, gradients)


def test_an_input_without_memory_where_weights_may_have_some(pair):
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    assert isinstance(check(pair, mode.from_tensor(pair.x[:2]), gradients=False), list)


def test_layers_that_are_made_without_memory(kind, engine):
    with FakeTensorMode():
        pair = make_pair(kind, engine, layers=2, bidirectional=True, steps=2)
        assert all(isinstance(p, FakeTensor) for p in pair.ours.parameters())
        assert isinstance(check(pair, pair.x), list)


def test_a_step_without_memory(kind, engine):
    pair = make_pair(kind, engine)
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    with torch.no_grad():
        pair.ours.step(pair.x[0])
        for _ in range(2):
            assert pair.ours.step(mode.from_tensor(pair.x[0]))[0].shape == (pair.x.shape[1], UNITS)
        assert_same(pair.ours.step(pair.x[0])[0], pair.theirs(pair.x[:1])[0][0])


class Wrapped(torch.Tensor):
    """A tensor that has no memory itself: another one beside it does."""

    @staticmethod
    def __new__(cls, inner, requires_grad=False):
        found = torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype, device=inner.device, requires_grad=requires_grad)
        found.inner = inner
        return found

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        bare = lambda t: t.inner if isinstance(t, Wrapped) else t  # noqa: E731
        found = func(*tree_map(bare, args), **tree_map(bare, kwargs or {}))
        return tree_map(lambda t: Wrapped(t) if isinstance(t, torch.Tensor) else t, found)


class Named(torch.Tensor):
    """A subclass that changes nothing."""


def values(layer, x, hx=None, *, gradients):
    layer.zero_grad()
    with torch.set_grad_enabled(gradients):
        results = flat(layer(x, hx))
        if gradients:
            sum(r.square().sum() for r in results).backward()
    found = [*results, *(p.grad for p in layer.parameters() if gradients)]
    return [(t.inner if isinstance(t, Wrapped) else t.as_subclass(torch.Tensor)).detach() for t in found]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("make", [Wrapped, lambda t: t.as_subclass(Named)])
@pytest.mark.parametrize("engine", HERE)
def test_inputs_and_states_of_other_classes_give_the_same_numbers(kind, engine, make, gradients):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    h = torch.randn(4, pair.x.shape[1], UNITS, dtype=torch.float64)
    given = lambda wrap: (wrap(pair.x), (wrap(h), wrap(h)) if kind == "LSTM" else wrap(h))  # noqa: E731
    found = values(pair.ours, *given(make), gradients=gradients)
    assert_same(found, values(pair.theirs, *given(lambda t: t), gradients=gradients))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("make", [Wrapped, lambda t: t.as_subclass(Named)])
@pytest.mark.parametrize("engine", HERE)
def test_weights_of_other_classes_give_the_same_numbers(kind, engine, make, gradients):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    wanted = values(pair.theirs, pair.x, gradients=gradients)
    for name, parameter in list(pair.ours.named_parameters()):
        setattr(pair.ours, name, torch.nn.Parameter(make(parameter.detach())))
    assert_same(values(pair.ours, pair.x, gradients=gradients), wanted)
