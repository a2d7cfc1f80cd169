"""Starts a worker for each number of threads, since libraries fix theirs at start, and gathers what the workers write."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from side_by_side.cases import Case

HOME = Path(__file__).parent.parent

Record = dict[str, Any]


@dataclasses.dataclass
class Gathered:
    """What the workers wrote, and whether all of them came to their end."""

    results: list[Record] = dataclasses.field(default_factory=list)
    peaks: list[Record] = dataclasses.field(default_factory=list)
    complete: bool = True


def measure(
    cases: list[Case], threads: list[int], engine: str, rounds: int, seconds: float | None, warm_up: float, seed: int, side: int
) -> Gathered:
    """All cases with each number of threads. After Ctrl-C or an error, what has been measured so far."""
    gathered = Gathered()
    for count in threads:
        options = {
            "cases": cases,
            "engine": engine,
            "threads": count,
            "rounds": rounds,
            "seconds": seconds,
            "warm_up": warm_up,
            "seed": seed,
            "side": side,
        }
        text = json.dumps(options, default=dataclasses.asdict)
        command = [sys.executable, "-m", "side_by_side.worker", text]
        with subprocess.Popen(command, env=environment(count), stdout=subprocess.PIPE, text=True) as process:
            interrupted = _gather(process, gathered)
        if interrupted or process.returncode:
            gathered.complete = False
            break
    return gathered


def environment(threads: int) -> dict[str, str]:
    """Variables that keep every library to a number of threads."""
    count = str(threads)
    path = os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))
    own = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC", "PJRT_NPROC"), count)
    flags = f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()} intra_op_parallelism_threads={count}"
    return {**os.environ, **own, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": path}


def _gather(process: subprocess.Popen[str], gathered: Gathered) -> bool:
    """Read a worker to its end; whether it was interrupted on the way. A second interrupt ends it at once."""
    try:
        _read(process, gathered)
        return False
    except KeyboardInterrupt:
        print("Interrupted: the call that runs is finished; once more ends it at once.", file=sys.stderr)
        process.send_signal(signal.SIGINT)
    try:
        _read(process, gathered)
    except KeyboardInterrupt:
        process.kill()
    return True


def _read(process: subprocess.Popen[str], gathered: Gathered) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        record = json.loads(line)
        (gathered.peaks if record.pop("kind") == "peak" else gathered.results).append(record)
