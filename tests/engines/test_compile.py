"""torch.compile takes whole models as one graph, with the numbers and gradients that they have without it."""

import shutil
from importlib import import_module

import pytest
import torch
import torch._dynamo.testing

import unrolled as un
from engines_here import needs_native
from unrolled.engines.native.bindings import _of_key, bind, binding_of
from unrolled.engines.native.call import Call, Given
from unrolled.errors import ShapeError

pytestmark = [needs_native, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Dynamo")]

STEPS, BATCH, INPUTS, UNITS = 5, 3, 4, 6


@pytest.fixture(autouse=True)
def forgotten():
    """Every test compiles for itself."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def outcome(function, layer, x, **options):
    """Results and the gradients of a random linear function of them."""
    torch.manual_seed(7)
    x = x.clone().requires_grad_() if x.is_floating_point() else x
    y, state = function(x, **options)
    results = [y, *(state if isinstance(state, tuple) else (state,))]
    generator = torch.Generator().manual_seed(5)
    total = sum((r * torch.randn(r.shape, dtype=r.dtype, generator=generator)).sum() for r in results)
    inputs = [*([x] if x.requires_grad else []), *layer.parameters()]
    return [*results, *torch.autograd.grad(total, inputs)]


def compare(layer, x, backend="aot_eager", **options):
    compiled = torch.compile(layer, fullgraph=True, backend=backend)
    wanted = outcome(layer, layer, x, **options)
    for _ in range(2):
        for got, expected in zip(outcome(compiled, layer, x, **options), wanted, strict=True):
            torch.testing.assert_close(got, expected, rtol=0, atol=1e-12 if x.dtype == torch.float64 else 1e-5)
    assert "last call: engine native" in layer.explain()


def dense(dtype=torch.float64):
    torch.manual_seed(1)
    return torch.randn(STEPS, BATCH, INPUTS, dtype=dtype)


def lengths():
    return torch.tensor([3, 0, 5])


def resets():
    return torch.rand(STEPS, BATCH, generator=torch.Generator().manual_seed(3)) < 0.4


@pytest.mark.parametrize(
    ("kind", "options", "call"),
    [
        (un.LSTM, {}, {}),
        (un.GRU, {"bidirectional": True, "num_layers": 2, "dropout": 0.5}, {"lengths": lengths()}),
        (un.RNN, {"initial_state": "learned"}, {"resets": resets(), "lengths": lengths()}),
        (un.LSTM, {"proj_size": 2, "bidirectional": True}, {"resets": resets()}),
        (un.LSTM, {"recurrent_dropout": 0.5, "num_layers": 2, "initial_state": "learned"}, {"lengths": lengths()}),
        (un.LSTM, {"batch_first": True}, {"lengths": torch.tensor([3, 0, 2, 1, 2])}),
    ],
)
def test_drop_ins(kind, options, call):
    torch.manual_seed(0)
    compare(kind(INPUTS, UNITS, dtype=torch.float64, engine="native", **options), dense(), **call)


@pytest.mark.parametrize("cell", ["lstm-norm", "gru-simplified"])
def test_cells_with_all_options(cell):
    torch.manual_seed(0)
    options = {"bidirectional": True, "recurrent_dropout": 0.3, "dropout": 0.2, "initial_state": "learned", "residual": True}
    layer = un.Recurrent(cell, INPUTS, UNITS, 2, dtype=torch.float64, engine="native", **options)
    compare(layer, dense(), lengths=lengths(), resets=resets())


def test_a_model_with_whole_numbers_and_a_loss_that_trains():
    def model():
        torch.manual_seed(0)
        return torch.nn.ModuleDict({"layer": un.GRU(9, UNITS, engine="native"), "head": torch.nn.Linear(UNITS, 9)})

    def loss(parts, x, real):
        y, _ = parts["layer"](x, lengths=real)
        return torch.nn.functional.cross_entropy(parts["head"](y).flatten(0, 1), x.flatten())

    x = torch.randint(9, (STEPS, BATCH), generator=torch.Generator().manual_seed(0))
    ends = []
    for wrap in (lambda f: f, lambda f: torch.compile(f, fullgraph=True, backend="aot_eager")):
        parts = model()
        optimiser, function = torch.optim.SGD(parts.parameters(), 0.5), wrap(loss)
        for _ in range(4):
            optimiser.zero_grad()
            value = function(parts, x, lengths())
            value.backward()
            optimiser.step()
        ends.append([value, *parts.parameters()])
    for got, wanted in zip(ends[1], ends[0], strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize(("cell", "bidirectional"), [("lstm", False), ("gru", True)])
def test_segments_with_rows_that_are_set_back(cell, bidirectional):
    torch.manual_seed(0)
    layer = un.Recurrent(cell, 4, 6, checkpoint_steps=2, bidirectional=bidirectional)
    x, resets = torch.randn(5, 3, 4), torch.rand(5, 3) < 0.4
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, resets=resets, lengths=[5, 0, 3])[0], layer(x, resets=resets, lengths=[5, 0, 3])[0])


def test_shapes_that_change_take_one_graph_more():
    torch.manual_seed(0)
    layer = un.LSTM(INPUTS, UNITS, 2, dtype=torch.float64, engine="native")
    counter = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(layer, fullgraph=True, backend=counter)
    for steps, batch in [(5, 3), (7, 4), (9, 5), (11, 6), (3, 8)]:
        x = torch.randn(steps, batch, INPUTS, dtype=torch.float64)
        real = torch.arange(batch) % (steps + 1)
        for got, wanted in zip(outcome(compiled, layer, x, lengths=real), outcome(layer, layer, x, lengths=real), strict=True):
            torch.testing.assert_close(got, wanted, rtol=0, atol=1e-12)
    assert counter.frame_count <= 2


def test_without_gradients():
    layer = un.LSTM(INPUTS, UNITS, bidirectional=True, engine="native")
    compiled, x = torch.compile(layer, fullgraph=True, backend="aot_eager"), dense(torch.float32)
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            y, state = compiled(x, lengths=lengths())
            torch.testing.assert_close((y, state), layer(x, lengths=lengths()))


@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="inductor needs a C++ compiler")
def test_inductor():
    """In this process: no other need be begun that compiles."""
    torch.manual_seed(0)
    layer = un.LSTM(INPUTS, UNITS, bidirectional=True, engine="native")
    inductor = import_module("torch._inductor.config")
    with inductor.patch(compile_threads=1):
        compare(layer, dense(torch.float32), "inductor", lengths=lengths(), resets=resets())


@pytest.mark.parametrize("wrong", [[6, 0, 5], [3, -1, 5], [2**40, 0, 5]])
def test_lengths_out_of_range_are_refused_when_they_are_known(wrong):
    layer = un.LSTM(INPUTS, UNITS, engine="native")
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    compiled(dense(torch.float32), lengths=lengths())
    with pytest.raises(ShapeError, match="`lengths` must lie between 0 and T = 5"):
        compiled(dense(torch.float32), lengths=torch.tensor(wrong))


def test_whole_numbers_out_of_range_are_refused_when_they_are_known():
    layer = un.GRU(9, UNITS, engine="native")
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    x = torch.zeros(STEPS, BATCH, dtype=torch.long)
    x[3:, 0] = x[:, 1] = 2**40  # past the ends
    torch.testing.assert_close(compiled(x, lengths=lengths())[0], layer(x, lengths=lengths())[0])
    for wrong in (9, -1, 2**40):
        x[4, 2] = wrong
        with pytest.raises(ShapeError, match="between 0 and input_size - 1 = 8"):
            compiled(x, lengths=lengths())


def arguments(numbers=False, masked=False, padded=True, cut=True):
    """What the operators are given; the graph ends at these tensors."""
    torch.manual_seed(0)
    options = {"recurrent_dropout": 0.5} if masked else {}
    layer = un.LSTM(INPUTS, UNITS, dtype=torch.float64, engine="native", **options)
    x = torch.randint(INPUTS, (STEPS, BATCH)) if numbers else dense()
    initial = tuple(torch.randn(BATCH, UNITS, dtype=torch.float64, requires_grad=True) for _ in range(2))
    problem = layer.problem((0, 0), x if numbers else x.requires_grad_(), initial, None, None, every_state=False)
    masks = list((problem.masks or {}).values())
    return Given(bind(problem), problem.x, problem.weights.stored, list(initial), masks, lengths() if padded else None,
                 resets() if cut else None, False)  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"numbers": True}, {"masked": True}, {"padded": False, "cut": False}])
def test_the_operators_keep_the_rules_of_torch(options, monkeypatch):
    # Opcheck compares the tape, too, of which the forward pass writes a part only.
    fresh = Call.tape
    monkeypatch.setattr(Call, "tape", lambda *given, **how: fresh(*given, **how).zero_())
    given = arguments(**options)
    torch.library.opcheck(torch.ops.unrolled.forward, (*given, True, True))
    with torch.no_grad():
        *found, tape = torch.ops.unrolled.forward(*given, True, True)
        flows = [torch.randn_like(f) for f in found]
        constant = lambda ts: [t.detach() for t in ts]  # noqa: E731
        apart = given._replace(x=given.x.detach(), stored=constant(given.stored), initial=constant(given.initial))
        torch.library.opcheck(torch.ops.unrolled.backward, (*apart, tape, flows[:2], flows[2:], [0, 2], apart.x.is_floating_point()))


def test_a_key_tells_all_of_a_kernel(monkeypatch):
    layer = un.LSTM(INPUTS, UNITS, proj_size=2, bias=False, dtype=torch.float64, engine="native", recurrent_dropout=0.5)
    initial = tuple(torch.zeros(BATCH, n, dtype=torch.float64) for n in (2, UNITS))
    key = bind(layer.problem((0, 0), dense(), initial, None, None, every_state=False))
    known = binding_of(key)
    monkeypatch.delitem(_of_key, key)
    again = binding_of(key)
    assert again is not known
    assert (again.kernel, again.places, again.rows, again.mask_labels) == (known.kernel, known.places, known.rows, known.mask_labels)
    assert again.plan is known.plan
