"""The OpenMP runtime that torch has brought into the process: a second one would fight with it for the processor's cores."""

import ctypes
import os
from functools import cache
from pathlib import Path

import torch

_FUNCTIONS = ("GOMP_parallel", "omp_get_thread_num", "omp_get_num_threads")
_forked = False

_STEP, _CALL = 20_000, 1_000_000
"""The multiplications of a step, below which threads wait for one another longer than they save, and those of a call worth waking them."""

_NUMBERS = 1 << 15
"""The numbers of a pass over each of them that are worth waking other threads."""

_ROWS, _CACHED = 10, 1 << 17
"""The rows of a thread that make reading all matrices cheap beside multiplying, and the entries of matrices that each thread keeps at hand."""


def threads_for(steps: int, batch: int, entries: int) -> tuple[int, int]:
    """How many threads share a call, and into how many parts of its own the batch is cut; the parameters have so many entries.

    As many as `torch.set_num_threads` allows; one where the work would not pay for waiting, and in a process that was forked off another
    with threads, where the runtime would wait for threads that did not come along.
    """
    allowed, work = _allowed(), batch * entries
    if allowed == 1 or work < _STEP or work * steps < _CALL:
        return 1, 1
    # A batch is cut where every thread has rows enough for the matrices it reads; else all threads share its units, and read a part each.
    cut = batch >= allowed * (_ROWS if entries > _CACHED else 1)
    return allowed, allowed if cut else 1


def threads_for_numbers(count: int) -> int:
    """How many threads share a pass over so many numbers."""
    return _allowed() if count >= _NUMBERS else 1


def can_share() -> bool:
    """Whether several threads can work here. A process forked off another can not, which is why a call asks once more before it begins."""
    return not _forked and bool(runtime())


def _allowed() -> int:
    """Threads that a call may have."""
    return torch.get_num_threads() if can_share() else 1


@cache
def runtime() -> tuple[int, ...]:
    """The addresses of the runtime's functions; nothing where there is no such runtime."""
    for path in _candidates():
        try:
            library = ctypes.CDLL(path)
            return tuple(ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0 for name in _FUNCTIONS)
        except (OSError, AttributeError):
            continue
    return ()


def _candidates() -> list[str]:
    """Files that are loaded already, first of all those that came with torch."""
    try:
        loaded = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
    except OSError:
        loaded = {str(p) for p in (Path(torch.__file__).parent / "lib").glob("lib*omp*")}
    names = ("libgomp", "libomp", "libiomp")
    mine = [path for path in loaded if Path(path).name.startswith(names)]
    return sorted(mine, key=lambda path: ("torch" not in path, path))


def _after_fork() -> None:
    global _forked
    _forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
