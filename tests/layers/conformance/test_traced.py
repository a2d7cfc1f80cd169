"""torch.fx sees a layer as one operation; torch.jit.trace keeps what it computes; torch.jit.script refuses it in plain words."""

import pytest
import torch
from torch import fx, nn

from engines_here import HERE, needs_native
from pairs import assert_same, flat, gradients, make_pair, state_for
from unrolled.errors import ConfigError, EngineError

FREE = [*(engine for engine in HERE if engine != "native"), "auto"]
old = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")


class Model(nn.Module):
    """A layer between others, called by torch's names for its arguments."""

    def __init__(self, layer, named):
        super().__init__()
        self.layer, self.named = layer, named

    def forward(self, x, hx):
        """A function of output and state."""
        y, state = self.layer(input=x, hx=hx) if self.named else self.layer(x * 2, hx)
        return y.tanh(), state

    def __deepcopy__(self, memo):
        """torch.fx's graph is to keep the very layer."""
        return self


@pytest.mark.parametrize("named", [False, True])
def test_fx_traces_a_model_with_the_layer_as_a_leaf(kind, engine, named):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    found, wanted = (fx.symbolic_trace(Model(layer, named)) for layer in pair.both)
    assert [(n.op, str(n.target)) for n in found.graph.nodes] == [(n.op, str(n.target)) for n in wanted.graph.nodes]
    hx = state_for(pair)
    assert_same(flat(found(pair.x, hx)), flat(wanted(pair.x, hx)))
    for layer, model in zip(pair.both, (found, wanted), strict=True):
        layer.zero_grad()
        model(pair.x, hx)[0].square().sum().backward()
    assert_same(*({n: p.grad for n, p in layer.named_parameters()} for layer in pair.both))


def test_fx_traces_a_layer_in_a_row_of_modules(kind):
    pair = make_pair(kind)

    class First(nn.Module):
        def forward(self, given):
            return given[0]

    found, wanted = (fx.symbolic_trace(nn.Sequential(layer, First())) for layer in pair.both)
    assert [n.op for n in found.graph.nodes] == [n.op for n in wanted.graph.nodes]
    assert_same(found(pair.x), wanted(pair.x))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@old
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("engine", FREE)
def test_a_trace_gives_the_numbers_and_gradients_of_torch_s_layer(kind, engine, training):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    traced = torch.jit.trace(pair.ours.train(training), (torch.randn_like(pair.x),))
    call = lambda x, hx: traced(x)  # noqa: E731
    call.zero_grad, call.named_parameters = pair.ours.zero_grad, pair.ours.named_parameters
    assert_same(gradients(call, pair.x), gradients(pair.theirs, pair.x))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@old
@pytest.mark.parametrize("engine", FREE)
def test_a_trace_without_gradients_takes_every_batch(kind, engine):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    with torch.no_grad():
        found, wanted = (torch.jit.trace(layer.eval(), (pair.x,)) for layer in pair.both)
        for batch in (2, 5):
            x = torch.randn(pair.x.shape[0], batch, pair.x.shape[2], dtype=pair.x.dtype)
            assert_same(flat(found(x)), flat(wanted(x)))


@pytest.mark.parametrize("kind", ["LSTM"])
@old
@pytest.mark.parametrize("engine", FREE)
def test_a_trace_takes_states(kind, engine):
    pair = make_pair(kind, engine, layers=2, bidirectional=True)
    hx = state_for(pair)
    traced = torch.jit.trace(pair.ours, (pair.x, hx))
    assert_same(flat(traced(pair.x, hx)), flat(pair.theirs(pair.x, hx)))


@old
@needs_native
def test_a_trace_by_the_engine_native_is_refused(kind):
    pair = make_pair(kind, "native")
    with pytest.raises(EngineError, match="is to run without this package"):
        torch.jit.trace(pair.ours, (pair.x,))


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@old
@pytest.mark.parametrize("inside", [False, True])
def test_scripting_is_refused_with_what_to_use_instead(kind, engine, inside):
    layer = make_pair(kind, engine).ours
    with pytest.raises(ConfigError, match=r"torch\.export"):
        torch.jit.script(nn.Sequential(layer) if inside else layer)
