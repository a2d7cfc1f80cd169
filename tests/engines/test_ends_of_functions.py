"""Where functions end or bend, at infinity, 0 and NaN, native derivatives are what torch's are."""

from functools import cache

import pytest
import torch

import unrolled as un
from engines_here import needs_native
from unrolled.equations.functions import FUNCTIONS

NAN, INFINITY = float("nan"), float("inf")
VALUES = (NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e30, -1e30, 1e-40, 100.0, -100.0, 1.5, -1.5)
EXPONENTS = (0.7, 0.0, -1.0)

ALONE = [f"{name}({{v}})" for name, function in FUNCTIONS.items() if function.takes - len(function.otherwise) == 1]
BOTH = [
    "elu({v}, {p})",
    "leaky_relu({v}, {p})",
    "max({v}, {p})",
    "min({p}, {v})",
    "clip({v}, -1, {p})",
    "clip({p}, {v}, 0.7)",
    "where({v} > 0, {p}, {v})",
]
COMPARED = [f"({{v}} {sign} {{p}}) * {{v}} + ({{v}} {sign} 0) * {{p}}" for sign in (">", ">=", "<", "<=", "==", "!=")]
POWERS = ["{v} ** 3", "{v} ** -2", "{v} ** 0.5", "{v} ** -1.5", "{v} ** {p}", "{p} ** {v}"]
TERMS = [*ALONE, *BOTH, *COMPARED, *POWERS]
CASES = [(p, v) for p in EXPONENTS for v in VALUES]


@cache
def found(engine, dtype):
    """Each term of a state `v` and a parameter `p`, and its derivatives by both, for all cases: `[terms, 3, cases]`.

    Every term is a state of one cell, so that one kernel has them all. It has a single unit: torch's `gelu` of infinity is NaN where it takes
    eight at once.
    """
    lines = (f"s{n}[t] = {term.format(v=f's{n}[t-1]', p=f'p{n}')} + p{n} * x[t]" for n, term in enumerate(TERMS))
    layer = un.Recurrent(un.Cell("terms", "\n".join(lines), output="s0"), 1, 1, engine=engine, dtype=dtype)
    powers = [getattr(layer, f"p{n}_l0") for n in range(len(TERMS))]
    parts = []
    for p, v in CASES:
        for power in powers:
            torch.nn.init.constant_(power, p)
        before = tuple(torch.full((1, 1, 1), v, dtype=dtype, requires_grad=True) for _ in TERMS)
        _, after = layer(torch.zeros(1, 1, 1, dtype=dtype), before)
        slopes = torch.autograd.grad(sum(after), [*before, *powers], materialize_grads=True)
        parts.append(torch.stack([part.detach().flatten() for part in (*after, *slopes)]).reshape(3, len(TERMS)).T)
    return torch.stack(parts, -1)


@needs_native
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("number", range(len(TERMS)), ids=TERMS)
def test_derivatives_equal_those_of_torch(number, dtype):
    native, eager = (found(engine, dtype)[number].unbind(-1) for engine in ("native", "eager"))
    for (p, v), ours, theirs in zip(CASES, native, eager, strict=True):
        if "rms_norm" in TERMS[number] and abs(v) in (1.5, 100.0):
            continue  # of a single unit almost nothing is left of what is taken from itself
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-37, equal_nan=True, msg=lambda m, v=v, p=p: f"v = {v}, p = {p}: {m}")
