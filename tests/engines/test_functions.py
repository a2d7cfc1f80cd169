"""The functions of native kernels keep to the errors stated in functions.h, in registers of every width that the processor has."""

import os
import platform
from functools import cache
from unittest import mock

import mpmath
import numpy as np
import pytest

from engines_here import needs_native
from functions import NAMES, POWERS, WIDE, Library, bound, patterns, ulps

pytestmark = needs_native
SINGLE, DOUBLE = np.float32, np.float64
WIDTHS = ("", "-mno-avx512f", "-mno-avx") if platform.machine().lower() in {"x86_64", "amd64"} else ("",)


def _exp(x):
    return mpmath.exp(max(min(x, 2000), -2000))  # beyond that, what comes out has long been a limit


def _log(x):
    return mpmath.log(x) if x > 0 else -mpmath.inf if x == 0 else mpmath.nan


EXACT = {
    "exp": _exp,
    "sigmoid": lambda x: 1 / (1 + _exp(-x)),
    "tanh": mpmath.tanh,
    "softplus": lambda x: max(x, 0) + mpmath.log1p(_exp(-abs(x))),
    "log": _log,
    "sin": lambda x: mpmath.sin(x) if mpmath.isfinite(x) else mpmath.nan,
    "cos": lambda x: mpmath.cos(x) if mpmath.isfinite(x) else mpmath.nan,
    "erf": mpmath.erf,
    "log1p": lambda x: mpmath.log1p(x) if x > -1 else _log(1 + x),
    "expm1": lambda x: mpmath.expm1(max(min(x, 2000), -2000)),
    "silu": lambda x: x / (1 + _exp(-x)) if x > -mpmath.inf else mpmath.nan,
    "sqrt": lambda x: mpmath.sqrt(x) if x >= 0 else mpmath.nan,
} | {f"whole_power_{n}": lambda x, n=n: x**n for n in POWERS}


@pytest.fixture(scope="module", params=[(dtype, width) for dtype in (SINGLE, DOUBLE) for width in WIDTHS], ids=str)
def library(request, cache):
    dtype, width = request.param
    with mock.patch.dict(os.environ, UNROLLED_CFLAGS=width):
        return Library(dtype)


def edges(dtype):
    """Numbers at which something changes, with their neighbours."""
    kind = np.finfo(dtype)
    two, tiny = np.log(2), kind.smallest_subnormal
    at = [
        0,
        1,
        9.01,
        10,
        22,
        tiny,
        kind.smallest_normal,
        0.75 * kind.smallest_normal,
        kind.max,
        *np.log([kind.max, kind.smallest_normal, tiny]),
    ]
    at += [0.5, 0.5**0.5, 2**0.5, np.log(2**0.5 - 1), two / 4, *(two * np.arange(0.5, 12))]
    bits = np.abs(np.array(at, dtype)).view(f"i{np.dtype(dtype).itemsize}")[:, None] + np.arange(-40, 41)
    near = bits.astype(bits.dtype).ravel().view(dtype)
    return np.concatenate([near, -near, np.array([np.inf, -np.inf, np.nan], dtype)])


@cache
def numbers(dtype):
    """All exponents alike, numbers of everyday size, edges."""
    count, bits = (200_000, 32) if dtype is SINGLE else (1000, 64)
    generator = np.random.default_rng(1)
    spread = patterns(dtype, int(generator.integers(0, 1000)), (1 << bits) // count, count)
    everyday = generator.uniform(-20, 20, count).astype(dtype)
    around = np.exp(generator.uniform(-8, 0, count)).astype(dtype)
    return np.concatenate([spread, everyday, around, -around, edges(dtype)])


@cache
def exact(name, dtype):
    """The function of `numbers`, and what is lacking where that is rounded."""
    x = numbers(dtype)
    if dtype is SINGLE or name not in EXACT:
        with np.errstate(all="ignore"):
            return WIDE[name](x.astype(DOUBLE)), 0
    with mpmath.workprec(200):
        values = [EXACT[name](mpmath.mpf(float(v))) if v == v else mpmath.nan for v in x]
        high = np.array([float(v) for v in values])
        return high, np.array([float(v - h) if np.isfinite(h) else 0 for v, h in zip(values, high, strict=True)])


@pytest.mark.parametrize("name", NAMES)
def test_errors(library, name):
    x = numbers(library.dtype)
    right, rest = exact(name, library.dtype)
    got = library(name, x)
    error = ulps(got, right, rest)
    if name == "sigmoid":
        smallest = np.finfo(library.dtype).smallest_normal
        low = np.abs(right) < smallest
        assert np.all((got[low] >= 0) & (got[low] <= smallest))
        error[low] = 0
    worst = np.argmax(error)
    assert error[worst] <= bound(name, library.dtype), f"{name}({x[worst]!r}) = {got[worst]!r}, not {right[worst]!r}"


def test_power(library):
    dtype, generator = library.dtype, np.random.default_rng(2)
    base = np.concatenate([np.exp(generator.uniform(-9, 9, 2000)), [0, 0, -8, -2, np.nan, np.inf, 2, 2, 1]]).astype(dtype)
    exponent = np.concatenate([generator.uniform(-9, 9, 2000), [2.5, -1, 1 / 3, 3, 2, -1, np.inf, np.nan, np.nan]]).astype(dtype)
    got = library.power(base, exponent)
    with np.errstate(all="ignore"):
        right = np.power(base.astype(DOUBLE), exponent.astype(DOUBLE))
    rest = 0
    if dtype is DOUBLE:
        with mpmath.workprec(200):
            rest = np.zeros(base.size)
            rest[:2000] = [float(mpmath.mpf(b) ** mpmath.mpf(e) - r) for b, e, r in zip(base[:2000], exponent[:2000], right, strict=False)]
    assert np.max(ulps(got, right, rest)) <= bound("power", dtype)


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("exp", [(np.inf, np.inf), (-np.inf, 0.0), (0.0, 1.0)]),
        ("sigmoid", [(np.inf, 1.0), (-np.inf, 0.0), (0.0, 0.5)]),
        ("tanh", [(np.inf, 1.0), (-np.inf, -1.0), (0.0, 0.0), (-0.0, -0.0)]),
        ("softplus", [(np.inf, np.inf), (-np.inf, 0.0)]),
        ("log", [(np.inf, np.inf), (-np.inf, np.nan), (-1.0, np.nan), (0.0, -np.inf), (-0.0, -np.inf), (1.0, 0.0)]),
        ("sqrt", [(np.inf, np.inf), (-1.0, np.nan), (-np.inf, np.nan), (0.0, 0.0), (-0.0, -0.0)]),
        ("relu", [(np.inf, np.inf), (-np.inf, 0.0), (0.0, 0.0)]),
        ("abs", [(-np.inf, np.inf), (-0.0, 0.0)]),
        ("step", [(np.inf, 1.0), (-np.inf, 0.0), (-0.0, 0.0), (np.nan, 1.0)]),
        ("sign", [(np.inf, 1.0), (-np.inf, -1.0), (-0.0, 0.0), (np.nan, 0.0)]),
        ("whole_power_3", [(-np.inf, -np.inf), (-0.0, -0.0)]),
    ],
)
def test_limits_and_signs_of_zero(library, name, pairs):
    given, wanted = (np.array(column, library.dtype) for column in zip(*pairs, strict=True))
    got = library(name, given)
    np.testing.assert_array_equal(got, wanted)
    known = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(wanted)[known])


def test_derivatives_from_values_are_never_negative(library):
    x = numbers(library.dtype)
    x = np.concatenate([x, np.linspace(-25, 25, 100_001, dtype=library.dtype)])
    x = x[~np.isnan(x)]
    t, s = library("tanh", x), library("sigmoid", x)
    assert np.abs(t).max() == 1
    assert (1 - t * t).min() == 0
    assert s.min() == 0
    assert s.max() == 1
    assert (s * (1 - s)).min() == 0
    np.testing.assert_array_equal(t, -library("tanh", -x))


def test_some_lanes_alone(library):
    x = np.linspace(-3, 3, 67, dtype=library.dtype)
    whole = library("tanh", x)
    for count in range(1, 67):
        np.testing.assert_array_equal(library("tanh", x[:count].copy()), whole[:count])
