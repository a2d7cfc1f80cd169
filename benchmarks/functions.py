"""The functions of native kernels on all numbers that there are: the largest error of each, and where it is.

    python benchmarks/functions.py                       # one float32 in 64, one after the other over all bit patterns; some minutes
    python benchmarks/functions.py --stride 1            # all of them
    python benchmarks/functions.py --dtype float64       # bit patterns drawn at random, which is all exponents alike

Errors are in ulp, distances between neighbouring numbers at the exact result, against NumPy in the next wider type. Results below the
smallest normal number are listed apart, as kernels need not get them right. The last column is the time of one number in ns, the function
applied to 1024 numbers again and again. tests/engines/test_functions.py holds the functions to the bounds stated in functions.h.
"""

import argparse
import ctypes
import math
import re
import statistics
import time
from collections.abc import Callable
from importlib.resources import files

import numpy as np

from unrolled.engines.native.build import build, load

Array = np.ndarray
POWERS = (2, 3, 5, 8)
NAMES = (
    *("exp", "sigmoid", "tanh", "softplus", "log", "sqrt", "relu", "abs", "step", "sign", "sin", "cos", "erf", "log1p", "expm1", "silu"),
    *(f"whole_power_{n}" for n in POWERS),
)
_EACH = """
void {name}(const real *from, real *to, long count, long times)
{{
    for (long t = 0; t < times; t++)
        for (long i = 0; i < count; i += LANES)
            store_some(to + i, {call}, count - i);
}}
"""
_POWER = """
void power(const real *from, const real *exponent, real *to, long count, long times)
{
    for (long t = 0; t < times; t++)
        for (long i = 0; i < count; i += LANES)
            store_some(to + i, v_power(load_some(from + i, count - i), load_some(exponent + i, count - i)), count - i);
}
"""


def source() -> str:
    """The fixed part of every kernel that has the functions, and a loop over an array around each."""
    runtime = files("unrolled.compiler.native").joinpath("runtime")
    argument = "load_some(from + i, count - i)"
    calls = {name: f"v_{name}({argument})" for name in NAMES if name[:5] != "whole"}
    calls |= {f"whole_power_{n}": f"whole_power({argument}, {n})" for n in POWERS}
    loops = [_EACH.format(name=f"each_{name}", call=call) for name, call in calls.items()]
    return "\n".join([*(runtime.joinpath(name).read_text("utf-8") for name in ("vectors.h", "functions.h")), *loops, _POWER])


def bound(name: str, dtype: type[np.floating]) -> float:
    """The largest error in ulp that functions.h states for a function."""
    if name.startswith("whole_power_"):
        return int(name[12:]) - 1
    text = files("unrolled.compiler.native").joinpath("runtime", "functions.h").read_text("utf-8")
    (row,) = re.findall(rf"^   {name} +(\d\.\d) +(\d\.\d)", text, re.M)
    return float(row[dtype is np.float64])


class Library:
    """The functions for one type of number, by name, on arrays."""

    def __init__(self, dtype: type[np.floating], text: str = "") -> None:
        self.dtype = dtype
        self._library = load(build("functions", text or source(), ("DOUBLE",) if dtype is np.float64 else ()))

    def __call__(self, name: str, x: Array, times: int = 1) -> Array:
        """One of NAMES of every number."""
        return self._call(f"each_{name}", x, times=times)

    def power(self, base: Array, exponent: Array) -> Array:
        """base ** exponent."""
        return self._call("power", base, exponent)

    def _call(self, symbol: str, *arrays: Array, times: int = 1) -> Array:
        assert all(a.dtype == self.dtype and a.flags.c_contiguous for a in arrays)
        out = np.empty_like(arrays[0])
        getattr(self._library, symbol)(
            *(ctypes.c_void_p(a.ctypes.data) for a in (*arrays, out)), ctypes.c_long(out.size), ctypes.c_long(times)
        )
        return out


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


WIDE: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softplus": _softplus,
    "log": np.log,
    "sqrt": np.sqrt,
    "relu": lambda x: np.where(x < 0, 0, x),
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
    "erf": np.vectorize(math.erf, [float]),
    "log1p": np.log1p,
    "expm1": np.expm1,
    "silu": lambda x: x * _sigmoid(x),
    "step": lambda x: np.where(x <= 0, 0.0, 1.0),
    "sign": lambda x: np.where(x > 0, 1.0, np.where(x < 0, -1.0, 0.0)),
} | {f"whole_power_{n}": lambda x, n=n: x**n for n in POWERS}
"""Each function in whatever type of number it is given; NaN has no sign and is not at or below 0."""


def ulps(got: Array, exact: Array, rest: Array | int = 0) -> Array:
    """How far results are from the exact ones, of a wider type or in two parts; infinity stands one step beyond the largest number."""
    kind, wide = np.finfo(got.dtype), exact.dtype.type
    _, exponent = np.frexp(np.where(np.isfinite(exact), exact, kind.max))
    exponent = np.clip(exponent - 1, kind.minexp, kind.maxexp - 1)
    with np.errstate(over="ignore", invalid="ignore"):
        beyond = np.ldexp(wide(1), kind.maxexp)

        def scaled(a: Array) -> Array:
            return np.where(np.abs(a) >= beyond, np.sign(a) * np.ldexp(wide(1), kind.maxexp - exponent), np.ldexp(a, -exponent))

        error = np.abs(scaled(got.astype(wide)) - scaled(exact) - np.ldexp(wide(1) * rest, -exponent)) * wide(2) ** kind.nmant
    return np.where(np.isnan(got) | np.isnan(exact), np.where(np.isnan(got) & np.isnan(exact), 0, np.inf), error).astype(np.float64)


def patterns(dtype: type[np.floating], first: int, stride: int, count: int) -> Array:
    """Numbers whose bits, read as a whole number, follow one another at a distance."""
    bits = np.dtype(f"u{np.dtype(dtype).itemsize}")
    return (first + stride * np.arange(count, dtype=np.uint64)).astype(bits).view(dtype)


class Worst:
    """The largest error so far, and where; once for normal results and once for those below them."""

    def __init__(self) -> None:
        self.found = dict.fromkeys(("normal", "below"), (0.0, 0.0))

    def look(self, x: Array, got: Array, exact: Array) -> None:
        """Take more results in."""
        error = ulps(got, exact)
        below = (np.abs(exact) < np.finfo(got.dtype).smallest_normal) & (exact != 0)
        for kind, some in (("normal", np.where(below, 0, error)), ("below", np.where(below, error, 0))):
            at = int(np.argmax(some))
            self.found[kind] = max(self.found[kind], (float(some[at]), float(x[at])))


def nanoseconds(library: Library, name: str) -> float:
    """The time of one number: the median of 30 rounds."""
    x = np.random.default_rng(0).uniform(0.1, 4, 1024).astype(library.dtype)
    rounds = []
    for _ in range(30):
        begun = time.perf_counter()
        library(name, x, times=200)
        rounds.append((time.perf_counter() - begun) / 200 / x.size * 1e9)
    return statistics.median(rounds)


def batches(dtype: type[np.floating], stride: int, numbers: int, seed: int) -> list[Callable[[], Array]]:
    """The numbers to look at, in pieces that are made when they are needed."""
    piece = 1 << 20
    if dtype is np.float32:
        total = (1 << 32) // stride
        return [lambda i=i: patterns(dtype, seed % stride + i * stride, stride, min(piece, total - i)) for i in range(0, total, piece)]
    generator = np.random.default_rng(seed)
    return [lambda: generator.integers(0, 1 << 64, piece, np.uint64).view(dtype) for _ in range(-(-numbers // piece))]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--stride", type=int, default=64, help="of all float32, every how manieth")
    parser.add_argument("--numbers", type=int, default=20_000_000, help="how many float64")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--functions", default=",".join(NAMES))
    options = parser.parse_args()
    dtype, wide = (np.float32, np.float64) if options.dtype == "float32" else (np.float64, np.longdouble)
    if np.finfo(wide).nmant < np.finfo(dtype).nmant + 10:
        parser.error("NumPy has no type here that is wider than float64")
    library = Library(dtype)
    print(f"{'':14}{'ulp':>8} {'at':>24}{'below normal':>14} {'at':>24}{'ns':>8}")
    for name in options.functions.split(","):
        worst = Worst()
        for batch in batches(dtype, options.stride, options.numbers, options.seed):
            x = batch()
            with np.errstate(all="ignore"):
                worst.look(x, library(name, x), WIDE[name](x.astype(wide)))
        (normal, at), (below, at_below) = worst.found["normal"], worst.found["below"]
        print(f"{name:14}{normal:8.3f} {at:24.17g}{below:14.3g} {at_below:24.17g}{nanoseconds(library, name):8.3f}", flush=True)


if __name__ == "__main__":
    main()
