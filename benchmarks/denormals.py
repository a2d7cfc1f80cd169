"""Whether numbers below the smallest normal one slow the native engine down on this processor: h[t] = R @ h[t-1] with R = 1 keeps a state.

    python benchmarks/denormals.py --steps 2000

The same states of 1, 1e-40 and 0, side by side in one process, in turn, float32, one thread, without gradients; milliseconds, medians with
quartiles over the rounds. Prints one JSON object.
"""

import argparse
import json
import statistics
import time

import torch

import unrolled as un

STATES = (1.0, 1e-40, 0.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--hidden", type=int, default=128)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cell = un.Cell("keep", "h[t] = R @ h[t-1] + W @ x[t]", output="h")
    layer = un.Recurrent(cell, 1, options.hidden, engine="native")
    for name, parameter in layer.named_parameters():
        torch.nn.init.eye_(parameter) if name.startswith("R") else torch.nn.init.zeros_(parameter)
    x = torch.zeros(options.steps, 8, 1)
    rounds: dict[float, list[float]] = {state: [] for state in STATES}
    with torch.inference_mode():
        for _ in range(options.rounds):
            for state, times in rounds.items():
                begun = time.perf_counter()
                y, _ = layer(x, (torch.full((1, 8, options.hidden), state),))
                times.append((time.perf_counter() - begun) * 1e3)
                assert torch.all(y == torch.tensor(state)), "the state was not kept"
    quartiles = {str(state): [round(q, 2) for q in statistics.quantiles(times, n=4)] for state, times in rounds.items()}
    print(json.dumps({"steps": options.steps, "hidden": options.hidden, "milliseconds": quartiles}))


if __name__ == "__main__":
    main()
