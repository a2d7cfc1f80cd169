"""NaN and infinity stay in their row, and come out as torch has them."""

import math

import pytest
import torch

from pairs import UNITS, flat, make_pair

BATCH, BAD = 5, 2
values = pytest.mark.parametrize("value", [math.nan, -math.inf])


@pytest.fixture
def rows(kind, engine):
    """Two layers both ways, and five rows."""
    return make_pair(kind, engine, layers=2, bidirectional=True, batch=BATCH)


def same(found, wanted):
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=1e-10, equal_nan=True)


def others(t):
    """All rows but the one that is not all numbers."""
    return t[:, [row for row in range(BATCH) if row != BAD]]


def run(layer, x, hx=None, of=lambda t: t):
    """Results, and gradients of a sum over some rows."""
    layer.zero_grad()
    x = x.detach().clone().requires_grad_()
    results = flat(layer(x, hx))
    sum(of(r).sum() for r in results).backward()
    return [r.detach() for r in results], x.grad, [p.grad for p in layer.parameters()]


def spoilt(rows, value, step=3):
    x = rows.x.clone()
    x[step, BAD, 1] = value
    return x


@values
def test_results_are_torch_s_and_other_rows_are_as_without_it(rows, value):
    x = spoilt(rows, value)
    with torch.no_grad():
        found, wanted, clean = (flat(layer(given)) for layer, given in ((rows.ours, x), (rows.theirs, x), (rows.theirs, rows.x)))
    same(found, wanted)
    assert not torch.equal(found[0], clean[0])
    for got, expected in zip(found, clean, strict=True):
        same(others(got), others(expected))


@values
def test_gradients_are_torch_s(rows, value):
    x = spoilt(rows, value)
    found, wanted = (run(layer, x) for layer in rows.both)
    same(found[0], wanted[0])
    same(others(found[1]), others(wanted[1]))
    assert [bool(g.isfinite().all()) for g in found[2]] == [bool(g.isfinite().all()) for g in wanted[2]]


def test_the_input_of_other_rows_has_the_gradient_that_it_has_without_it(rows):
    found, wanted = run(rows.ours, spoilt(rows, math.nan), of=others), run(rows.theirs, rows.x, of=others)
    same(others(found[1]), others(wanted[1]))


@values
def test_a_state_with_it_spoils_its_row_alone(rows, value):
    h = torch.randn(4, BATCH, UNITS, dtype=rows.x.dtype)
    h[1, BAD, 2] = value
    hx = (h, h) if isinstance(rows.theirs, torch.nn.LSTM) else h
    found, wanted = (run(layer, rows.x, hx) for layer in rows.both)
    same(found[0], wanted[0])
    same(others(found[1]), others(wanted[1]))
    assert all(bool(others(r).isfinite().all()) for r in found[0])


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@values
@pytest.mark.parametrize("name", ["weight_ih_l0", "weight_hh_l1_reverse", "bias_hh_l0"])
def test_a_weight_with_it_gives_what_torch_gives(rows, value, name):
    with torch.no_grad():
        for layer in rows.both:
            layer.get_parameter(name).flatten()[1] = value
        same(flat(rows.ours(rows.x)), flat(rows.theirs(rows.x)))


@pytest.mark.parametrize("size", [1e3, 1e200])
def test_numbers_that_saturate_every_gate_give_what_torch_gives(rows, size):
    found, wanted = (run(layer, rows.x * size) for layer in rows.both)
    same(found[0], wanted[0])
    same(found[1], wanted[1])


@values
def test_single_steps_keep_it_in_its_row(kind, engine, value):
    pair = make_pair(kind, engine, batch=BATCH)
    x, state = spoilt(pair, value), None
    with torch.no_grad():
        for t in range(len(x)):
            y, state = pair.ours.step(x[t], state)
            same(y, pair.theirs(x[: t + 1])[0][-1])
