"""What is computed again on the way back, around a layer or inside it, is computed with the weights of its own call."""

import pytest
import torch
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from pairs import assert_same, flat, gradients, loss_of, make_pair

around = pytest.mark.filterwarnings("ignore:torch.utils.checkpoint")


def in_segments(kind, engine, steps=3):
    """A pair of two layers both ways, of which ours keeps the states of every so many steps alone."""
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    pair.ours.checkpoint_steps = steps
    return pair


def again(layer, reentrant):
    """The layer, computed again on the way back; one kind of checkpoint knows no tuples in tuples."""

    def call(x, hx=None):
        y, *state = checkpoint(lambda given: tuple(flat(layer(given, hx))), x, use_reentrant=reentrant)
        return y, tuple(state)

    call.zero_grad, call.named_parameters = layer.zero_grad, layer.named_parameters
    return call


@around
@pytest.mark.parametrize("reentrant", [False, True])
def test_a_layer_that_is_run_again(pair, reentrant):
    assert_same(gradients(again(pair.ours, reentrant), pair.x), gradients(pair.theirs, pair.x))


@around
@pytest.mark.parametrize("reentrant", [False, True])
def test_segments_within_a_layer_that_is_run_again(kind, engine, reentrant):
    pair = in_segments(kind, engine)
    assert_same(gradients(again(pair.ours, reentrant), pair.x), gradients(pair.theirs, pair.x))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("reentrant", [False, True])
def test_dropout_is_drawn_the_same_again(kind, engine, reentrant):
    layer = make_pair(kind, engine, layers=2, dropout=0.5).ours
    x = make_pair(kind).x
    found = []
    for call in (layer, again(layer, reentrant)):
        torch.manual_seed(3)
        found.append(gradients(call, x))
    assert_same(*found)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("steps", [1, 3, 7, 100])
def test_segments_of_any_length(kind, engine, steps):
    pair = in_segments(kind, engine, steps)
    assert_same(gradients(pair.ours, pair.x), gradients(pair.theirs, pair.x))


def replaced(layer, raw, keep):
    """The layer with its first recurrent map computed anew, as weight drop does."""
    del layer.weight_hh_l0
    layer.weight_hh_l0 = raw * keep


@pytest.mark.parametrize("steps", [None, 3])
@pytest.mark.filterwarnings("ignore:RNN module weights")
def test_weights_that_differ_from_call_to_call(kind, engine, steps):
    pair = in_segments(kind, engine, steps)
    found = []
    for layer in pair.both:
        raw, loss = torch.nn.Parameter(layer.weight_hh_l0.detach().clone()), 0
        for keep in (0.2, 0.9):
            replaced(layer, raw, keep)
            loss = loss + loss_of(layer(pair.x))
        loss.backward()
        found.append([raw.grad, *(p.grad for p in layer.parameters())])
    assert_same(*found)


@pytest.mark.parametrize("steps", [None, 3])
def test_functional_calls_with_other_weights_before_one_way_back(kind, engine, steps):
    pair = in_segments(kind, engine, steps)
    found = []
    for layer in pair.both:
        weights = [{n: (p.detach() * f).requires_grad_() for n, p in layer.named_parameters()} for f in (0.5, -1.0)]
        losses = [loss_of(functional_call(layer, w, (pair.x,))) for w in weights]
        layer(pair.x)
        sum(losses).backward()
        found.append([{n: t.grad for n, t in w.items()} for w in weights])
    assert_same(*found)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("steps", [None, 3])
def test_a_pass_in_between_with_weights_that_were_loaded(kind, engine, steps):
    pair = in_segments(kind, engine, steps)
    found = []
    for layer in pair.both:
        old = {n: torch.nn.Parameter(p.detach().clone()) for n, p in layer.named_parameters()}
        layer.load_state_dict(old, assign=True)
        first = list(layer.parameters())
        loss = loss_of(layer(pair.x))
        layer.load_state_dict({n: torch.nn.Parameter(p.detach() * 0.3) for n, p in old.items()}, assign=True)
        with torch.no_grad():
            layer(pair.x)
        loss.backward()
        found.append([p.grad for p in first])
    assert_same(*found)


def test_a_state_that_goes_on_through_segments(kind, engine):
    pair = in_segments(kind, engine)
    found = []
    for layer in pair.both:
        layer.zero_grad()
        _, state = layer(pair.x)
        result = layer(pair.x.flip(0), state)
        loss_of(result).backward()
        found.append([*(t.detach() for t in flat(result)), *(p.grad for p in layer.parameters())])
    assert_same(*found)
