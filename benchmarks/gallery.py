"""The cells of the gallery on the engine native, each beside the engine eager and beside NumPy.

    python benchmarks/gallery.py                     # all; a kernel is built for each, which takes some minutes
    python benchmarks/gallery.py lstm lru            # some of them
    python benchmarks/gallery.py --dtype float32     # instead of float64, which is the default

For each cell: the seconds of its first call, in which its kernel is built; the largest difference of all states between eager and the loop that
was written from the paper (always in float64); the largest differences between native and eager in values and in gradients, each divided by
the largest number where that is above 1; and what the cell costs at 128 inputs and units. Kernels are built anew, in a folder that is removed.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import torch
from torch import Tensor

import by_hand
import unrolled as un
from paper_problems import blocks, by_name, layer_of, problem_of
from unrolled.compiler import make_plan
from unrolled.compiler.catalogue import SIZE, costs_of, inputs_of
from unrolled.errors import UnrolledError
from unrolled.layers.sizes import sizes_in_layer

STEPS, ROWS = 33, 9
SIZES = (21, 19), (19, 19), (21, 20)
"""Inputs and units, the first that the cell takes."""


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


def beside_numpy(name: str) -> float:
    """How far eager is from the loop that was written from the paper."""
    layer = layer_of(name, SIZES)
    x, state = problem_of(layer, STEPS, ROWS)
    history, _ = by_hand.run(name, blocks(layer), x.numpy(), by_name(layer, state))
    *_, every = layer(x, state, return_states=True)
    return apart([e[0].detach() for e in every], [torch.from_numpy(np.ascontiguousarray(history[s])) for s in layer.cell.states])


def line(name: str, dtype: torch.dtype) -> str:
    """What is found of one cell."""
    layer = layer_of(name, SIZES, dtype)
    x, state = problem_of(layer, STEPS, ROWS, dtype)
    values, gradients = solution(layer, x, state)
    layer.engine = "native"
    begun = time.perf_counter()
    layer(x, state)
    built = time.perf_counter() - begun
    found, slopes = solution(layer, x, state)
    return f"{built:7.2f} s {apart(found, values):8.1e} {apart(slopes, gradients):9.1e}"


def main() -> None:
    """Build, compare, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("cells", nargs="*", default=list(un.cells.BUILT_IN))
    options.add_argument("--dtype", choices=("float32", "float64"), default="float64")
    given = options.parse_args()
    print(f"{given.dtype}, T = {STEPS}, B = {ROWS}, I, H = {SIZES[0]}")
    print(f"{'cell':20} {'NumPy':>8} {'built in':>9} {'values':>8} {'gradients':>9} {'parameters':>11} {'products':>9} {'in loop':>9}")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["UNROLLED_CACHE"] = folder
        for name in given.cells:
            cell = un.cells.BUILT_IN[name]
            usual = {**dict.fromkeys(cell.recurrence.labels, SIZE), "x": inputs_of(cell.recurrence)}
            costs = costs_of(make_plan(cell.recurrence), sizes_in_layer(cell, usual, SIZE, ()))
            numbers = f"{costs.parameters:11,} {costs.products:9,} {costs.in_loop:9,}"
            try:
                told = line(name, getattr(torch, given.dtype))
            except UnrolledError as error:
                told = f"{str(error)[:28]:>28}"
            print(f"{name:20} {beside_numpy(name):8.1e} {told} {numbers}", flush=True)


if __name__ == "__main__":
    main()
