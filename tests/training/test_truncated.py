"""Truncated back-propagation against the chain rule written out by hand."""

import itertools

import pytest
import torch

import unrolled as un
from unrolled.errors import ConfigError, RunError
from unrolled.training import StreamOptions, Truncated

BATCH = 2


class Small(torch.nn.Module):
    """A cell with two states and an output layer, in double precision."""

    def __init__(self, initial_state="zeros"):
        super().__init__()
        torch.manual_seed(1)
        self.recurrent = un.Recurrent("lstm", 3, 4, initial_state=initial_state, engine="eager", dtype=torch.float64)
        self.output = torch.nn.Linear(4, 5, dtype=torch.float64)

    def forward(self, x, state=None):
        y, state = self.recurrent(x, state)
        return self.output(y), state


def truncating(model, window, backprop, reset=0.0):
    return Truncated(model, summed, window, backprop, initial=model.recurrent.begin, reset=reset)


def summed(outputs, targets):
    return torch.nn.functional.cross_entropy(outputs.flatten(0, 1), targets.flatten(), reduction="sum")


def sequence(steps):
    generator = torch.Generator().manual_seed(7)
    return torch.randn(steps, BATCH, 3, dtype=torch.float64, generator=generator), torch.randint(5, (steps, BATCH), generator=generator)


def gradients(model):
    taken = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    return taken


def windows(truncated, x, y, window):
    """The gradients after each window, with parameters that stay as they are."""
    for inputs, targets in zip(x.split(window), y.split(window), strict=True):
        for part in truncated.losses(inputs, targets):
            part.backward()
        yield gradients(truncated.model)


@pytest.mark.parametrize("initial_state", ["zeros", "learned"])
def test_one_window_over_everything_is_full_back_propagation(initial_state):
    model = Small(initial_state)
    x, y = sequence(9)
    summed(model(x)[0], y).backward()
    wanted = gradients(model)
    (got,) = windows(truncating(model, 9, 9), x, y, 9)
    assert all(torch.equal(g, w) for g, w in zip(got, wanted, strict=True))


def reached(model, x, y, first, last, start):
    """Gradients of the losses of steps `first` to `last - 1`, which go back to step `start`, with the state before it taken as given."""
    state = None
    if start:
        with torch.no_grad():
            state = model(x[:start])[1]
    outputs, _ = model(x[start:last], state)
    summed(outputs[first - start :], y[first:last]).backward()
    return gradients(model)


@pytest.mark.parametrize(("steps", "window", "backprop"), list(itertools.product([12, 14], [4], [4, 5, 6, 8, 9, 13, 99])))
def test_losses_of_a_window_reach_back_as_far_as_asked(steps, window, backprop):
    model = Small()
    x, y = sequence(steps)
    for number, got in enumerate(windows(truncating(model, window, backprop), x, y, window)):
        first, last = number * window, min((number + 1) * window, steps)
        # The steps that are run again are always the backprop - window before the window.
        wanted = reached(model, x, y, first, last, max(first - (backprop - window), 0))
        for g, w in zip(got, wanted, strict=True):
            torch.testing.assert_close(g, w, atol=1e-13, rtol=0)


@pytest.mark.parametrize("backprop", [1, 2, 3, 5])
def test_a_shorter_reach_cuts_the_gradient_inside_the_window(backprop):
    model = Small()
    x, y = sequence(7)
    (got,) = windows(truncating(model, 7, backprop), x, y, 7)
    parts = [reached(model, x, y, start, min(start + backprop, 7), start) for start in range(0, 7, backprop)]
    for g, *w in zip(got, *parts, strict=True):
        torch.testing.assert_close(g, sum(w), atol=1e-13, rtol=0)


@pytest.mark.parametrize("backprop", [2, 3, 4])
def test_a_shorter_reach_is_a_loop_that_detaches_and_carries_on_through_all_windows(backprop):
    model = Small()
    x, y = sequence(13)
    found = list(windows(truncating(model, 5, backprop), x, y, 5))
    state = None
    for (first, last), got in zip(((0, 5), (5, 10), (10, 13)), found, strict=True):
        for start in range(first, last, backprop):
            stop = min(start + backprop, last)
            outputs, state = model(x[start:stop], state)
            summed(outputs, y[start:stop]).backward()
            state = tuple(s.detach() for s in state)
        for g, w in zip(got, gradients(model), strict=True):
            torch.testing.assert_close(g, w, atol=1e-13, rtol=0)


@pytest.mark.parametrize(("window", "backprop"), [(4, 1), (4, 3), (4, 4), (4, 6), (4, 9), (4, 20), (1, 5)])
def test_a_gradient_reaches_exactly_as_many_steps_before_its_loss_as_asked(window, backprop):
    """The inputs are probes: whether their gradient is zero says whether the losses of a window, one update, reach them."""
    model = Small()
    x, y = sequence(14)
    x.requires_grad_()
    truncated = truncating(model, window, backprop)
    for first in range(0, 14, window):
        last = min(first + window, 14)
        for number, part in enumerate(truncated.losses(x[first:last], y[first:last])):
            (probed,) = torch.autograd.grad(part, x)
            begun = first + number * backprop if backprop <= window else first - (backprop - window)
            wanted = range(max(begun, 0), min(begun + backprop, last))
            assert probed.abs().sum((1, 2)).nonzero().flatten().tolist() == list(wanted)


@pytest.mark.parametrize("backprop", [2, 4, 7])
def test_the_carried_state_is_that_of_an_uncut_pass_and_has_no_past(backprop):
    model = Small()
    x, y = sequence(12)
    truncated = truncating(model, 4, backprop)
    list(windows(truncated, x, y, 4))
    run_again = max(backprop - 4, 0)
    wanted = model(x[: 12 - run_again])[1]
    for carried, state in zip(truncated.state, wanted, strict=True):
        assert not carried.requires_grad
        torch.testing.assert_close(carried, state.detach(), atol=1e-13, rtol=0)
    truncated.forget()
    assert truncated.state_dict() == {}


@pytest.mark.parametrize("backprop", [2, 4, 7, 11])
def test_what_is_remembered_elsewhere_goes_on_the_same(backprop):
    model = Small()
    x, y = sequence(12)
    whole = list(windows(truncating(model, 3, backprop), x, y, 3))
    first, second = truncating(model, 3, backprop), truncating(model, 3, backprop)
    list(windows(first, x[:6], y[:6], 3))
    second.load_state_dict(first.state_dict())
    for got, wanted in zip(windows(second, x[6:], y[6:], 3), whole[2:], strict=True):
        assert all(torch.equal(g, w) for g, w in zip(got, wanted, strict=True))


@pytest.mark.parametrize("names", [["other"], ["state.1"], ["state.0", "state.2"], ["state.0", "earlier"]])
def test_a_memory_of_something_else_is_refused(names):
    with pytest.raises(RunError, match=names[-1]):
        truncating(Small(), 3, 3).load_state_dict({name: torch.zeros(1) for name in names})


def begun_anew(model, x, y, begins, first, last, start):
    """Gradients of the losses of steps `first` to `last - 1`, a row and a step at a time; what was carried is cut before step `start`."""
    losses = []
    for row in range(BATCH):
        state = None
        for step in range(last):
            if begins[step, row]:
                state = None
            elif step == start and state is not None:
                state = tuple(s.detach() for s in state)
            output, state = model(x[step : step + 1, row : row + 1], state)
            if step >= first:
                losses.append(summed(output, y[step : step + 1, row : row + 1]))
    sum(losses).backward()
    return gradients(model)


@pytest.mark.parametrize("initial_state", ["zeros", "learned"])
@pytest.mark.parametrize("backprop", [2, 3, 4, 8, 11])
def test_rows_begin_anew_where_chance_says_and_nowhere_else(backprop, initial_state):
    """With steps that are run again too, where a row begins in the midst of what is run."""
    model = Small(initial_state)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    x, y = sequence(15)
    begins = torch.zeros(15, BATCH, dtype=torch.bool)
    torch.manual_seed(5)
    for start in range(0, 15, 3):
        begins[start] = torch.rand(BATCH) < 0.4
    assert begins[3:].any(0).all() and not begins[3::3].all(1).any()
    torch.manual_seed(5)
    found = list(windows(truncating(model, 3, backprop, 0.4), x, y, 3))
    for number, got in enumerate(found):
        first, last = 3 * number, 3 * number + 3
        if backprop < 3:
            pieces = [(start, min(start + backprop, last)) for start in range(first, last, backprop)]
            wanted = [sum(each) for each in zip(*(begun_anew(model, x, y, begins, *piece, piece[0]) for piece in pieces), strict=True)]
        else:
            wanted = begun_anew(model, x, y, begins, first, last, first - (backprop - 3))
        for g, w in zip(got, wanted, strict=True):
            torch.testing.assert_close(g, w, atol=1e-13, rtol=0)


@pytest.mark.parametrize("backprop", [2, 3, 7])
def test_resets_are_as_frequent_as_asked_and_go_on_the_same_elsewhere(backprop):
    model = Small()
    x, y = sequence(2)
    seen = []
    truncated = truncating(model, 2, backprop, 0.1)
    draw = truncated._drawn
    truncated._drawn = lambda inputs: seen.append(draw(inputs)) or seen[-1]
    list(windows(truncated, x.repeat(600, 1, 1), y.repeat(600, 1), 2))
    drawn = torch.stack(seen)
    assert not drawn[:, 1].any()
    assert abs(float(drawn[:, 0].double().mean()) - 0.1) < 0.03
    random, memory = torch.get_rng_state(), truncated.state_dict()
    going = list(windows(truncated, x.repeat(20, 1, 1), y.repeat(20, 1), 2))
    torch.set_rng_state(random)
    other = truncating(model, 2, backprop, 0.1)
    other.load_state_dict(memory)
    for got, wanted in zip(windows(other, x.repeat(20, 1, 1), y.repeat(20, 1), 2), going, strict=True):
        assert all(torch.equal(g, w) for g, w in zip(got, wanted, strict=True))


@pytest.mark.parametrize("name", ["batch", "window", "backprop"])
def test_stream_options_start_at_one(name):
    with pytest.raises(ConfigError, match=f"`{name}` must be at least 1, got 0"):
        StreamOptions(**{name: 0})
    assert StreamOptions(window=7).resolved().backprop == 7


def test_lines_that_begin_anew_by_themselves_need_no_resets():
    assert StreamOptions().for_lines(lines=True).reset_probability == 0
    assert StreamOptions().for_lines(lines=False).reset_probability == StreamOptions().reset_probability > 0
    assert StreamOptions(reset_probability=0.0).for_lines(lines=False).reset_probability == 0
    for value in (-0.1, 1.0, float("nan")):
        with pytest.raises(ConfigError, match="`reset_probability` must be from 0 to below 1"):
            StreamOptions(reset_probability=value)
    assert StreamOptions(reset_probability=0.1).for_lines(lines=True).reset_probability == 0
    assert StreamOptions(reset_probability=0.1).for_lines(lines=False).reset_probability == 0.1
