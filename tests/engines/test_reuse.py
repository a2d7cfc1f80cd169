"""The engine `eager` writes over what nobody reads again, where no gradient is asked for: the same numbers, and nothing of the caller's is touched."""

from unittest.mock import patch

import pytest
import sympy as sp
import torch
from hypothesis import HealthCheck, assume, given, settings

import unrolled as un
from drawn_cells import drawn, problem_of, texts_with_matrices, with_matrices_of_their_own
from unrolled.compiler import Assignment
from unrolled.engines import ENGINES
from unrolled.engines.program import Program
from unrolled.equations import parse
from unrolled.equations.functions import sigmoid
from unrolled.errors import EquationError

A, B, S, G = map(sp.Symbol, ("a[t]", "b[t]", "s[t]", "g[t]"))


@given(texts_with_matrices(), drawn)
@settings(max_examples=9, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_numbers_are_the_same_to_the_last_bit(text, how):
    try:
        problem = problem_of(parse(with_matrices_of_their_own(text, how.seed)), how)
    except EquationError:
        assume(False)
    with torch.no_grad(), patch("unrolled.engines.eager.is_watched", return_value=True):
        wanted = ENGINES["eager"].run(problem)
    given = [t.clone() for t in (problem.x, *problem.weights.stored, *problem.initial)]
    with torch.no_grad():
        found = ENGINES["eager"].run(problem)
    for ours, theirs in zip((*found.steps, *found.final), (*wanted.steps, *wanted.final), strict=True):
        assert torch.equal(ours.nan_to_num(nan=7.0), theirs.nan_to_num(nan=7.0))
    for before, now in zip(given, (problem.x, *problem.weights.stored, *problem.initial), strict=True):
        assert torch.equal(before.nan_to_num(nan=7.0), now.nan_to_num(nan=7.0))


def run(own, a, b):
    """g = sigmoid(a + b), s = 2 g + b, with or without more memory."""
    program = Program([Assignment(G, sigmoid(A + B)), Assignment(S, 2 * G + B)], own)
    found = []
    for reuse in (False, True):
        values = {A: a.clone(), B: b.clone()}
        at = values[A].data_ptr()
        program.run(values, reuse=reuse)
        found.append((values, at))
    assert torch.equal(found[0][0][S], found[1][0][S])
    return found[1]


def test_what_is_ones_own_is_written_over_and_not_given():
    a, b = torch.randn(3, 4), torch.randn(3, 4)
    values, at = run({A, G}, a, b)
    assert values[S].data_ptr() == at
    assert G not in values
    assert torch.equal(values[B], b)
    values, at = run({A}, a, b)
    assert values[G].data_ptr() == at
    assert values[S].data_ptr() != at
    for own in ({G}, {B, G}, {B}):  # b is read a second time
        values, at = run(own, a, b)
        assert torch.equal(values[A], a)


@pytest.mark.parametrize("smaller", [torch.randn(1, 4), torch.randn(3, 1), torch.randn(4), torch.randn(1), torch.randn(3, 4).double()])
def test_what_does_not_fit_is_not_written_into(smaller):
    run({A, B, G}, smaller, torch.randn(3, 4))
    run({A, B, G}, torch.randn(3, 4), smaller)
    if smaller.shape == (3, 1):
        run({A, B, G}, smaller, torch.randn(4))


def test_what_transforms_and_autocast_see_is_the_same():
    layer, x = un.Recurrent("lstm", 3, 4, engine="eager"), torch.randn(5, 2, 3)
    weights = {name: torch.stack([p, 2 * p]) for name, p in layer.named_parameters() if name.startswith("b_")}
    of_both = torch.func.vmap(lambda w: torch.func.functional_call(layer, w, (x,))[0])
    wanted = of_both(weights)
    with torch.no_grad():
        assert torch.equal(of_both(weights), wanted)
    with torch.autocast("cpu", torch.bfloat16):
        wanted = layer(x)[0]
        with torch.no_grad():
            assert torch.equal(layer(x)[0], wanted)
