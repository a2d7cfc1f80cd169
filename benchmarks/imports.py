"""Seconds that imports take, each in a process of its own, interleaved; medians with quartiles of the whole process, its start included.

python benchmarks/imports.py
"""

import statistics
import subprocess
import sys
import time

CASES = {
    "python alone": "pass",
    "import torch": "import torch",
    "import unrolled": "import unrolled",
    "unrolled.LSTM": "import unrolled; unrolled.LSTM",
    "unrolled.load": "import unrolled; unrolled.load",
}
ROUNDS = 11


def main() -> None:
    """Measure and print."""
    seconds: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, code in CASES.items():
            begun = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            seconds[name].append(time.perf_counter() - begun)
    for name, taken in seconds.items():
        low, middle, high = statistics.quantiles(taken[1:], n=4)
        print(f"{name:16} {middle:.2f} s  ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
