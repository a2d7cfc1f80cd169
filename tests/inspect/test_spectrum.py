"""Singular values and Lyapunov exponents, against NumPy and against theory."""

import itertools

import numpy as np
import pytest
import torch

import unrolled as un
from by_hand import CELLS, STEPS
from unrolled.models import NextStepOptions, language_model

DOUBLE = torch.float64


def layer_of(cell, *sizes, **options):
    torch.manual_seed(0)
    layer = un.Recurrent(cell, *sizes, dtype=DOUBLE, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer


def jacobian_by_hand(layer, place, x, states, step=1e-6):
    """∂(states after)/∂(states before) of one row, by central differences of the cell written in NumPy."""
    name, p = layer.cell.name, {q.name: layer.block(q.name, place[0], bool(place[1])).numpy() for q in layer.cell.recurrence.parameters}
    sizes = np.cumsum([len(states[s]) for s in layer.cell.states])[:-1]

    def after(flat):
        found = STEPS[name](p, x[None], {s: v[None] for s, v in zip(layer.cell.states, np.split(flat, sizes), strict=True)})
        return np.concatenate([found[s][0] for s in layer.cell.states])

    flat = np.concatenate([states[s] for s in layer.cell.states])
    return np.stack([(after(flat + step * unit) - after(flat - step * unit)) / (2 * step) for unit in np.eye(len(flat))], 1)


@pytest.mark.parametrize("cell", [*CELLS.values()], ids=[*CELLS])
def test_step_jacobians_are_those_of_the_cell_by_hand(cell):
    layer, x = layer_of(cell, 3, 4, bidirectional=True), torch.randn(5, 2, 3, dtype=DOUBLE)
    lengths = [5, 3]
    found = un.inspect.jacobian_spectrum(layer, x, lengths)
    _, _, history = layer(x, lengths=lengths, return_states=True)
    for (row, n), direction in itertools.product(enumerate(lengths), (0, 1)):
        place = found.places[direction]
        assert place.place == (0, direction)
        assert np.isnan(place.singular[n:, row]).all()
        for t in range(n):
            earlier = t + 1 if direction else t - 1
            start = {s: (h[direction, earlier, row] if 0 <= earlier < n else torch.zeros(4)).detach().numpy()
                     for s, h in zip(cell.states, history, strict=True)}  # fmt: skip
            wanted = np.linalg.svd(jacobian_by_hand(layer, (0, direction), x[t, row].numpy(), start), compute_uv=False)
            np.testing.assert_allclose(place.singular[t, row], wanted, atol=1e-8 * max(1, wanted[0]))


def test_maps_by_name():
    layer = layer_of("lstm", 3, 4, 2)
    found = un.inspect.jacobian_spectrum(layer, torch.randn(5, 1, 3, dtype=DOUBLE))
    assert [p.place for p in found.places] == [(0, 0), (1, 0)]
    assert list(found.places[1].maps) == ["R_i", "R_f", "R_o", "R_z"]
    np.testing.assert_allclose(found.places[1].maps["R_o"], np.linalg.svd(layer.block("R_o", 1).numpy(), compute_uv=False))
    alone = un.inspect.recurrent_maps(layer)
    assert list(alone) == list(found.maps) == list(layer.places)
    for place, maps in found.maps.items():
        np.testing.assert_array_equal(alone[place]["R_z"], maps["R_z"])


@pytest.mark.parametrize("reverse", [False, True])
def test_the_exponents_of_a_linear_map_are_those_of_its_eigenvalues(reverse):
    layer = un.Recurrent(un.Cell("linear", "h[t] = W @ x[t] + R @ h[t-1]"), 2, 4, dtype=DOUBLE, bidirectional=reverse)
    sizes = np.array([1.05, 0.7, 0.4, 0.2])
    torch.manual_seed(0)
    turn = torch.linalg.qr(torch.randn(4, 4, dtype=DOUBLE)).Q
    layer.block("R", 0, reverse).copy_(turn @ torch.diag(torch.as_tensor(sizes)) @ turn.T)
    found = un.inspect.jacobian_spectrum(layer, torch.randn(400, 2, 2, dtype=DOUBLE), [400, 300], exponents=3).places[int(reverse)]
    assert found.exponents.shape == (2, 3)
    np.testing.assert_allclose(found.exponents, np.broadcast_to(np.log(sizes[:3]), (2, 3)), atol=1e-9)
    assert found.rate == pytest.approx(1.05)


@pytest.mark.parametrize(("last", "forward", "reverse"), [(None, slice(3, 30), slice(0, 27)), (20, slice(12, 30), slice(0, 18)), (99, slice(3, 30), slice(0, 27))])  # fmt: skip
def test_the_exponents_are_those_of_the_product_of_all_steps(last, forward, reverse):
    """The sum of all exponents is the mean logarithm of the steps' volumes, whatever the directions do."""
    layer, x = layer_of("lstm", 3, 4, bidirectional=True), torch.randn(33, 2, 3, dtype=DOUBLE)
    for place, steps in zip(un.inspect.jacobian_spectrum(layer, x, [33, 30], last=last).places, (forward, reverse), strict=True):
        np.testing.assert_allclose(place.exponents[1].sum(), np.log(place.singular[steps, 1]).sum(-1).mean(), rtol=1e-9)
        assert (np.diff(place.exponents) <= 0).all()


@pytest.mark.parametrize(("factor", "verdict"), [
    (0.9, "A small difference in the state halves every 6.6 steps."),
    (1.0, "A small difference in the state is kept within a factor of 2 over 50 steps: 1 per step."),
    (1.08, "A small difference in the state explodes: 1.08 per step."),
])  # fmt: skip
def test_a_turning_map_is_judged_by_its_singular_value(factor, verdict):
    layer = un.Recurrent("elman", 3, 5, dtype=DOUBLE)
    layer.block("R_h").mul_(factor)
    found = un.inspect.jacobian_spectrum(layer, torch.randn(50, 1, 3, dtype=DOUBLE) * 1e-9)
    np.testing.assert_allclose(found.places[0].singular, factor)
    np.testing.assert_allclose(found.places[0].maps["R_h"], factor)
    assert found.verdict == verdict


def test_only_some_steps_are_taken_whole_and_sequences_without_steps_have_none():
    layer = layer_of("gru", 3, 4)
    found = un.inspect.jacobian_spectrum(layer, torch.randn(9, 2, 3, dtype=DOUBLE), [9, 0], samples=3).places[0]
    assert found.steps.tolist() == [0, 4, 8]
    assert found.singular.shape == (3, 2, 4)
    assert np.isnan(found.singular[:, 1]).all()
    assert np.isnan(found.exponents[1]).all()
    assert found.rate == pytest.approx(np.exp(found.exponents[0, 0]))


def test_a_state_that_is_not_read_has_no_exponent():
    layer = un.Recurrent(un.Cell("plain", "h[t] = tanh(W @ x[t])\nc[t] = c[t-1] + h[t]", output="c"), 3, 4, dtype=DOUBLE)
    found = un.inspect.jacobian_spectrum(layer, torch.randn(5, 1, 3, dtype=DOUBLE))
    np.testing.assert_allclose(found.places[0].singular, 1)


def test_a_state_of_which_nothing_is_left():
    model = language_model(5, NextStepOptions(cell="elman", hidden=3, embedding=2))
    model.recurrent.block("R_h").zero_()
    found = un.inspect.jacobian_spectrum(model, torch.randint(5, (6,)))
    assert found.places[0].rate == 0
    assert found.verdict == "A small difference in the state is gone after one step."
