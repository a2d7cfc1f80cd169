"""A convolutional LSTM beside the loop that everybody writes in torch: one convolution over the input and the state, joined, at each step.

Inside the timer: the forward pass over [T, B, C, H, W], and in training `y.backward(cotangent)` with the gradients of all weights; also with that
of the input, as in a layer that is not the first. Contenders take turns in one process; medians with quartiles.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

import unrolled as un

GATES = ("i", "f", "o", "z")


class PlainCell(nn.Module):
    """The usual cell."""

    def __init__(self, inputs: int, channels: int, size: int) -> None:
        super().__init__()
        self.channels = channels
        self.conv = nn.Conv2d(inputs + channels, 4 * channels, size, padding=size // 2)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """One step."""
        i, f, o, z = torch.split(self.conv(torch.cat([x, h], 1)), self.channels, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
        return torch.sigmoid(o) * torch.tanh(c), c


class Plain(nn.Module):
    """The usual loop."""

    def __init__(self, inputs: int, channels: int, size: int) -> None:
        super().__init__()
        self.cell = PlainCell(inputs, channels, size)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a sequence `[T, B, C, H, W]`."""
        h = c = x.new_zeros(x.shape[1], self.cell.channels, *x.shape[3:])
        outputs = []
        for x_t in x:
            h, c = self.cell(x_t, h, c)
            outputs.append(h)
        return torch.stack(outputs)


def alike(layer: un.Recurrent, size: int) -> Plain:
    """The loop with the weights of a layer."""
    plain = Plain(layer.input_size, layer.hidden_size, size)
    with torch.no_grad():
        plain.cell.conv.weight.copy_(torch.cat([torch.cat([layer.block(f"{m}_{g}") for m in "WR"], 1) for g in GATES]))
        plain.cell.conv.bias.copy_(torch.cat([layer.block(f"b_{g}") for g in GATES]))
    return plain


def measure(channels: int, space: int, batch: int, steps: int, size: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each contender and kind of pass, as quartiles; the outputs are compared first."""
    torch.manual_seed(0)
    layer = un.Recurrent("lstm", channels, channels, kernel_size=size)
    plain = alike(layer, size)
    # What would be the plain loop's, if its author knew torch's other order in memory.
    last = alike(layer, size).to(memory_format=torch.channels_last)
    x = torch.randn(steps, batch, channels, space, space)
    x_last = x.flatten(0, 1).contiguous(memory_format=torch.channels_last).view_as(x)
    cotangent = torch.randn(steps, batch, channels, space, space)
    runs: dict[str, tuple[Callable[[Tensor], Tensor], Tensor]] = {
        "ours": (lambda x: layer(x)[0], x), "plain": (plain, x), "plain, channels_last": (last, x_last),
    }  # fmt: skip
    with torch.no_grad():
        outputs = [run(x) for run, x in runs.values()]
    for output in outputs[1:]:
        torch.testing.assert_close(output, outputs[0], atol=1e-4, rtol=1e-4)
    times: dict[str, list[float]] = {f"{kind}: {name}": [] for kind in ("infer", "train", "train, with x") for name in runs}
    for turn in range(rounds + 1):
        for kind in ("infer", "train", "train, with x"):
            for name, (run, given) in runs.items():
                leaf = given.detach().requires_grad_(kind == "train, with x")
                start = time.perf_counter()
                with torch.inference_mode(kind == "infer"):
                    y = run(leaf)
                if kind != "infer":
                    y.backward(cotangent)
                if turn:
                    times[f"{kind}: {name}"].append(1e3 * (time.perf_counter() - start))
                for module in (layer, plain, last):
                    module.zero_grad(set_to_none=True)
    return {name: [round(q, 1) for q in statistics.quantiles(t, n=4)] for name, t in times.items()}


def main() -> None:
    """Measure with each number of threads, and print medians, quartiles and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, usual in (("channels", 64), ("space", 32), ("batch", 4), ("steps", 10), ("size", 3), ("rounds", 7)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found: list[dict[str, Any]] = []
    for threads in map(int, given.threads.split(",")):
        torch.set_num_threads(threads)
        times = measure(given.channels, given.space, given.batch, given.steps, given.size, given.rounds)
        found.append({"threads": threads, "torch": torch.__version__, **times})
        for name, (low, median, high) in {} if given.json else times.items():
            ours = times[f"{name.split(':')[0]}: ours"][1]
            print(f"{threads} threads, {name:36} {median:8.1f} ms ({low:.1f} to {high:.1f}), {median / ours:.2f} x ours", flush=True)
    if given.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
