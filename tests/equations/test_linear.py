"""Recurrences that are linear in their states, and those that are nearly so."""

import pytest

import unrolled as un
from unrolled.equations.linear import linear_in_states


@pytest.mark.parametrize(
    ("text", "declared", "form"),
    [
        ("h[t] = a * h[t-1] + W @ x[t]", {}, "unit by unit"),
        ("z[t] = sigmoid(W_z @ x[t])\nh[t] = (1 - z[t]) * h[t-1] + z[t] * (W @ x[t])", {}, "unit by unit"),
        ("c[t] = sigmoid(F @ x[t]) * c[t-1] + W @ x[t]\nh[t] = tanh(c[t])", {}, "unit by unit"),
        ("h[t] = R @ h[t-1] + W @ x[t]", {}, "through maps"),
        ("h[t] = h[t-1] - mean(h[t-1]) + sin(t) * (W @ x[t])", {}, "through maps"),
        ("C[t] = C[t-1] + outer(V @ x[t], K @ x[t])\nh[t] = C[t] @ (Q @ x[t])", {}, "unit by unit"),
        ("a[t] = (A @ x[t]) * a[t-1] - (B @ x[t]) * b[t-1]\nb[t] = b[t-1] + a[t-1]\nh[t] = a[t] * b[t]", {}, "unit by unit"),
        ("h[t] = tanh(h[t-1]) + W @ x[t]", {}, ""),
        ("h[t] = step(h[t-1]) + W @ x[t]", {}, ""),
        ("h[t] = h[t-1] * h[t-1] + W @ x[t]", {}, ""),
        ("h[t] = h[t-1] * c[t-1] + W @ x[t]\nc[t] = c[t-1] + W @ x[t]", {}, ""),
        ("h[t] = norm(h[t-1]) + W @ x[t]", {}, ""),
        ("h[t] = x[t] / h[t-1]", {}, ""),
        ("h[t] = h[t-1] * (R @ h[t-1]) + W @ x[t]", {}, ""),
    ],
)
def test_what_is_linear_in_its_states_is_recognised(text, declared, form):
    cell = un.Cell("mine", text, **declared)
    assert linear_in_states(cell.recurrence) == form


def test_a_layer_says_that_it_is_linear():
    assert ", linear in the state, unit by unit" in un.Recurrent(un.Cell("mine", "h[t] = a * h[t-1] + W @ x[t]"), 2, 3).explain()
    assert "linear" not in un.Recurrent("lstm", 2, 3).explain()
