"""Random cells on random problems: native gives what eager gives, with all gradients. `benchmarks/random_cells.py` draws many more."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings

import unrolled as un
from drawn_cells import Drawn, disagreement, drawn, problem_of, texts_with_matrices, with_matrices_of_their_own
from engines_here import needs_native
from unrolled.equations import parse


@needs_native
@pytest.mark.timeout(300)
@given(texts_with_matrices(), drawn)
@settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_native_equals_eager(text, how):
    text = with_matrices_of_their_own(text, how.seed)
    try:
        recurrence = parse(text)
    except un.errors.EquationError:
        assume(False)
    assert not (told := disagreement(problem_of(recurrence, how), how)), f"{text}\n{how}\n{told}"


PLAIN = Drawn(0, numbers=False, lengths=False, resets=False, reverse=False, masks=False, every_state=True)


@needs_native
@pytest.mark.parametrize(
    "text",
    [
        # What flows back to a state that depends on x alone is read after the loop.
        "h[t] = tanh(W @ x[t] - a[t-1])\na[t] = tanh(x[t])",
        # What leaves for one state is what arrived for another, whose own leaves earlier.
        "h[t] = c[t-1] - R @ c[t-1]\nc[t] = x[t]",
        # Nothing that matters reads x; one name has the size of x, and a number in it is computed in the loop.
        "a[t] = x[t]\nc[t] = (1 + abs(x[t])) ** tanh(1)\nh[t] = h[t-1]",
        # A number is read by a matrix, by a mean and unit by unit.
        "c[t] = 2 * tanh(1)\nh[t] = R @ c[t] + norm(c[t]) + h[t-1] * c[t]",
        # States are as wide as an input that nothing reads.
        "a[t] = x[t] - x[t]\nc[t] = h[t-1]\nh[t] = a[t-1]",
        "c[t] = sigmoid(2)\na[t] = c[t] * (P @ c[t])\nh[t] = (Q @ a[t]) * c[t-1] + R @ h[t-1]",
    ],
)
@pytest.mark.parametrize(
    "how", [PLAIN, replace(PLAIN, numbers=True), replace(PLAIN, lengths=True, resets=True, reverse=True, masks=True, threads=2, cut=True)]
)
def test_what_was_found_before(text, how):
    assert not disagreement(problem_of(parse(text), how), how)
