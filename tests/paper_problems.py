"""Layers of the gallery's cells with problems for them, which every cell can take."""

from contextlib import suppress

import torch

import unrolled as un
from unrolled.errors import ConfigError


def layer_of(name, sizes, dtype=torch.float64):
    """A layer on the engine eager with random numbers, all different, of the first of some sizes (inputs, units) that the cell takes."""
    torch.manual_seed(len(name))
    for inputs, units in sizes:
        with suppress(ConfigError):
            layer = un.Recurrent(un.cells.BUILT_IN[name], inputs, units, engine="eager", dtype=dtype)
            break
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5 if parameter.dim() < 2 else units**-0.5)
    return layer


def problem_of(layer, steps, rows, dtype=torch.float64):
    """An input, whose last column is positive where it may be a time, and a state: positive, as normalisers are, and some steps after the beginning."""
    x = torch.randn(steps, rows, layer.input_size, dtype=dtype)
    if layer.cell.inputs:
        x[..., -1].abs_()
    state = {name: torch.rand(1, rows, size, dtype=dtype) + 0.1 for name, size in layer.state_sizes.items()}
    for counter in layer.cell.recurrence.counters:
        state[counter].fill_(38)
    if layer.cell.name == "mlstm":  # Its stabiliser is one number.
        state["m"] = state["m"][..., :1].expand(state["m"].shape).clone()
    return x, tuple(state.values())


def blocks(layer):
    """What the layer has learnt, by name."""
    return {p.name: layer.block(p.name).double().numpy() for p in layer.cell.recurrence.learned}


def by_name(layer, values):
    """States by name, of one layer in one direction."""
    return {name: value[0].detach().double().numpy() for name, value in zip(layer.cell.states, values, strict=True)}
