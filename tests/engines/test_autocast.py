"""Automatic mixed precision on a CPU: parameters stay float32, and so do their gradients and the states that go from call to call."""

import pytest
import torch

import unrolled as un
from by_hand import COMMON
from unrolled.engines import fused
from unrolled.engines.fused import has_lstm_under_autocast, kernel_of
from unrolled.errors import EngineError

PAIRS = [
    (name, engine)
    for name in COMMON
    for engine in ("torch", "eager")
    if engine == "eager" or (kernel_of(un.cells.BUILT_IN[name].recurrence) and (name != "lstm" or has_lstm_under_autocast(torch.bfloat16)))
]
CASES = [
    (name, engine, kind)
    for name, engine in PAIRS
    for kind in ("float32", "bfloat16", "whole numbers")
    if engine == "eager" or kind != "whole numbers"
]


def layer_of(name, engine, **options):
    torch.manual_seed(0)
    if name == "lstm-projected":
        layer = un.LSTM(6, 8, proj_size=5, engine=engine, **options)
    else:
        layer = un.Recurrent(name, 6, 8, engine=engine, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return layer


def test_where_the_processor_has_no_lstm_in_half_precision_another_engine_runs(monkeypatch):
    monkeypatch.setattr(fused, "has_lstm_under_autocast", lambda dtype: False)
    layer, named = layer_of("lstm", "auto"), layer_of("lstm", "torch")
    x = torch.randn(5, 3, 6)
    wanted = named(x)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = layer(x)[0]
        assert "last call: engine eager" in layer.explain()
        with pytest.raises(EngineError, match="for this processor"):
            named(x)
    assert (found.float() - wanted).norm() <= 0.03 * wanted.norm()


def two_calls(layer, x, lengths):
    """Outputs, final state and all gradients of two calls, the second from the state of the first."""
    layer.zero_grad()
    first, state = layer(x, lengths=lengths)
    second, state = layer(x, state, lengths=lengths)
    (first.float().sum() + second.float().square().sum() + sum(s.square().sum() for s in state)).backward()
    return [first.float(), second.float(), *state, *(p.grad for p in layer.parameters())]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True, "initial_state": "learned"}])
@pytest.mark.parametrize("lengths", [None, [5, 0, 3]])
@pytest.mark.parametrize(("name", "engine", "kind"), CASES)
def test_autocast_stays_close_to_single_precision(name, engine, kind, lengths, options):
    layer = layer_of(name, engine, **options)
    x = torch.randint(6, (5, 3)) if kind == "whole numbers" else torch.randn(5, 3, 6).bfloat16().float()
    wanted = two_calls(layer, x, lengths)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = two_calls(layer, x.bfloat16() if kind == "bfloat16" else x, lengths)
    for value, reference in zip(got, wanted, strict=True):
        assert value.dtype == torch.float32
        # Some dozens of roundings to eight bits; a unit of relu may be on at one precision and off at the other.
        assert (value - reference).norm() <= (0.15 if name == "elman-relu" else 0.03) * reference.norm() + 1e-6


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("name", "engine"), [p for p in PAIRS if p[0] != "lstm-projected"])
def test_a_stream_under_autocast_stays_close_to_single_precision(name, engine, dtype):
    layer = layer_of(name, engine)
    x = torch.randn(6, 2, 6).bfloat16()
    with torch.no_grad():
        whole, _ = layer(x.float())
    state, outputs = None, []
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for x_t in x:
            y, state = layer.step(x_t.to(dtype), state)
            outputs.append(y.float())
    assert {s.dtype for s in state} == {torch.float32}
    got = torch.stack(outputs)
    assert (got - whole).norm() <= 0.02 * whole.norm()
    got.sum().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.isfinite().all() for p in layer.parameters())


@pytest.mark.parametrize(("name", "engine"), [p for p in PAIRS if p[0] != "lstm-projected"])
def test_a_state_that_a_linear_map_made_under_autocast_is_accepted(name, engine):
    layer, bridge = layer_of(name, engine), torch.nn.Linear(3, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        made = bridge(torch.randn(1, 2, 3))
        assert made.dtype == torch.bfloat16
        x = torch.randn(4, 2, 6)
        y, _ = layer(x, (made,) * len(layer.cell.states))
        wanted, _ = layer(x, (made.float(),) * len(layer.cell.states))
    assert torch.equal(y, wanted)
    y.float().sum().backward()
    assert bridge.weight.grad.abs().min() > 0


@pytest.mark.parametrize(("name", "engine"), [p for p in PAIRS if p[0] != "lstm-projected"])
def test_a_state_goes_out_of_autocast_and_into_it(name, engine):
    layer = layer_of(name, engine)
    x = torch.randn(4, 2, 6)
    with torch.no_grad():
        whole, _ = layer(x)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            _, state = layer(x[:2])
        y, state = layer(x[2:3], state)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            z, _ = layer(x[3:], state)
    torch.testing.assert_close(torch.cat([y, z.float()]), whole[2:], atol=0.02, rtol=0)
