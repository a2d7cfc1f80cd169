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
from unrolled.equations import Fixed, parse, to_text
from unrolled.equations.recurrence import INPUT, before, now

UNITS, BATCH, STEPS = 3, 2, 3


def norm(a):
    a = a - np.mean(a, -1, keepdims=True)
    return a / np.sqrt(np.mean(a**2, -1, keepdims=True) + 1e-5)


def over_units(function):
    return lambda a, *more: function(np.broadcast_to(a, (BATCH, UNITS)), *more)


OF_ALL = {
    "norm": norm,
    "rms_norm": lambda a, eps=1e-5: a / np.sqrt(np.mean(a**2, -1, keepdims=True) + eps),
    "softmax": lambda a: np.exp(a) / np.exp(a).sum(-1, keepdims=True),
    "sum": lambda a: a.sum(-1, keepdims=True) + np.zeros(UNITS),
    "mean": lambda a: a.mean(-1, keepdims=True) + np.zeros(UNITS),
    "cumsum": lambda a: np.stack([a[..., : i + 1].sum(-1) for i in range(UNITS)], -1),
    "blocks": lambda a, k: a if k == 1 else Matrix(np.diag(a.values.ravel())),
}


class Timed(dict):
    """A name with its values at the times of a step."""


class Matrix:
    def __init__(self, values):
        self.values = values

    def __matmul__(self, right):
        return Matrix(self.values @ right.values) if isinstance(right, Matrix) else (right + np.zeros(UNITS)) @ self.values.T

    def __sub__(self, other):
        return Matrix(self.values - other.values)

    def __rmul__(self, number):
        return Matrix(number * self.values)

    def __neg__(self):
        return Matrix(-self.values)

    @property
    def T(self):  # noqa: N802
        return Matrix(self.values.T)


class Readable(ast.NodeTransformer):
    """Times as numbers of their own, 0 and -1; and NumPy cannot calculate with what comparisons give it."""

    def visit_Compare(self, node):
        return ast.BinOp(self.generic_visit(node), ast.Mult(), ast.Constant(1.0))

    def visit_Subscript(self, node):
        return ast.Subscript(node.value, ast.Constant(0 if isinstance(node.slice, ast.Name) else -1), node.ctx)


def compiled(text):
    return compile(ast.fix_missing_locations(Readable().visit(ast.parse(text, mode="eval"))), "cell", "eval")


def all_blocks(recurrence, learned):
    """What an engine reads, of what is learnt: maps that are made of others as Python makes them of their names."""
    known = {"ones": np.ones((UNITS, UNITS)), "average": np.ones((UNITS, UNITS)) / UNITS, "lower": np.tril(np.ones((UNITS, UNITS)))}
    names = {**OF_ALL, **{name: Matrix(value) for name, value in learned.items() if value.ndim > 1}}
    found = {}
    for p in recurrence.parameters:
        if p.made is None:
            found[p.name] = learned[p.name]
        else:
            found[p.name] = known[p.made.how] if isinstance(p.made, Fixed) else eval(p.name, {"__builtins__": {}, **names}).values
    return found


def by_python(recurrence, parameters, x, initial):
    """Every state at every step, from the text alone."""
    names = {name: Matrix(value) if value.ndim > 1 else value for name, value in parameters.items()}
    lines = [e for e in recurrence.equations if e.text]
    timed = {e.name: Timed({-1: initial.get(e.name), 0: None}) for e in lines}
    timed["x"], timed["t"] = Timed({-1: initial.get("x_before")}), np.zeros((BATCH, UNITS))
    history, code = [], {e.name: compiled(e.text) for e in lines}
    for row in x:
        timed["x"][0] = row
        for e in lines:
            timed[e.name][0] = eval(code[e.name], {**FUNCTIONS, **OF_ALL, **names, **timed}) + np.zeros((BATCH, UNITS))
        for values in timed.values():
            if isinstance(values, Timed):
                values[-1] = values[0]
        timed["t"] = timed["t"] + 1
        history.append({s: row if s == "x_before" else timed["t"] if s in recurrence.counters else timed[s][0] for s in recurrence.states})
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
    shapes = {p.name: (3, 1, 1) if p.form.blocks == 3 else (UNITS, UNITS)[: 1 + p.is_matrix] for p in recurrence.learned}
    parameters = {name: random.normal(size=shape) * 0.5 for name, shape in shapes.items()}
    x, initial = random.normal(size=(STEPS, BATCH, UNITS)) * 0.5, {s: random.normal(size=(BATCH, UNITS)) * 0.5 for s in recurrence.states}
    initial |= {counter: np.zeros((BATCH, UNITS)) for counter in recurrence.counters}
    history = by_python(recurrence, parameters, x, initial)
    assume(all(np.abs(v).max() < 100 for step in history for v in step.values()))
    blocks = all_blocks(recurrence, parameters)
    for got, wanted in zip(by_plan(make_plan(recurrence), blocks, x, initial), history, strict=True):
        for s in recurrence.states:
            np.testing.assert_allclose(got[s], wanted[s], rtol=1e-9, atol=1e-12)

    cotangents = {s: random.normal(size=x.shape) for s in recurrence.states}
    gradients, into_x, into_initial = plan_in_numpy.derivative(make_plan(recurrence), blocks, x, initial, cotangents)
    point = [*parameters.values(), x, *initial.values()]
    still = [name in recurrence.counters for name in ([""] * (len(parameters) + 1) + list(initial))]
    direction = [random.normal(size=p.shape) * (not fixed) for p, fixed in zip(point, still, strict=True)]
    # Maps that are made of others are linear in them, and what is fixed gets no gradient.
    towards = all_blocks(recurrence, dict(zip(parameters, direction, strict=False)))
    slope = [*gradients.values(), into_x, *into_initial.values()]
    directions = [*(towards[name] for name in gradients), *direction[len(parameters) :]]

    def total(distance):
        moved = [p + distance * d for p, d in zip(point, direction, strict=True)]
        count = len(parameters)
        run = by_python(
            recurrence, dict(zip(parameters, moved, strict=False)), moved[count], dict(zip(initial, moved[count + 1 :], strict=True))
        )
        return sum((cotangents[s][t] * step[s]).sum() for t, step in enumerate(run) for s in step)

    expected = (total(1e-6) - total(-1e-6)) / 2e-6
    scale = 1 + sum(np.abs(g * d).sum() for g, d in zip(slope, directions, strict=True))
    assert abs(sum((g * d).sum() for g, d in zip(slope, directions, strict=True)) - expected) < 1e-5 * scale
