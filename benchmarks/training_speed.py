"""Tokens per second in training, of one or several versions of the package, in turns.

    python benchmarks/training_speed.py                       # this one
    python benchmarks/training_speed.py OTHER/src src         # two of them, in turns

A version is a folder that has `unrolled`. Each task trains on built-in data for as many seconds as are asked for; what is printed is the median of what
`metrics.jsonl` has of the later half of a run, and over the rounds medians with quartiles.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TASKS = {
    "lm": ["lm", "builtin:python-docs"],
    "classify": ["classify", "builtin:intents"],
    "tag": ["tag", "builtin:promoters", "--crf"],
    "translate": ["translate", "builtin:additions"],
}


def tokens_per_second(version: str, task: list[str], seconds: float) -> float:
    """The median over the later half of a run."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "run")
        command = [
            sys.executable,
            "-c",
            "from unrolled.cli import main; main()",
            "train",
            *task,
            "--minutes",
            str(seconds / 60),
            "--out",
            str(out),
        ]
        subprocess.run(command, env={**os.environ, "PYTHONPATH": version}, check=True, capture_output=True)
        records = map(json.loads, (out / "metrics.jsonl").read_text().splitlines())
        speeds = [record["tokens_per_second"] for record in records if "tokens_per_second" in record]
    return statistics.median(speeds[len(speeds) // 2 :])


def main() -> None:
    """Train in turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="*", default=[str(Path(__file__).parents[1] / "src")])
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", default=",".join(TASKS))
    arguments = parser.parse_args()
    versions = [str(Path(version).absolute()) for version in arguments.versions]
    for name in arguments.tasks.split(","):
        found: dict[str, list[float]] = {version: [] for version in versions}
        for number in range(arguments.rounds):
            for version in versions if number % 2 == 0 else versions[::-1]:
                found[version].append(tokens_per_second(version, TASKS[name], arguments.seconds))
        for version, speeds in found.items():
            low, middle, high = statistics.quantiles(speeds, n=4) if len(speeds) > 1 else speeds * 3
            print(f"{name:10} {middle:12,.0f} tokens/s ({low:,.0f}–{high:,.0f})  {version}", flush=True)


if __name__ == "__main__":
    main()
