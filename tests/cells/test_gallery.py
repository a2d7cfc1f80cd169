"""Every cell of the gallery against a loop that was written from its paper, and what is said about it."""

import numpy as np
import pytest
import torch

import by_hand
import plan_in_numpy
import unrolled as un
from unrolled.compiler import make_plan

STEPS, ROWS, INPUTS, UNITS = 7, 3, 5, 6
every_cell = pytest.mark.parametrize("name", un.cells.BUILT_IN)


def layer_of(name):
    """A layer with random numbers, all different; a cell that reads its input unit by unit has as many inputs as units."""
    torch.manual_seed(len(name))
    cell = un.cells.BUILT_IN[name]
    layer = un.Recurrent(cell, UNITS if cell.recurrence.reads_input_by_unit else INPUTS, UNITS, engine="eager", dtype=torch.float64)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer


def problem_of(layer):
    x = torch.randn(STEPS, ROWS, layer.input_size, dtype=torch.float64)
    return x, tuple(torch.rand(1, ROWS, size, dtype=torch.float64) + 0.1 for size in layer.state_sizes.values())


def blocks(layer):
    return {p.name: layer.block(p.name).numpy() for p in layer.cell.recurrence.parameters}


def by_name(layer, values):
    return {name: value[0].detach().numpy() for name, value in zip(layer.cell.states, values, strict=True)}


@every_cell
def test_it_computes_what_its_paper_says(name):
    layer = layer_of(name)
    x, state = problem_of(layer)
    wanted, last = by_hand.run(name, blocks(layer), x.numpy(), by_name(layer, state))
    y, final, every = layer(x, state, return_states=True)
    np.testing.assert_allclose(y.detach(), wanted[layer.cell.states[0]], atol=1e-12, rtol=1e-12)
    for s, values in by_name(layer, every).items():
        np.testing.assert_allclose(values, wanted[s], atol=1e-12, rtol=1e-12)
    for s, values in by_name(layer, final).items():
        np.testing.assert_allclose(values, last[s], atol=1e-12, rtol=1e-12)


@every_cell
def test_its_derived_adjoint_is_the_derivative(name):
    layer = layer_of(name)
    x, state = problem_of(layer)
    inputs = [x.requires_grad_(), *(s.requires_grad_() for s in state), *layer.parameters()]
    *_, every = layer(x, state, return_states=True)
    cotangents = [torch.randn_like(e[0]) for e in every]
    wanted = torch.autograd.grad(sum((e[0] * c).sum() for e, c in zip(every, cotangents, strict=True)), inputs, materialize_grads=True)
    gradients, into_x, into_state = plan_in_numpy.derivative(
        make_plan(layer.cell.recurrence),
        blocks(layer),
        x.detach().numpy(),
        by_name(layer, state),
        {s: c.numpy() for s, c in zip(layer.cell.states, cotangents, strict=True)},
    )
    got = [into_x, *(into_state[s] for s in layer.cell.states), *(gradients[p.name] for p in layer.cell.recurrence.parameters)]
    for value, reference in zip(got, wanted, strict=True):
        scale = max(1.0, reference.abs().max().item())
        np.testing.assert_allclose(value, reference.reshape(value.shape), atol=1e-11 * scale, rtol=0)
