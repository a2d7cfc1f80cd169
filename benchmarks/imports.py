"""Seconds that starting takes, each in a process of its own, interleaved; medians with quartiles of the whole process.

    python benchmarks/imports.py

`predict` lets a small classifier that is trained before label one line. Modules are compiled once, as an installed package has them.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CASES = {
    "python alone": ("-c", "pass"),
    "import torch": ("-c", "import torch"),
    "import unrolled": ("-c", "import unrolled"),
    "unrolled.LSTM": ("-c", "import unrolled; unrolled.LSTM"),
    "unrolled.load": ("-c", "import unrolled; unrolled.load"),
    "unrolled --help": ("-m", "unrolled", "--help"),
    "unrolled show": ("-m", "unrolled", "show", "lstm"),
    "predict": ("-m", "unrolled", "predict", "run", "line.txt"),
}
ROUNDS = 11


def main() -> None:
    """Measure and print."""
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:

        def run(*words: str) -> None:
            subprocess.run([sys.executable, *words], check=True, cwd=folder, env=compiled, stdout=subprocess.DEVNULL)

        run("-m", "unrolled", "train", "classify", "builtin:intents", "--out", "run", "--updates", "5", "--quiet")
        Path(folder, "line.txt").write_text("turn on the light\n", encoding="utf-8")
        for _ in range(ROUNDS):
            for name, words in CASES.items():
                begun = time.perf_counter()
                run(*words)
                seconds[name].append(time.perf_counter() - begun)
    torch = statistics.median(seconds["import torch"][1:])
    for name, taken in seconds.items():
        low, middle, high = statistics.quantiles(taken[1:], n=4)
        print(f"{name:16} {middle:.2f} s  ({low:.2f} to {high:.2f}), {middle / torch:.2f} of `import torch`")


if __name__ == "__main__":
    main()
