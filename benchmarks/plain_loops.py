"""Cells of one's own on the engine `native` beside the loop that one would write in torch: a step is a few lines, as in any tutorial.

Inside the timer: the forward pass over [T, B, I], and in training `y.backward(cotangent)` with the gradients of the input and all weights.
Contenders take turns in one process; medians with quartiles.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, sigmoid, tanh

import unrolled as un

Step = Callable[[dict[str, Tensor], Tensor, tuple[Tensor, ...]], tuple[Tensor, ...]]


def peephole(w: dict[str, Tensor], x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """One step of `lstm-peephole`."""
    h, c = state
    z = tanh(x @ w["W_z"].T + h @ w["R_z"].T + w["b_z"])
    i = sigmoid(x @ w["W_i"].T + h @ w["R_i"].T + w["p_i"] * c + w["b_i"])
    f = sigmoid(x @ w["W_f"].T + h @ w["R_f"].T + w["p_f"] * c + w["b_f"])
    c = i * z + f * c
    o = sigmoid(x @ w["W_o"].T + h @ w["R_o"].T + w["p_o"] * c + w["b_o"])
    return o * tanh(c), c


def reset_before(w: dict[str, Tensor], x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """One step of `gru-reset-before`."""
    (h,) = state
    u = sigmoid(x @ w["W_u"].T + h @ w["R_u"].T + w["b_u"])
    r = sigmoid(x @ w["W_r"].T + h @ w["R_r"].T + w["b_r"])
    n = tanh(x @ w["W_n"].T + (r * h) @ w["R_n"].T + w["b_n"])
    return (u * n + (1 - u) * h,)


def simplified(w: dict[str, Tensor], x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """One step of `gru-simplified`."""
    (h,) = state
    u = sigmoid(x @ w["W_u"].T + h @ w["R_u"].T + w["b_u"])
    n = tanh(x @ w["W_n"].T + h @ w["R_n"].T + w["b_n"])
    return (u * n + (1 - u) * h,)


LOOPS: dict[str, Step] = {"lstm-peephole": peephole, "gru-reset-before": reset_before, "gru-simplified": simplified}


def loop(step: Step, weights: dict[str, Tensor], x: Tensor, states: int) -> Tensor:
    """The outputs of a sequence."""
    units = weights["b_z" if "b_z" in weights else "b_u"].shape[0]
    state = tuple(x.new_zeros(x.shape[1], units) for _ in range(states))
    outputs = []
    for x_t in x:
        state = step(weights, x_t, state)
        outputs.append(state[0])
    return torch.stack(outputs)


def measure(cell: str, units: int, batch: int, steps: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of both, in turns; they are compared first."""
    torch.manual_seed(0)
    layer = un.Recurrent(cell, units, units, engine="native")
    weights = {p.name: layer.block(p.name).clone().requires_grad_() for p in layer.cell.recurrence.parameters}
    x, cotangent = torch.randn(steps, batch, units, requires_grad=True), torch.randn(steps, batch, units)
    runs = {"ours": lambda: layer(x)[0], "plain loop": lambda: loop(LOOPS[cell], weights, x, len(layer.cell.states))}
    torch.testing.assert_close(*(run() for run in runs.values()), atol=1e-4, rtol=1e-4)
    times: dict[str, list[float]] = {f"{name} {mode}": [] for mode in ("infer", "train") for name in runs}
    for turn in range(rounds + 2):
        for name, run in runs.items():
            with torch.inference_mode():
                start = time.perf_counter()
                run()
                inference = time.perf_counter() - start
            for tensor in (x, *weights.values(), *layer.parameters()):
                tensor.grad = None
            start = time.perf_counter()
            run().backward(cotangent)
            training = time.perf_counter() - start
            if turn >= 2:
                times[f"{name} infer"].append(1e3 * inference)
                times[f"{name} train"].append(1e3 * training)
    return {"cell": cell, "units": units, **{name: [round(q, 3) for q in statistics.quantiles(t, n=4)] for name, t in times.items()}}


def main() -> None:
    """Measure all cells and sizes, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", default="128,256,512")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = []
    for cell in LOOPS:
        ratios: dict[str, list[float]] = {"infer": [], "train": []}
        for units in map(int, given.units.split(",")):
            one = measure(cell, units, given.batch, given.steps, given.rounds)
            found.append(one)
            for mode, several in ratios.items():
                several.append(one[f"plain loop {mode}"][1] / one[f"ours {mode}"][1])
            if not given.json:
                print(one, flush=True)
        if not given.json:
            print(cell, {mode: f"{statistics.geometric_mean(several):.1f} x as fast" for mode, several in ratios.items()}, flush=True)
    if given.json:
        print(json.dumps({"threads": torch.get_num_threads(), "torch": torch.__version__, "cases": found}))


if __name__ == "__main__":
    main()
