"""The cells of the gallery on the engine native, each beside the engine eager and beside NumPy.

    python benchmarks/gallery.py                     # all; a kernel is built for each, which takes a few minutes
    python benchmarks/gallery.py lstm lru            # some of them
    python benchmarks/gallery.py --dtype float32     # instead of float64, which is the default

For each cell: the seconds that building its kernel took, the largest difference of all states between eager and the loop that was written
from the paper (always in float64), the largest differences between native and eager in values and in gradients, each divided by the largest
number where that is above 1, and what the cell costs at 128 inputs and units. Kernels are built anew, in a folder that is removed.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import by_hand
import unrolled as un
from unrolled.compiler import make_plan
from unrolled.compiler.catalogue import costs_of

STEPS, ROWS, INPUTS, UNITS = 33, 9, 21, 19


def layer_of(cell: un.Cell, dtype: torch.dtype) -> un.Recurrent:
    """A layer with random numbers, all different; a cell that reads its input unit by unit has as many inputs as units."""
    torch.manual_seed(0)
    inputs = UNITS if cell.recurrence.reads_input_by_unit else INPUTS
    layer = un.Recurrent(cell, inputs, UNITS, engine="eager", dtype=dtype)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5 if parameter.dim() == 1 else UNITS**-0.5)
    return layer


def state_of(layer: un.Recurrent, dtype: torch.dtype) -> tuple[Tensor, ...]:
    """A state that every cell can have: normalisers are above 0."""
    return tuple(torch.rand(1, ROWS, size, dtype=dtype) + 0.1 for size in layer.state_sizes.values())


def solution(layer: un.Recurrent, x: Tensor, state: tuple[Tensor, ...]) -> tuple[list[Tensor], list[Tensor]]:
    """All states at all steps, and the gradients of a random linear function of them."""
    inputs = [x.clone().requires_grad_(), *(s.clone().requires_grad_() for s in state), *layer.parameters()]
    *_, every = layer(inputs[0], tuple(inputs[1 : 1 + len(state)]), return_states=True)
    generator = torch.Generator().manual_seed(1)
    total = sum((e * torch.randn(e.shape, dtype=e.dtype, generator=generator)).sum() for e in every)
    return list(every), list(torch.autograd.grad(total, inputs, materialize_grads=True))


def apart(found: list[Tensor], wanted: list[Tensor]) -> float:
    """The largest difference, divided by the largest number of its tensor where that is above 1."""
    return max((f - w).abs().max().item() / max(1.0, w.abs().max().item()) for f, w in zip(found, wanted, strict=True))


def beside_numpy(name: str, layer: un.Recurrent) -> float:
    """How far eager is from the loop that was written from the paper."""
    x, state = torch.randn(STEPS, ROWS, layer.input_size, dtype=torch.float64), state_of(layer, torch.float64)
    blocks = {p.name: layer.block(p.name).numpy() for p in layer.cell.recurrence.parameters}
    history, _ = by_hand.run(name, blocks, x.numpy(), {s: v[0].numpy() for s, v in zip(layer.cell.states, state, strict=True)})
    *_, every = layer(x, state, return_states=True)
    return apart([e[0].detach() for e in every], [torch.from_numpy(np.ascontiguousarray(history[s])) for s in layer.cell.states])


def main() -> None:
    """Build, compare, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cells", nargs="*", default=list(un.cells.BUILT_IN))
    options.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    given = options.parse_args()
    dtype = getattr(torch, given.dtype)
    print(f"{given.dtype}, T = {STEPS}, B = {ROWS}, I = {INPUTS}, H = {UNITS}")
    print(f"{'cell':20} {'built in':>9} {'NumPy':>8} {'values':>8} {'gradients':>9} {'parameters':>11} {'products':>9} {'in loop':>9}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNROLLED_CACHE"] = folder
        for name in given.cells:
            cell = un.cells.BUILT_IN[name]
            exact, layer = beside_numpy(name, layer_of(cell, torch.float64)), layer_of(cell, dtype)
            x, state = torch.randn(STEPS, ROWS, layer.input_size, dtype=dtype), state_of(layer, dtype)
            values, gradients = solution(layer, x, state)
            layer.engine = "native"
            begun = time.perf_counter()
            layer(x, state)
            built = time.perf_counter() - begun
            found, slopes = solution(layer, x, state)
            costs = costs_of(make_plan(cell.recurrence))
            numbers = f"{costs.parameters:11,} {costs.products:9,} {costs.in_loop:9,}"
            print(f"{name:20} {built:7.2f} s {exact:8.1e} {apart(found, values):8.1e} {apart(slopes, gradients):9.1e} {numbers}", flush=True)


if __name__ == "__main__":
    main()
