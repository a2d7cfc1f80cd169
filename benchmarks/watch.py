"""What `--watch` costs: the same training with and without it, in turn, in one process.

    python benchmarks/watch.py                                      # an LSTM of 256 units; some minutes
    python benchmarks/watch.py --cell gru --hidden 64 --layers 3
    python benchmarks/watch.py --every 1                            # the price of a record

A run learns random words for so many updates. Printed are milliseconds per update, as medians with quartiles, and the quotient of the two
runs of each round, which the noise of a machine that is not alone moves less.
"""

import argparse
import random
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unrolled.tasks import find_recipe, run_training
from unrolled.training import RunFolder, Silent

BATCH, WINDOW, HELD_OUT = 16, 64, 0.02


def text(updates: int) -> str:
    """Random words, enough for so many updates."""
    chance = random.Random(0)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9))) for _ in range(500)]
    characters = int(updates * BATCH * WINDOW / (1 - HELD_OUT)) + 2 * BATCH * WINDOW
    return " ".join(chance.choices(words, k=characters // 5))[:characters]


def run(source: Path, folder: RunFolder, options: dict[str, Any]) -> tuple[float, int]:
    """Milliseconds per update of one run, and its records."""
    common = {"batch": BATCH, "window": WINDOW, "held_out": HELD_OUT, "epochs": 1, "evaluations": 1, "checkpoint_seconds": 1e6}
    run_training(find_recipe("lm"), str(source), folder, {**common, **options}, Silent())
    last = [record for record in folder.history.records() if "loss" in record][-1]
    return 1000 * last["seconds"] / last["update"], len(folder.watched.records())


def quartiles(values: Sequence[float], digits: int) -> str:
    """Median, and quartiles in brackets."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", default="lstm")
    for name, default in (("hidden", 256), ("layers", 1), ("updates", 400), ("rounds", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--every", type=int, default=None)
    arguments = parser.parse_args()
    options = {"cell": arguments.cell, "hidden": arguments.hidden, "layers": arguments.layers}
    watched = {**options, "watch": True, "watch_every": arguments.every}
    if arguments.every is None:
        del watched["watch_every"]
    times: dict[str, list[float]] = {"plain": [], "watched": []}
    counts: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        source = Path(place, "words.txt")
        source.write_text(text(arguments.updates), encoding="utf-8")
        run(source, RunFolder(Path(place, "warm-up")), watched)
        for number in range(arguments.rounds):
            for name in ("plain", "watched") if number % 2 else ("watched", "plain"):
                took, records = run(source, RunFolder(Path(place, f"{name}-{number}")), watched if name == "watched" else options)
                times[name].append(took)
                counts += [records] if name == "watched" else []
    for name, values in times.items():
        print(f"{name:8} {quartiles(values, 2)} ms per update")
    quotients = [w / p for w, p in zip(times["watched"], times["plain"], strict=True)]
    print(f"watched / plain {quartiles(quotients, 3)}; {quartiles(counts, 0)} records of about {arguments.updates} updates")


if __name__ == "__main__":
    main()
