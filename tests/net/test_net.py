"""The test net of every cell: the same questions to all built-in cells and to two written here."""

import itertools

import numpy as np
import pytest
import torch

import by_hand
import plan_in_numpy
import unrolled as un
from by_hand import CELLS
from engines_here import HERE
from slopes import assert_slopes, weighted
from unrolled.compiler import make_plan
from unrolled.engines.fused import kernel_of
from unrolled.equations import parse, to_text

STATED = 16
"""How many rounding errors of one operation each may count, on average: the same everywhere."""


def tolerance(dtype, *operations):
    return torch.finfo(dtype).eps * float(np.prod(operations)) ** 0.5 * STATED


def fused(name):
    """Whether the engine `torch` runs the cell; with states of equal size it has no projection."""
    kernel = kernel_of(CELLS[name].recurrence)
    return kernel is not None and not kernel.projection


PAIRS = [(name, engine) for name in CELLS for engine in HERE if engine != "torch" or fused(name)]
"""Every cell with every engine that runs it."""


def layer_of(name, inputs, units, engine="eager", dtype=torch.float64, seed=0, **options):
    """A layer whose every number is random and distinct, so that no two gates can be exchanged unnoticed."""
    torch.manual_seed(seed)
    layer = un.Recurrent(CELLS[name], inputs, units, engine=engine, dtype=dtype, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5 / units**0.5 if parameter.dim() > 1 else 0.5)
    return layer


def state_of(layer, batch, dtype=torch.float64):
    places = layer.num_layers * (2 if layer.bidirectional else 1)
    return tuple(torch.randn(places, batch, layer.hidden_size, dtype=dtype) * 0.5 for _ in layer.cell.states)


def blocks(layer, reverse=False):
    return {p.name: layer.block(p.name, reverse=reverse).numpy() for p in layer.cell.recurrence.parameters}


def solution(layer, x, state, lengths=None, cotangents=None):
    """Everything that a call gives, with the gradients of a random linear function of it."""
    x = x.clone().requires_grad_()
    state = tuple(s.clone().requires_grad_() for s in state)
    y, final, *_ = layer(x, state, lengths=lengths)
    results = (y, *final)
    cotangents = cotangents or [torch.randn(r.shape, dtype=r.dtype, generator=torch.Generator().manual_seed(5)) for r in results]
    total = sum((r * c).sum() for r, c in zip(results, cotangents, strict=True))
    inputs = [x, *state, *layer.parameters()]
    gradients = torch.autograd.grad(total, inputs, allow_unused=True)
    return [*results, *(torch.zeros_like(i) if g is None else g for i, g in zip(inputs, gradients, strict=True))]


@pytest.mark.parametrize("name", CELLS)
def test_typeset_text_parses_back(name):
    cell = CELLS[name]
    again = parse(to_text(cell.recurrence), cell.recurrence.output)
    assert again == cell.recurrence
    assert to_text(again) == to_text(cell.recurrence)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, [2, 4, 0, 5]])
def test_eager_equals_the_loop_by_hand(name, lengths, reverse):
    layer = layer_of(name, 3, 5, bidirectional=True)
    x, state = torch.randn(5, 4, 3, dtype=torch.float64), state_of(layer, 4)
    place = int(reverse)
    history, final = by_hand.run(
        name,
        blocks(layer, reverse),
        x.numpy(),
        {s: v[place].numpy() for s, v in zip(layer.cell.states, state, strict=True)},
        lengths,
        reverse,
    )
    y, got, every = layer(x, state, lengths=lengths, return_states=True)
    own = y[..., 5:] if reverse else y[..., :5]
    np.testing.assert_allclose(own.detach(), history[layer.cell.states[0]], atol=1e-12, rtol=0)
    for s, states, last in zip(layer.cell.states, every, got, strict=True):
        np.testing.assert_allclose(states[place].detach(), history[s], atol=1e-12, rtol=0)
        np.testing.assert_allclose(last[place].detach(), final[s], atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", CELLS)
def test_first_and_second_derivatives_equal_finite_differences(name):
    layer = layer_of(name, 2, 3)
    x, state = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True), tuple(s.requires_grad_() for s in state_of(layer, 2))

    def total():
        y, final = layer(x, state, lengths=[3, 1])
        return weighted(y, *final)

    assert_slopes(total, [x, *state, *layer.parameters()], order=2)


@pytest.mark.parametrize("name", CELLS)
def test_gradient_along_a_random_direction(name):
    layer = layer_of(name, 4, 6)
    x, state = torch.randn(7, 3, 4, dtype=torch.float64), state_of(layer, 3)
    total = lambda: sum((r**2).sum() for r in (layer(x, state)[0], *layer(x, state)[1]))  # noqa: E731
    parameters = list(layer.parameters())
    gradients = torch.autograd.grad(total(), parameters)
    directions = [torch.randn_like(p) for p in parameters]
    expected = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True)).item()
    with torch.no_grad():
        values = []
        for sign in (1, -1):
            for p, d in zip(parameters, directions, strict=True):
                p.add_(d, alpha=sign * 1e-6)
            values.append(total().item())
            for p, d in zip(parameters, directions, strict=True):
                p.sub_(d, alpha=sign * 1e-6)
    assert (values[0] - values[1]) / 2e-6 == pytest.approx(expected, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("name", CELLS)
def test_derived_adjoint_equals_automatic_differentiation(name):
    layer = layer_of(name, 3, 4)
    x = torch.randn(6, 2, 3, dtype=torch.float64, requires_grad=True)
    state = tuple(s.requires_grad_() for s in state_of(layer, 2))
    *_, every = layer(x, state, return_states=True)
    cotangents = {s: torch.randn(6, 2, 4, dtype=torch.float64) for s in layer.cell.states}
    total = sum((e[0] * cotangents[s]).sum() for s, e in zip(layer.cell.states, every, strict=True))
    wanted = torch.autograd.grad(total, [x, *state, *layer.parameters()], allow_unused=True)
    gradients, into_x, into_state = plan_in_numpy.derivative(
        make_plan(layer.cell.recurrence),
        blocks(layer),
        x.detach().numpy(),
        {s: v[0].detach().numpy() for s, v in zip(layer.cell.states, state, strict=True)},
        {s: c.numpy() for s, c in cotangents.items()},
    )
    got = [into_x, *(into_state[s] for s in layer.cell.states), *(gradients[p.name] for p in layer.cell.recurrence.parameters)]
    for value, reference in zip(got, wanted, strict=True):
        np.testing.assert_allclose(value, 0 if reference is None else reference.reshape(value.shape), atol=1e-11, rtol=0)


@pytest.mark.parametrize(("name", "engine"), [p for p in PAIRS if p[1] != "eager"])
@pytest.mark.parametrize(("units", "batch", "lengths"), [(1, 1, None), (3, 4, [3, 0, 4, 1]), (15, 3, [0, 0, 0]), (16, 5, [9, 9, 9, 9, 9]),
    (17, 2, [1, 9]), (63, 3, None), (64, 1, [7]), (65, 3, [9, 4, 0])])  # fmt: skip
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_engine_equals_eager(name, engine, units, batch, lengths, dtype):
    steps, inputs = 9, 5
    for bidirectional in (False, True):
        layer = layer_of(name, inputs, units, dtype=dtype, bidirectional=bidirectional)
        x, state = torch.randn(steps, batch, inputs, dtype=dtype), state_of(layer, batch, dtype)
        reference = solution(layer, x, state, lengths)
        layer.engine = engine
        for got, wanted in zip(solution(layer, x, state, lengths), reference, strict=True):
            scale = max(1.0, wanted.abs().max().item() if wanted.numel() else 0.0)
            torch.testing.assert_close(got, wanted, atol=tolerance(dtype, steps, units + inputs) * scale, rtol=0)


@pytest.mark.parametrize(("name", "engine"), PAIRS)
def test_carried_state_continues_a_sequence(name, engine):
    layer = layer_of(name, 3, 5, engine, num_layers=2)
    x = torch.randn(7, 2, 3, dtype=torch.float64)
    whole, last = layer(x)
    first, state = layer(x[:3])
    second, end = layer(x[3:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole, atol=1e-13, rtol=0)
    torch.testing.assert_close(end, last, atol=1e-13, rtol=0)
    state = None
    for t in range(7):
        y, state = layer.step(x[t], state)
        torch.testing.assert_close(y, whole[t], atol=1e-13, rtol=0)
    torch.testing.assert_close(state, last, atol=1e-13, rtol=0)


@pytest.fixture
def poisoned():
    """Uninitialised memory is NaN."""
    torch.use_deterministic_algorithms(True)
    assert torch.utils.deterministic.fill_uninitialized_memory
    assert torch.empty(3).isnan().all()
    yield
    torch.use_deterministic_algorithms(False)


@pytest.mark.usefixtures("poisoned")
@pytest.mark.parametrize(("name", "engine"), PAIRS)
def test_nan_in_padding_and_in_fresh_memory_reaches_nothing(name, engine):
    layer = layer_of(name, 3, 5, engine, bidirectional=True, num_layers=2)
    lengths = [2, 6, 0, 4]
    x, state = torch.randn(6, 4, 3, dtype=torch.float64), state_of(layer, 4)
    clean = solution(layer, x, state, lengths)
    for row, length in enumerate(lengths):
        x[length:, row] = torch.nan
    poisoned = solution(layer, x, state, lengths)
    for got, wanted in zip(poisoned, clean, strict=True):
        assert torch.equal(got, wanted)
        assert not got.isnan().any()


@pytest.mark.parametrize(("name", "engine"), [pair for pair in PAIRS if pair[0] != "light"])
def test_nan_in_a_valid_input_reaches_the_output_of_its_row_alone(name, engine):
    layer = layer_of(name, 3, 5, engine)
    x = torch.randn(4, 2, 3, dtype=torch.float64)
    x[1, 0, 0] = torch.nan
    y, state = layer(x, lengths=[4, 3])
    assert y[1:, 0].isnan().all()
    assert not y[0].isnan().any()
    assert not y[:, 1].isnan().any()
    assert state[0][0, 0].isnan().all()


SYMMETRIC = {"i", "z"}
"""Gates of the LSTM that are only ever multiplied with each other: exchanging them changes nothing."""


def _mutations(text):
    """The text with two gates exchanged, and with one sign flipped, in every possible place."""
    lines = text.splitlines()
    for i, j in itertools.combinations(range(len(lines)), 2):
        names = [line.split("[t]")[0] for line in (lines[i], lines[j])]
        rights = [line.split(" = ", 1)[1] for line in (lines[j], lines[i])]
        if all("@" in r for r in rights) and set(names) != SYMMETRIC:
            swapped = list(lines)
            swapped[i], swapped[j] = f"{names[0]}[t] = {rights[0]}", f"{names[1]}[t] = {rights[1]}"
            yield "\n".join(swapped)
    for index, character in enumerate(text):
        if text[index - 1 : index + 2] in (" + ", " - ", "(1 -"):
            yield text[:index] + ("-" if character == "+" else "+") + text[index + 1 :]


@pytest.mark.parametrize("name", CELLS)
def test_a_mutated_cell_is_noticed(name):
    layer = layer_of(name, 3, 4)
    x, state = torch.randn(4, 2, 3, dtype=torch.float64), state_of(layer, 2)
    start = {s: v[0].numpy() for s, v in zip(layer.cell.states, state, strict=True)}
    history, _ = by_hand.run(name, blocks(layer), x.numpy(), start)
    mutations = 0
    for text in _mutations(layer.cell.equations):
        try:
            mutant = un.Cell("mutant", text, output=layer.cell.recurrence.output)
        except un.errors.EquationError:
            continue
        other = un.Recurrent(mutant, 3, 4, engine="eager", dtype=torch.float64)
        other.load_state_dict(layer.state_dict())
        order = [mutant.states.index(s) for s in layer.cell.states]
        y, _ = other(x, tuple(state[order.index(k)] for k in range(len(state))))
        assert not np.allclose(y.detach(), history[layer.cell.recurrence.output], atol=1e-6, rtol=0), text
        mutations += 1
    assert mutations >= 1
