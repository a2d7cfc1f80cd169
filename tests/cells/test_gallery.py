"""Every cell of the gallery against a loop that was written from its paper, and what is said about it."""

import numpy as np
import pytest
import torch

import by_hand
import plan_in_numpy
import unrolled as un
from paper_problems import blocks, by_name, layer_of, problem_of
from unrolled.compiler import make_plan
from unrolled.equations import Along

STEPS, ROWS = 7, 3
SIZES = (5, 6), (6, 6), (5, 8)
"""Inputs and units: all different, equal for cells that add their input to a state, and units that four heads share."""

every_cell = pytest.mark.parametrize("name", un.cells.BUILT_IN)


@every_cell
def test_it_computes_what_its_paper_says(name):
    layer = layer_of(name, SIZES)
    x, state = problem_of(layer, STEPS, ROWS)
    wanted, last = by_hand.run(name, blocks(layer), x.numpy(), by_name(layer, state))
    y, final, every = layer(x, state, return_states=True)
    np.testing.assert_allclose(y.detach(), wanted[layer.cell.states[0]], atol=1e-12, rtol=1e-12)
    for s, values in by_name(layer, every).items():
        np.testing.assert_allclose(values, wanted[s], atol=1e-12, rtol=1e-12)
    for s, values in by_name(layer, final).items():
        np.testing.assert_allclose(values, last[s], atol=1e-12, rtol=1e-12)


def is_along(parameter):
    """Whether it reads a matrix that is a state, or makes one."""
    return isinstance(parameter.made, Along)


def along(role, units):
    """What a vector does for the rows or columns of a square matrix, and the other way round, as a matrix for the flat one."""
    unit, ones = torch.eye(units, dtype=torch.float64), torch.ones(units, 1, dtype=torch.float64)
    matrices = {"repeat": (unit, ones), "tile": (ones, unit), "add_columns": (unit, ones.T), "add_rows": (ones.T, unit)}
    return torch.kron(*matrices[role])


@every_cell
def test_its_derived_adjoint_is_the_derivative(name):
    layer = layer_of(name, SIZES)
    x, state = problem_of(layer, STEPS, ROWS)
    inputs = [x.requires_grad_(), *(s.requires_grad_() for s in state), *layer.parameters()]
    *_, every = layer(x, state, return_states=True)
    cotangents = [torch.randn_like(e[0]) for e in every]
    wanted = torch.autograd.grad(sum((e[0] * c).sum() for e, c in zip(every, cotangents, strict=True)), inputs, materialize_grads=True)
    weights = layer._weights_at((0, 0))
    read = {
        p.name: along(p.made.role, layer.hidden_size) if is_along(p) else weights.block(p.name) for p in layer.cell.recurrence.parameters
    }
    gradients, into_x, into_state = plan_in_numpy.derivative(
        make_plan(layer.cell.recurrence),
        {name: block.detach().numpy() for name, block in read.items()},
        x.detach().numpy(),
        by_name(layer, state),
        {s: c.numpy() for s, c in zip(layer.cell.states, cotangents, strict=True)},
    )
    # Maps that are made of others hand on what reaches them.
    reaching = sum((read[name] * torch.as_tensor(g).reshape(read[name].shape)).sum() for name, g in gradients.items())
    into_parameters = torch.autograd.grad(reaching, list(layer.parameters()), materialize_grads=True)
    got = [into_x, *(into_state[s] for s in layer.cell.states), *into_parameters]
    for value, reference in zip(got, wanted, strict=True):
        scale = max(1.0, reference.abs().max().item())
        np.testing.assert_allclose(value, reference.reshape(value.shape), atol=1e-11 * scale, rtol=0)


@every_cell
def test_it_can_be_learnt_from_how_it_begins(name):
    """Exponentials, quotients and states that begin with minus infinity give no numbers that are none."""
    layer = layer_of(name, SIZES, torch.float32)
    layer.reset_parameters()
    y, _ = layer(torch.rand(20, ROWS, layer.input_size))
    y.square().sum().backward()
    assert y.isfinite().all() and y.abs().max() < 1000
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters())
