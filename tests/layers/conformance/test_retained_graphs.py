"""A graph that is kept (`retain_graph`) can be gone back through again."""

import pytest
import torch

from pairs import assert_same, flat, loss_of, make_pair


def passes(layer, x, goes):
    """The gradients of several ways back through one way forward, one after the other."""
    leaf = x.detach().clone().requires_grad_()
    results = flat(layer(leaf))
    parts = {"all": loss_of([results[0], tuple(results[1:])]), "output": results[0].sin().sum(), "state": results[-1].cos().sum()}
    wanted = [leaf, *layer.parameters()]
    last = len(goes) - 1
    return [torch.autograd.grad(parts[go], wanted, retain_graph=n < last, allow_unused=True) for n, go in enumerate(goes)]


@pytest.mark.parametrize("goes", [("all", "all", "all"), ("output", "state", "output")])
def test_every_way_back_gives_the_same_gradients(pair, goes):
    assert_same(passes(pair.ours, pair.x, goes), passes(pair.theirs, pair.x, goes))


@pytest.mark.parametrize("goes", [("all", "all", "all"), ("state", "output")])
def test_segments_are_computed_again_for_every_way_back(kind, engine, goes):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    pair.ours.checkpoint_steps = 3
    assert_same(passes(pair.ours, pair.x, goes), passes(pair.theirs, pair.x, goes))


def test_gradients_add_up(pair):
    for layer in pair.both:
        layer.zero_grad()
        loss = loss_of(layer(pair.x))
        loss.backward(retain_graph=True)
        loss.backward()
    assert_same(*({n: p.grad for n, p in layer.named_parameters()} for layer in pair.both))


def test_a_graph_that_was_not_kept_is_an_error(pair):
    for layer in pair.both:
        loss = loss_of(layer(pair.x))
        loss.backward()
        with pytest.raises(RuntimeError, match="second time"):
            loss.backward()
