"""Where functions end or bend, at infinity, 0 and NaN, native derivatives are what torch's are."""

import pytest
import torch

import unrolled as un
from engines_here import needs_native
from unrolled.equations.functions import FUNCTIONS

NAN, INFINITY = float("nan"), float("inf")
ALONE = [f"{name}(x[t])" for name, function in FUNCTIONS.items() if function.takes - len(function.otherwise) == 1]
BOTH = [
    "elu(x[t], p)",
    "leaky_relu(x[t], p)",
    "max(x[t], p)",
    "min(p, x[t])",
    "clip(x[t], -1, p)",
    "clip(p, x[t], 0.7)",
    "where(x[t] > 0, p, x[t])",
]
COMPARED = [f"(x[t] {sign} p) * x[t] + (x[t] {sign} 0) * p" for sign in (">", ">=", "<", "<=", "==", "!=")]
TERMS = [*ALONE, *BOTH, *COMPARED, "x[t] ** 3", "x[t] ** -2", "x[t] ** 0.5", "x[t] ** -1.5", "x[t] ** p", "p ** x[t]"]


@needs_native
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("term", TERMS)
def test_derivatives_equal_those_of_torch(term, dtype):
    cell = un.Cell("one-term", f"h[t] = {term} + p * h[t-1]")
    for exponent in (0.7, 0.0, -1.0):
        for value in (NAN, INFINITY, -INFINITY, 0.0, -0.0, 1e30, -1e30, 1e-40, 100.0, -100.0, 1.5, -1.5):
            if "rms_norm" in term and abs(value) in (1.5, 100.0):
                continue  # of a single unit almost nothing is left of what is taken from itself
            found = []
            for engine in ("native", "eager"):
                layer = un.Recurrent(cell, 1, 1, engine=engine, dtype=dtype)
                torch.nn.init.constant_(layer.p_l0, exponent)
                x = torch.full((1, 1, 1), value, dtype=dtype, requires_grad=True)
                y, _ = layer(x)
                found.append([y, *torch.autograd.grad(y.sum(), [x, layer.p_l0], materialize_grads=True)])
            torch.testing.assert_close(
                *found, rtol=1e-5, atol=1e-37, equal_nan=True, msg=lambda m, v=value, e=exponent: f"x = {v}, p = {e}: {m}"
            )
