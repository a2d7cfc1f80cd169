"""torch.compile: one graph for all sizes, with the numbers and gradients that torch.nn's layers have without it."""

import pytest
import torch
import torch._dynamo.testing

from engines_here import needs_native
from pairs import INPUTS, assert_same, flat, gradients, make_pair, state_for

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Dynamo")]


@pytest.fixture(autouse=True)
def forgotten():
    """Every test compiles for itself."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def compiled(layer, backend="aot_eager"):
    return torch.compile(layer, fullgraph=True, dynamic=True, backend=backend)


def outcome(function, layer, x):
    """As `gradients`, of a function that calls the layer."""
    call = lambda *given: function(*given)  # noqa: E731
    call.zero_grad, call.named_parameters = layer.zero_grad, layer.named_parameters
    return gradients(call, x)


@pytest.mark.parametrize("kind", ["GRU"])
@needs_native
def test_one_graph_takes_every_length_and_batch(kind):
    pair = make_pair(kind, "native", layers=2, bidirectional=True)
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    function, counts = compiled(pair.ours, counter), set()
    for steps, batch in [(6, 4), (9, 2), (2, 8)]:
        x = torch.randn(steps, batch, INPUTS, dtype=torch.float64)
        assert_same(outcome(function, pair.ours, x), gradients(pair.theirs, x))
        counts.add(counter.frame_count)
    assert len(counts) == 1


@pytest.mark.parametrize("engine", ["torch", "eager"])
@pytest.mark.parametrize("kind", ["LSTM"])
def test_other_engines_compile_where_torch_s_own_layer_does(kind, engine):
    pair = make_pair(kind, engine, steps=2)
    with torch._dynamo.config.patch(allow_rnn=True):
        compiled(pair.theirs, "eager")(pair.x)
    assert_same(outcome(compiled(pair.ours), pair.ours, pair.x), gradients(pair.theirs, pair.x))


@needs_native
@pytest.mark.parametrize("kind", ["LSTM"])
def test_without_gradients_and_with_a_state_that_is_given(kind):
    pair = make_pair(kind, "native", bidirectional=True)
    function, hx = compiled(pair.ours), state_for(pair)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert_same(flat(function(pair.x, hx=hx)), flat(pair.theirs(pair.x, hx)))


@pytest.mark.parametrize("kind", ["tanh"])
@needs_native
def test_weights_that_change_are_seen_by_the_graph(kind):
    pair = make_pair(kind, "native")
    function = compiled(pair.ours)
    for _ in range(3):
        assert_same(outcome(function, pair.ours, pair.x), gradients(pair.theirs, pair.x))
        for layer in pair.both:
            torch.optim.SGD(layer.parameters(), 0.1).step()


@needs_native
@pytest.mark.parametrize("kind", ["GRU"])
def test_segments_in_one_graph(kind):
    pair = make_pair(kind, "native")
    pair.ours.checkpoint_steps = 3
    assert_same(outcome(compiled(pair.ours), pair.ours, pair.x), gradients(pair.theirs, pair.x))


@needs_native
def test_an_empty_batch_has_gradients_of_zero():
    pair = make_pair("LSTM", "native")
    function = compiled(pair.ours)
    assert_same(outcome(function, pair.ours, pair.x), gradients(pair.theirs, pair.x))
    nothing = pair.x[:, :0]
    assert_same(outcome(function, pair.ours, nothing), gradients(pair.theirs, nothing))
