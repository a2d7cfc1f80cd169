"""Native kernels on processors other than this one, beside the engine eager in float64.

    python benchmarks/processors.py                            # AVX-512, AVX2, SSE2, and NEON where it is installed: some minutes
    python benchmarks/processors.py --processors NEON --random 50 --seed 7
    python benchmarks/processors.py --flags "-fsanitize=address,undefined -fno-sanitize-recover=all -g -O1"

NEON needs `apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user`, and with clang `pip install ziglang` in place of the
compiler. A kernel becomes a program of its own (elsewhere.c), which reads the caller's memory from a file and writes back what has become
of it. So layers run as always, with padding and tape as that processor wants them. Threads are real, but an emulator on x86 shows memory
in x86's order: that weaker orders do no harm is not seen here.

Errors are by the largest number of a result. What is allowed is what the test net allows: 16 rounding errors for the square root of the
number of operations. Functions are in ulp, beside what functions.h states, over all exponents, everyday numbers and limits.
"""

import argparse
import ctypes
import importlib.util
import itertools
import math
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
import torch
from hypothesis import Phase, given, seed, settings

import functions
from drawn_cells import Drawn, drawn, problem_of, shared_as, solve, texts, with_matrices_of_their_own
from unrolled.cells import find_cell
from unrolled.engines import Problem
from unrolled.engines.native.compilers import find_compiler
from unrolled.engines.native.library import DEFINES, Library
from unrolled.engines.native.operators import Call
from unrolled.equations import Recurrence, parse
from unrolled.errors import EquationError

NATIVE = "unrolled.engines.native"
CELLS = ("lstm", "gru-norm", "lstm-peephole", "gru")
PLAIN = Drawn(0, numbers=False, lengths=False, resets=False, reverse=False, masks=False, every_state=False)
PROBLEMS = (
    PLAIN,
    replace(PLAIN, seed=1, lengths=True, reverse=True, threads=3, cut=True),
    replace(PLAIN, seed=2, lengths=True, resets=True, every_state=True, threads=2),
    replace(PLAIN, seed=3, numbers=True, lengths=True, masks=True),
    replace(PLAIN, seed=4, reverse=True, resets=True, threads=2, cut=True),
)
"""Sequences of all lengths, both directions, and all that a call can ask for besides."""


@dataclass(frozen=True)
class Processor:
    """How programs for a processor are made, and what runs them here."""

    name: str
    compiler: tuple[str, ...]
    flags: tuple[str, ...] = ()
    runner: tuple[str, ...] = ()

    def lacking(self) -> str:
        """Why nothing can be tried; empty when it can."""
        missing = [words[0] for words in (self.compiler, self.runner) if words and not shutil.which(words[0])]
        if "ziglang" in self.compiler and not importlib.util.find_spec("ziglang"):
            missing.insert(0, "ziglang")
        if missing:
            return f"{missing[0]} is not installed"
        try:
            number = np.zeros(1, np.int64)
            Program(self, "void nothing(void)\n{\n}\n", (), ("nothing",)).call("nothing", [(number.ctypes.data, 8)], [])
        except RuntimeError as error:
            return f"a program that does nothing fails: {error}"
        return ""


_QEMU = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")
PROCESSORS = (
    Processor("AVX-512", ("gcc",), ("-march=skylake-avx512",)),
    Processor("AVX2", ("gcc",), ("-march=haswell",)),
    Processor("SSE2", ("gcc",), ("-march=x86-64",)),
    Processor("NEON", ("aarch64-linux-gnu-gcc",), (), _QEMU),
    Processor("NEON-clang", (sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-musl"), (), _QEMU),
)
EXTRA: list[str] = []
"""What the user adds to all compilers' flags."""

KERNEL = ("forward", "backward", "lanes", "most_rows", "use_threads")
"""What a kernel's library has."""

Block = tuple[int, int]
"""Memory: its address and how many bytes."""


class Program:
    """C functions in a program of their own, called by number."""

    def __init__(self, processor: Processor, source: str, defines: tuple[str, ...], names: tuple[str, ...]) -> None:
        self.folder, self.names = tempfile.TemporaryDirectory(prefix="unrolled-processors-"), names
        self.path = Path(self.folder.name)
        (self.path / "source.c").write_text(source)
        flags = [f for f in find_compiler().flags if not f.startswith(("-m", "-shared", "-fPIC"))]
        openmp = [] if "ziglang" in processor.compiler else ["-fopenmp"]
        known = [*defines, f"FUNCTIONS={''.join(f'FUNCTION({n})' for n in names)}", *(["KERNEL"] if names == KERNEL else [])]
        command = [*processor.compiler, *flags, *processor.flags, *openmp, *EXTRA, *(f"-D{d}" for d in known)]
        files = [str(self.path / "source.c"), str(Path(__file__).with_name("elsewhere.c"))]
        self._command = [*processor.runner, str(self.path / "program")]
        _run([*command, *files, "-o", self._command[-1], "-lm"])

    def kernel(self) -> tuple[int, int]:
        """The lanes of a vector, and the most rows of a span."""
        lanes, rows = _run(self._command).split()
        return int(lanes), int(rows)

    def call(self, name: str, blocks: list[Block], arguments: list[int]) -> None:
        """Call a function that may read and write the blocks, of which the first is a list of numbers."""
        numbers = [len(blocks), self.names.index(name), *arguments, *[0] * (5 - len(arguments)), *(n for block in blocks for n in block)]
        there, back = self.path / "there", self.path / "back"
        there.write_bytes(struct.pack(f"{len(numbers)}q", *numbers) + b"".join(ctypes.string_at(*block) for block in blocks))
        _run([*self._command, str(there), str(back)])
        rest = back.read_bytes()
        for address, size in blocks[1:]:
            ctypes.memmove(address, rest[:size], size)
            rest = rest[size:]


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(command)} ended with status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


program = cache(Program)


class LibraryElsewhere(Library):
    """A kernel that is a program."""

    def __init__(self, processor: Processor, kernel, dtype: torch.dtype, narrow: bool) -> None:
        self.kernel = kernel
        self.program = program(processor, kernel.source, DEFINES[dtype, narrow], KERNEL)
        self.lanes, self.most_rows = self.program.kernel()
        self.forward, self.backward = partial(self._pass, "forward"), partial(self._pass, "backward")

    def fault(self, call: object) -> int:
        """Nothing is wrong with the numbers that are drawn here."""
        return 0

    def _pass(self, name: str, blocks: list[Block], call) -> None:
        table = (ctypes.addressof(call), ctypes.sizeof(call))
        self.program.call(name, [table, *blocks], [table[0]])


class CallElsewhere(Call):
    """A call that tells of all memory it hands over."""

    def run(self, function, tape, flags, *, d_x=None, **tensors) -> None:
        """The same, for a library elsewhere."""
        own = (tape, d_x, self.x, *self.stored, *self.initial, *self.masks, self.lengths, self.resets)
        given = [t for t in (*own, *(t for some in tensors.values() for t in some)) if t is not None and t.numel()]
        blocks = [(t.data_ptr(), t.numel() * t.element_size()) for t in given]
        super().run(partial(function, blocks), tape, flags, d_x=d_x, **tensors)


@contextmanager
def running_on(processor: Processor) -> Iterator[None]:
    """The engine native, on another processor."""
    library = cache(partial(LibraryElsewhere, processor))
    with patch.multiple(f"{NATIVE}.operators", Call=CallElsewhere, library=library), patch(f"{NATIVE}.engine.library", library):
        yield


def in_type(problem: Problem, dtype: torch.dtype) -> Problem:
    """The same problem in another type of number."""
    cast = lambda t: t.detach().to(dtype).requires_grad_() if t.is_floating_point() else t  # noqa: E731
    weights = type(problem.weights)(problem.weights.layout, list(map(cast, problem.weights.stored)))
    masks = None if problem.masks is None else {n: m.to(dtype) for n, m in problem.masks.items()}
    return replace(problem, weights=weights, x=cast(problem.x), initial=tuple(map(cast, problem.initial)), masks=masks)


def error_of(problem: Problem, how: Drawn, processor: Processor) -> tuple[float, float]:
    """The largest error of any result or gradient, and how many times what is allowed; none where results are too large to be compared."""
    wanted = solve(in_type(problem, torch.float64), "eager")
    if not all(w.isfinite().all() and (w.abs() < 1e4).all() for w in wanted):
        return 0.0, 0.0
    with shared_as(how, problem), running_on(processor):
        found = solve(problem, "native")
    worst = 0.0
    for got, right in zip(found, wanted, strict=True):
        error = (got.double() - right).abs().max().item() if right.numel() else 0.0
        worst = max(worst, error / max(1.0, right.abs().max().item()) if right.numel() else 0.0, math.inf if error != error else 0.0)
    return worst, worst / allowed(problem)


def allowed(problem: Problem) -> float:
    """16 rounding errors for the square root of the number of operations."""
    depths = {p.columns: problem.weights.block(p.name).shape[1] for p in problem.plan.recurrence.parameters if p.is_matrix}
    return 16 * torch.finfo(problem.initial[0].dtype).eps * (len(problem.x) * max(sum(depths.values()), 1)) ** 0.5


def random_cells(count: int, start: int) -> list[tuple[Recurrence, Drawn]]:
    """Cells and problems as benchmarks/random_cells.py draws them."""
    found: list[tuple[Recurrence, Drawn]] = []

    @seed(start)
    @given(texts(), drawn)
    @settings(max_examples=6 * count, deadline=None, database=None, phases=[Phase.generate])
    def collect(text: str, how: Drawn) -> None:
        with suppress(EquationError):
            found.append((parse(with_matrices_of_their_own(text, how.seed)), how))

    collect()
    return found[-count:]  # the first ones are the simplest


def look_at_cells(processor: Processor, random: int, start: int) -> bool:
    """One row of the table for each cell and type; whether all is well."""
    cells = {name: [(find_cell(name).recurrence, how) for how in PROBLEMS] for name in CELLS}
    cells |= {"random": random_cells(random, start)} if random else {}
    well = True
    for (name, problems), (dtype, narrow) in itertools.product(cells.items(), DEFINES):
        if name not in CELLS and dtype is torch.float32:
            continue  # random equations can make much of a rounding error
        worst = [
            error_of(replace(in_type(problem_of(cell, how, scale), dtype), narrow=narrow), how, processor)
            for cell, how in problems
            for scale in ((1, 4) if name in CELLS else (1,))
        ]
        error, share = (max(column) for column in zip(*worst, strict=True))
        kind = "bfloat16 weights" if narrow else str(dtype).removeprefix("torch.")
        print(f"{processor.name:12}{name:16}{kind:18}{len(worst):9}{error:15.2e} {share:11.3f}", flush=True)
        well &= share <= 1
    return well


def look_at_functions(processor: Processor, name: str) -> bool:
    """One row for a function; whether it keeps to its bounds."""
    row, well = f"{processor.name:12}{name:16}", True
    for dtype, wide, defines in ((np.float32, np.float64, ()), (np.float64, np.longdouble, ("DOUBLE",))):
        bits, count = 8 * dtype().itemsize, 200_000
        everyday = np.random.default_rng(0).uniform(-20, 20, count).astype(dtype)
        limits = np.array([np.nan, np.inf, -np.inf, 0, -0.0], dtype)
        x = np.concatenate([functions.patterns(dtype, 5, (1 << bits) // count, count), everyday, limits])
        got, number = np.empty_like(x), np.zeros(1, np.int64)
        own = program(processor, functions.source(), defines, tuple(f"each_{n}" for n in functions.NAMES))
        own.call(f"each_{name}", [(a.ctypes.data, a.nbytes) for a in (number, x, got)], [x.ctypes.data, got.ctypes.data, x.size, 1])
        worst = functions.Worst()
        with np.errstate(all="ignore"):
            worst.look(x, got, functions.WIDE[name](x.astype(wide)))
        error, bound = worst.found["normal"][0], functions.bound(name, dtype)
        row += f"{error:10.3f} of {bound:3.1f}"
        well &= error <= bound
    print(row, flush=True)
    return well


def main() -> int:
    """Look at all that is installed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--processors", default=",".join(p.name for p in PROCESSORS))
    options.add_argument("--random", type=int, default=10, help="how many random cells")
    options.add_argument("--seed", type=int, default=0, help="where random cells begin")
    options.add_argument("--flags", default="", help="more flags for the compilers")
    chosen = options.parse_args()
    EXTRA.extend(shlex.split(chosen.flags))
    some = [p for p in PROCESSORS if p.name in chosen.processors.split(",")]
    lacking = {p: p.lacking() for p in some}
    for processor in some:
        if lacking[processor]:
            print(f"{processor.name} is left out: {lacking[processor]}")
    some = [p for p in some if not lacking[p]]
    print(f"{'processor':12}{'cell':16}{'type':18}{'problems':>9}{'largest error':>15}{'of allowed':>12}")
    well = [look_at_cells(processor, chosen.random, chosen.seed) for processor in some]
    print(f"{'processor':12}{'function':16}{'float32':>17}{'float64':>17}   largest error in ulp")
    well += [look_at_functions(processor, name) for processor in some for name in functions.NAMES]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
