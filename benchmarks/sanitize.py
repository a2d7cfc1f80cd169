"""The tests of the engine native with kernels that watch over their memory: gcc's address and undefined-behaviour sanitizers.

    python benchmarks/sanitize.py                       # the net of all cells, all tests of engines and layers: about 15 minutes
    python benchmarks/sanitize.py tests/net -k lstm     # other tests, with pytest's own arguments
    UNROLLED_CFLAGS=-march=x86-64 python benchmarks/sanitize.py tests/net -k native     # as an older processor would have it

Kernels are compiled anew, into a folder that goes with the tests. Whatever is found ends the process with a report. Lost memory is not looked
for here, since Python itself never gives all of it back: tests/engines/test_processes.py watches that it does not grow.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ["tests/net", "tests/engines", "tests/layers"]
# What the sanitizer keeps of memory that was given back is no measure of what a layer needs.
LEFT_OUT = "tests/layers/test_segments.py::test_segments_save_memory"
# The stack of a stage is large with checks around every array, and optimised code is what is to be watched, not all that gcc can do.
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1"


def library(name: str) -> str:
    """Where gcc has one of its libraries."""
    found = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
    if not Path(found).is_absolute():
        sys.exit(f"gcc has no {name} here. Install gcc's sanitizer libraries and g++.")
    return found


def main() -> int:
    """Run pytest with another environment."""
    # torch throws, and the sanitizer looks up who catches when it is loaded, so that C++'s library has to be there as early.
    preloaded = [library(name) for name in ("libasan.so", "libstdc++.so")]
    environment = {
        **os.environ,
        "CC": "gcc",
        "UNROLLED_CFLAGS": f"{FLAGS} {os.environ.get('UNROLLED_CFLAGS', '')}",
        "LD_PRELOAD": " ".join(preloaded),
        "ASAN_OPTIONS": "detect_leaks=0:halt_on_error=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "OMP_NUM_THREADS": "2",
    }
    chosen = sys.argv[1:] or [*TESTS, "--deselect", LEFT_OUT]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "--capture=sys", "--timeout=3000", *chosen], cwd=ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
