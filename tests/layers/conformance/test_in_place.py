"""What is written to between the way forward and the way back: an error where the old values are needed, and never a wrong gradient."""

import pytest
import torch
from torch import nn

from pairs import UNITS, assert_same, flat, loss_of, make_pair

PARAMETERS = ["weight_hh_l0", "weight_ih_l1_reverse"]
BIASES = ["bias_ih_l0", "bias_hh_l1_reverse"]


class Pass:
    """A way forward whose tensors can be written to before its way back."""

    def __init__(self, layer, x):
        self.layer = layer
        layer.zero_grad()
        self.leaf = x.detach().clone().requires_grad_()
        self.x = self.leaf * 1
        places = layer.num_layers * (2 if layer.bidirectional else 1)
        self.first = torch.full((places, x.shape[1], UNITS), 0.25, dtype=x.dtype, requires_grad=True)
        self.h = self.first * 1
        self.c = self.first * 2
        self.y, state = layer(self.x, (self.h, self.c) if isinstance(state_of(layer), tuple) else self.h)
        self.state = state if isinstance(state, tuple) else (state,)

    def back(self):
        """Every gradient."""
        loss_of((self.y, self.state)).backward()
        return [self.leaf.grad, self.first.grad, *(p.grad for p in self.layer.parameters())]


def state_of(layer):
    return () if "LSTM" in type(layer).__name__ else None


def begun(kind, engine, steps):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    pair.ours.checkpoint_steps = steps
    return pair


segments = pytest.mark.parametrize("steps", [None, 3])


def back_after(layer, x, change):
    """The gradients after a change, or the error."""
    begun = Pass(layer, x)
    change(begun)
    try:
        return begun.back()
    except RuntimeError as error:
        return error


@segments
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_matrix_that_was_written_to_is_an_error(kind, engine, steps, name):
    pair = begun(kind, engine, steps)

    def change(given):
        with torch.no_grad():
            given.layer.get_parameter(name).mul_(2)

    for layer in pair.both:
        assert isinstance(back_after(layer, pair.x, change), RuntimeError)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@segments
@pytest.mark.parametrize("name", BIASES)
def test_a_bias_that_was_written_to_is_an_error_or_not_needed(kind, engine, steps, name):
    pair = begun(kind, engine, steps)
    wanted = Pass(pair.theirs, pair.x).back()

    def change(given):
        with torch.no_grad():
            given.layer.get_parameter(name).add_(1)

    found = back_after(pair.ours, pair.x, change)
    if not isinstance(found, RuntimeError):
        assert_same(found, wanted)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@segments
@pytest.mark.parametrize("name", ["x", "h", "c"])
def test_an_input_or_a_state_that_was_written_to_is_an_error(kind, engine, steps, name):
    if name == "c" and kind != "LSTM":
        pytest.skip("it has no such state")
    pair = begun(kind, engine, steps)
    for layer in pair.both:
        assert isinstance(back_after(layer, pair.x, lambda given: getattr(given, name).add_(1)), RuntimeError)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@segments
@pytest.mark.parametrize("name", ["y", "state"])
@pytest.mark.parametrize("layers", [1, 2])
def test_a_result_that_was_written_to_is_an_error_or_not_needed(kind, engine, steps, name, layers):
    pair = make_pair(kind, engine, layers=layers, bidirectional=layers == 2)
    pair.ours.checkpoint_steps = steps

    def change(given):
        if name == "y":
            given.y = given.y.mul_(2)
        else:
            given.state = tuple(s.mul_(2) for s in given.state)

    def apart(given):
        if name == "y":
            given.y = given.y * 2
        else:
            given.state = tuple(s * 2 for s in given.state)

    found = back_after(pair.ours, pair.x, change)
    if not isinstance(found, RuntimeError):
        assert_same(found, back_after(pair.theirs, pair.x, apart))


@segments
def test_a_step_of_an_optimizer_before_the_way_back_is_an_error(kind, engine, steps):
    pair = begun(kind, engine, steps)
    for layer in pair.both:
        Pass(layer, pair.x).back()
        optimiser = torch.optim.SGD(layer.parameters(), 0.1)
        again = flat(layer(pair.x))
        optimiser.step()
        with pytest.raises(RuntimeError):
            sum(t.sum() for t in again).backward()


@segments
def test_weights_that_are_written_to_after_the_way_back_harm_nothing(kind, engine, steps):
    pair = begun(kind, engine, steps)
    found = []
    for layer in pair.both:
        for _ in range(2):
            gradients = Pass(layer, pair.x).back()
            nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
            torch.optim.SGD(layer.parameters(), 0.5).step()
        found.append(gradients)
    assert_same(*found)
