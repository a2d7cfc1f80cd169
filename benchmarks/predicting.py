"""Predicting many short lines, beside a plain loop over the same network's batches.

    python benchmarks/predicting.py                    # 50,000 lines, from a classifier that is trained for some seconds
    python benchmarks/predicting.py --lines 200000

`unrolled predict` reads, cuts, encodes, sorts by length, runs the network, decides and writes to a file; the plain loop runs the network alone, on the same
batches, which are ready. Both take turns in one process, set up as the command line sets up its own; medians with quartiles, processor time,
and the memory that streaming takes.
"""

import argparse
import gc
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

# As the command line has it, before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

import unrolled as un
from unrolled.cli import COLLECT_AFTER
from unrolled.data.batches import Batch, side_by_side
from unrolled.data.builtin_examples.intents import intents
from unrolled.data.codecs import Encoded
from unrolled.data.dataset import gather
from unrolled.data.examples import Example
from unrolled.tasks.recipe import Answering
from unrolled.tasks.sequences.answers import answer
from unrolled.tasks.sequences.trained import AT_ONCE
from unrolled.training import Silent


def main() -> None:
    """Train, then predict in turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        trained = un.train_classifier("builtin:intents", out=Path(folder, "run"), epochs=1, device="cpu", display=Silent())
        texts = [example.text or "" for example in intents()]
        file = Path(folder, "lines.txt")
        file.write_text("".join(f"{texts[i % len(texts)]}\n" for i in range(arguments.lines)), encoding="utf-8")
        times: dict[str, list[tuple[float, float]]] = {"predict": [], "plain": []}
        gc.collect()
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        batches = ready(trained, texts, arguments.lines)
        for _ in range(arguments.rounds):
            begun = now()
            with open(Path(folder, "found.txt"), "w", encoding="utf-8") as found:
                answer(trained, str(file), {}, {}, Answering(as_json=False, typed=False, say=print))(found)
            times["predict"].append(since(begun))
            begun = now()
            with torch.inference_mode():
                for batch in batches:
                    trained.model(batch)
            times["plain"].append(since(begun))
    middles = {}
    for name, spent in times.items():
        seconds, busy = zip(*spent, strict=True)
        low, middle, high = statistics.quantiles(seconds, n=4)
        middles[name] = (middle, statistics.median(busy))
        each = f"{middles[name][1] / arguments.lines * 1e6:.1f} µs of processor time a line"
        print(f"{name:8} {middle:.2f} s ({low:.2f}–{high:.2f}), {arguments.lines / middle:,.0f} lines/s, {each}")
    clock, processor = (one / other for one, other in zip(middles["predict"], middles["plain"], strict=True))
    print(f"predict / plain: {clock:.2f}, by processor time {processor:.2f}")
    print(f"memory at its highest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")


def now() -> tuple[float, float]:
    """By the clock, and by the processor."""
    return time.perf_counter(), time.process_time()


def since(begun: tuple[float, float]) -> tuple[float, float]:
    """Seconds of both."""
    clock, processor = now()
    return clock - begun[0], processor - begun[1]


def ready(trained: Any, texts: list[str], lines: int) -> list[Batch]:
    """All batches as the network takes them."""
    codec = trained.codecs.inputs
    dataset = gather((Example("", tokens=codec.tokens.cut(texts[i % len(texts)])) for i in range(lines)), codec.tokens.level)
    encoded = Encoded(dataset, codec, trained.codecs.target)
    chunks = (np.arange(at, min(at + AT_ONCE, lines)) for at in range(0, lines, AT_ONCE))
    return [encoded.batch(which) for chunk in chunks for which in side_by_side(dataset.lengths, chunk)]


if __name__ == "__main__":
    main()
