"""Batches without sequences and sequences without steps: shapes as torch's, and gradients of zero."""

import pytest
import torch

from pairs import INPUTS, UNITS, assert_same, flat, gradients, loss_of, make_pair


def test_an_empty_batch_has_gradients_of_zero(pair):
    found = gradients(pair.ours, pair.x[:, :0])
    assert_same(found, gradients(pair.theirs, pair.x[:, :0]))
    assert all(g is not None and not g.any() for g in found[2].values())


def test_an_empty_batch_with_a_state_that_wants_a_gradient(pair):
    found = []
    for layer in pair.both:
        places = layer.num_layers * (2 if layer.bidirectional else 1)
        h = torch.zeros(places, 0, UNITS, dtype=pair.x.dtype, requires_grad=True)
        result = layer(pair.x[:, :0], (h, h * 1) if isinstance(pair.theirs, torch.nn.LSTM) else h)
        loss_of(result).backward()
        found.append([h.grad, *(p.grad for p in layer.parameters())])
    assert_same(*found)


def test_an_empty_batch_first(kind, engine):
    pair = make_pair(kind, engine, layers=2, bidirectional=True, batch_first=True)
    x = torch.zeros(0, 6, INPUTS, dtype=torch.float64)
    assert_same(gradients(pair.ours, x), gradients(pair.theirs, x))


def test_an_empty_batch_without_gradients(pair):
    with torch.no_grad():
        assert_same(flat(pair.ours(pair.x[:, :0])), flat(pair.theirs(pair.x[:, :0])))


@pytest.mark.parametrize("steps", [None, 3])
def test_an_empty_batch_adds_nothing_to_gradients_that_are_there(kind, engine, steps):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    pair.ours.checkpoint_steps = steps
    for layer in pair.both:
        loss_of(layer(pair.x)).backward()
        loss_of(layer(pair.x[:, :0])).backward()
    assert_same(*({n: p.grad for n, p in layer.named_parameters()} for layer in pair.both))


@pytest.mark.parametrize("batch", [0, 2])
def test_no_steps_give_the_state_back_and_gradients_of_zero(pair, batch):
    layer, x = pair.ours, pair.x[:0, :batch].detach().clone().requires_grad_()
    places = layer.num_layers * (2 if layer.bidirectional else 1)
    h = torch.randn(places, batch, UNITS, dtype=x.dtype, requires_grad=True)
    c = torch.randn(places, batch, UNITS, dtype=x.dtype, requires_grad=True)
    lstm = isinstance(pair.theirs, torch.nn.LSTM)
    y, *state = flat(layer(x, (h, c) if lstm else h))
    assert y.shape == (0, batch, UNITS * (2 if layer.bidirectional else 1))
    given = [h, c][: len(state)]
    assert_same([s.detach() for s in state], [s.detach() for s in given])
    (y.sum() + sum(s.sum() for s in state)).backward()
    assert x.grad.shape == x.shape
    assert all(bool((s.grad == 1).all()) for s in given)
    assert all(p.grad is not None and not p.grad.any() for p in layer.parameters())


def test_no_steps_are_an_error_to_torch_alone(pair):
    with pytest.raises(RuntimeError):
        pair.theirs(pair.x[:0])
    pair.ours(pair.x[:0])
