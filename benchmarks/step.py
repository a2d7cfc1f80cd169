"""What one step of a stream costs at one layer, B = 1, without gradients, in microseconds.

    python benchmarks/step.py --hidden 256

`step` is `un.LSTM.step`; `around` is the same with an engine that computes nothing, which leaves what the layer itself costs; `torch_nn` is
torch.nn.LSTM given one step. Side by side in one process, in turn; medians with quartiles over the rounds. Prints one JSON object.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch

import unrolled as un
from unrolled.engines import ENGINES, Problem, Solution

CALLS = 500


class Idle:
    """An engine that computes nothing."""

    name = "idle"

    def __init__(self, solution: Solution) -> None:
        self.solution = solution

    def refuses(self, problem: Problem) -> str:
        """Nothing."""
        return ""

    def explain(self, problem: Problem) -> str:
        """What it does."""
        return "nothing is computed"

    def run(self, problem: Problem) -> Solution:
        """Always the same."""
        return self.solution


def microseconds(call: Callable[[], object]) -> float:
    """The mean of some hundred calls."""
    begun = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - begun) / CALLS * 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    n = options.hidden
    with torch.inference_mode():
        x, state = torch.randn(1, n), (torch.zeros(1, 1, n), torch.zeros(1, 1, n))
        ENGINES["idle"] = Idle(Solution((torch.zeros(1, 1, n),), (torch.zeros(1, n), torch.zeros(1, n))))
        ours, idle, theirs = un.LSTM(n, n), un.LSTM(n, n, engine="idle"), torch.nn.LSTM(n, n)
        calls = {
            "step": lambda: ours.step(x, state),
            "around": lambda: idle.step(x, state),
            "torch_nn": lambda: theirs(x[None], state),
        }
        rounds = [{name: microseconds(call) for name, call in calls.items()} for _ in range(options.rounds)]
    quartiles = {name: [round(q, 1) for q in statistics.quantiles([r[name] for r in rounds], n=4)] for name in calls}
    print(json.dumps({"hidden": n, "microseconds": quartiles}))


if __name__ == "__main__":
    main()
