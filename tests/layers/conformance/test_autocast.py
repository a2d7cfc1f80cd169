"""Autocast to bfloat16 on a CPU: results near torch's, gradients of the parameters' own type."""

import pytest
import torch

from engines_here import HERE, needs_native
from pairs import flat, loss_of, make_pair
from unrolled.engines.fused import has_lstm_under_autocast
from unrolled.errors import EngineError

FAR = 0.03
FREE = [*(engine for engine in HERE if engine != "native"), "auto"]


@pytest.fixture(params=FREE)
def near(request, kind):
    """A pair in float32 that both sides can run under autocast on this processor."""
    if kind == "LSTM" and not has_lstm_under_autocast(torch.bfloat16):
        pytest.skip("torch has no LSTM for this processor under autocast")
    return make_pair(kind, request.param, layers=2, bidirectional=True, dtype=torch.float32, batch=4)


def run(layer, x, enabled=True):
    """Results and gradients under autocast."""
    layer.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
        results = flat(layer(x))
    loss_of([results[0].float(), tuple(r.float() for r in results[1:])]).backward()
    return results, [p.grad for p in layer.parameters()]


def check(found, wanted):
    for got, expected in zip(found, wanted, strict=True):
        assert (got.float() - expected.float()).norm() <= FAR * (expected.float().norm() + 0.1)


def test_results_and_gradients_are_near_torch_s(near):
    for got, wanted in zip(run(near.ours, near.x), run(near.theirs, near.x), strict=True):
        check(got, wanted)


def test_gradients_have_the_type_of_the_parameters(near):
    _, found = run(near.ours, near.x)
    assert {g.dtype for g in found} == {torch.float32}


def test_something_is_computed_in_bfloat16(near):
    with torch.no_grad():
        exact = near.ours(near.x)[0]
        with torch.autocast("cpu", torch.bfloat16):
            rounded = near.ours(near.x)[0].float()
    assert not torch.allclose(rounded, exact, atol=1e-6)


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_the_output_has_the_type_of_torch_s(kind, engine):
    if kind == "LSTM" and not has_lstm_under_autocast(torch.bfloat16):
        pytest.skip("torch has no LSTM for this processor under autocast")
    pair = make_pair(kind, engine, layers=2, bidirectional=True, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found, wanted = (layer(pair.x)[0] for layer in pair.both)
    assert found.dtype == wanted.dtype


def test_states_go_into_a_next_call_with_autocast_and_without(near):
    with torch.no_grad():
        first, second = near.x.split([3, 4])
        wanted = flat(near.theirs(second, near.theirs(first)[1]))
        with torch.autocast("cpu", torch.bfloat16):
            state = near.ours(first)[1]
            inside = flat(near.ours(second, state))
        outside = flat(near.ours(second, state))
    check(inside, wanted)
    check(outside, wanted)


def test_an_input_that_autocast_has_rounded_is_taken(near):
    linear = torch.nn.Linear(near.x.shape[-1], near.x.shape[-1])
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        x = linear(near.x)
        assert x.dtype == torch.bfloat16
        check(flat(near.ours(x)), flat(near.theirs(x)))


def test_autocast_that_is_switched_off_changes_nothing(kind, engine):
    pair = make_pair(kind, engine, layers=2, bidirectional=True, dtype=torch.float32)
    found, wanted = run(pair.ours, pair.x, enabled=False), run(pair.theirs, pair.x, enabled=False)
    torch.testing.assert_close(found, wanted, atol=2e-5, rtol=2e-5)


@needs_native
def test_the_engine_native_refuses_autocast(kind):
    pair = make_pair(kind, "native", dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(EngineError, match="autocast asks for torch's products"):
        pair.ours(pair.x)
