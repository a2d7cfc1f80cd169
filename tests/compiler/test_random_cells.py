"""Random cells that obey the language: the text evaluated by Python itself must agree with the plan, forward and backward."""

import ast

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import plan_in_numpy
import unrolled as un
from drawn_cells import texts
from plan_in_numpy import FUNCTIONS
from unrolled.compiler import make_plan
from unrolled.equations import parse, to_text
from unrolled.equations.recurrence import INPUT, before, now

UNITS, BATCH, STEPS = 3, 2, 3


class Time:
    """`[t]` and `[t-1]`, as Python evaluates them."""

    def __sub__(self, one):
        return -one


def norm(a):
    a = a - np.mean(a, -1, keepdims=True)
    return a / np.sqrt(np.mean(a**2, -1, keepdims=True) + 1e-5)


class Timed(dict):
    """A name with its values at the times of a step."""


class Matrix:
    def __init__(self, values):
        self.values = values

    def __matmul__(self, vector):
        return vector @ self.values.T


class OneOrZero(ast.NodeTransformer):
    """NumPy cannot calculate with what comparisons give it."""

    def visit_Compare(self, node):
        return ast.BinOp(self.generic_visit(node), ast.Mult(), ast.Constant(1.0))


def compiled(text):
    return compile(ast.fix_missing_locations(OneOrZero().visit(ast.parse(text, mode="eval"))), "cell", "eval")


def by_python(recurrence, parameters, x, initial):
    """Every state at every step, from the text alone."""
    t = Time()
    names = {name: Matrix(value) if value.ndim == 2 else value for name, value in parameters.items()}
    timed = {e.name: Timed({-1: initial.get(e.name), t: None}) for e in recurrence.equations}
    history, code = [], {e.name: compiled(e.text) for e in recurrence.equations}
    for row in x:
        for e in recurrence.equations:
            timed[e.name][t] = eval(code[e.name], {**FUNCTIONS, "norm": norm, **names, **timed, "x": {t: row}, "t": t}) + np.zeros(
                (BATCH, UNITS)
            )
        for values in timed.values():
            values[-1] = values[t]
        history.append({s: timed[s][t] for s in recurrence.states})
    return history


def by_plan(plan, parameters, x, initial):
    states, history = initial, []
    for row in x:
        values = {**{plan_in_numpy.sp.Symbol(n): v for n, v in parameters.items()}, INPUT: row, **{before(s): v for s, v in states.items()}}
        for stage in (*plan.prologue, *plan.stages):
            plan_in_numpy.forward_stage(stage, parameters, values)
        states = {s: values[now(s)] + np.zeros((BATCH, UNITS)) for s in plan.recurrence.states}
        history.append(states)
    return history


@given(texts(), st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_a_plan_computes_what_its_text_says_and_the_derivative_of_that(text, seed):
    try:
        recurrence = parse(text)
    except un.errors.EquationError:
        assume(False)
    assert parse(to_text(recurrence)) == recurrence
    random = np.random.default_rng(seed)
    shapes = {p.name: (UNITS, UNITS)[: 1 + p.is_matrix] for p in recurrence.parameters}
    parameters = {name: random.normal(size=shape) * 0.5 for name, shape in shapes.items()}
    x, initial = random.normal(size=(STEPS, BATCH, UNITS)) * 0.5, {s: random.normal(size=(BATCH, UNITS)) * 0.5 for s in recurrence.states}
    history = by_python(recurrence, parameters, x, initial)
    assume(all(np.abs(v).max() < 100 for step in history for v in step.values()))
    for got, wanted in zip(by_plan(make_plan(recurrence), parameters, x, initial), history, strict=True):
        for s in recurrence.states:
            np.testing.assert_allclose(got[s], wanted[s], rtol=1e-9, atol=1e-12)

    cotangents = {s: random.normal(size=x.shape) for s in recurrence.states}
    gradients, into_x, into_initial = plan_in_numpy.derivative(make_plan(recurrence), parameters, x, initial, cotangents)
    point, slope = [*parameters.values(), x, *initial.values()], [*gradients.values(), into_x, *into_initial.values()]
    direction = [random.normal(size=p.shape) for p in point]

    def total(distance):
        moved = [p + distance * d for p, d in zip(point, direction, strict=True)]
        count = len(parameters)
        run = by_python(
            recurrence, dict(zip(parameters, moved, strict=False)), moved[count], dict(zip(initial, moved[count + 1 :], strict=True))
        )
        return sum((cotangents[s][t] * step[s]).sum() for t, step in enumerate(run) for s in step)

    expected = (total(1e-6) - total(-1e-6)) / 2e-6
    scale = 1 + sum(np.abs(g * d).sum() for g, d in zip(slope, direction, strict=True))
    assert abs(sum((g * d).sum() for g, d in zip(slope, direction, strict=True)) - expected) < 1e-5 * scale
