"""A plan executed as it is printed, in NumPy, forward and backward: what a native engine will do, without any automatic differentiation."""

import math

import numpy as np
import sympy as sp

from unrolled.equations.recurrence import INPUT, OverUnits, before, now

FUNCTIONS = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "softplus": lambda a: np.log1p(np.exp(a)),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "floor": np.floor,
    "modulo": np.mod,
    "spike": lambda a: (~(a <= 0)).astype(float),
    "sin": np.sin,
    "cos": np.cos,
    "erf": np.vectorize(math.erf),
    "log1p": np.log1p,
    "expm1": np.expm1,
    "gelu": lambda a: a * (1 + np.vectorize(math.erf)(a / math.sqrt(2))) / 2,
    "silu": lambda a: a / (1 + np.exp(-a)),
    "hard_sigmoid": lambda a: np.clip(a / 6 + 0.5, 0, 1),
    "elu": lambda a, p=1: np.where(a > 0, a, p * np.expm1(np.minimum(a, 0))),
    "leaky_relu": lambda a, p=0.01: np.where(a > 0, a, p * a),
    "max": np.maximum,
    "min": np.minimum,
    "clip": np.clip,
    "where": lambda c, a, b: np.where(c != 0, a, b),
    "greater": lambda a, b: (a > b) * 1.0,
    "at_least": lambda a, b: (a >= b) * 1.0,
    "equal": lambda a, b: (a == b) * 1.0,
    "exceeds": lambda a, b: np.where(a < b, 0, np.where(a == b, 0.5, 1)),
    "step": lambda a: (~(a <= 0)).astype(float),
    "sign": np.sign,
    "power": np.power,
    "power_slope": lambda a, p: p * a ** (p - 1),
    "power_log": lambda a, p: a**p * np.log(a),
}


def evaluate(expression, values):
    if expression.is_Symbol:
        return values[expression]
    if expression.is_number and not expression.args:
        return float(expression)
    arguments = [evaluate(a, values) for a in expression.args]
    if isinstance(expression, sp.Add):
        return sum(arguments[1:], arguments[0])
    if isinstance(expression, sp.Mul):
        return np.prod(np.broadcast_arrays(*arguments), axis=0)
    if isinstance(expression, sp.Pow):
        return arguments[0] ** arguments[1] if not float(expression.exp).is_integer() else np.asarray(arguments[0], float) ** arguments[1]
    return FUNCTIONS[type(expression).__name__](*arguments)


def assign(assignments, values):
    for a in assignments:
        values[a.symbol] = evaluate(a.expression, values)


def product(matrix, value, parameters, transposed=False):
    """Rows times a parameter; the mean is a matrix of 1/n as wide as what it reads, and a constant is its own mean."""
    if isinstance(matrix, OverUnits) and not np.ndim(value):
        return value
    if matrix == OverUnits.LARGEST:
        return value.max(-1, keepdims=True) + 0 * value
    if matrix in (OverUnits.MEAN, OverUnits.SUM):
        return value @ np.full((value.shape[-1],) * 2, 1 / value.shape[-1] if matrix == OverUnits.MEAN else 1.0)
    matrix = parameters[matrix].T if transposed else parameters[matrix]
    return (value + np.zeros(matrix.shape[1])) @ matrix.T


def forward_stage(stage, parameters, values):
    for p in stage.products:
        values[p.symbol] = product(p.matrix, values[p.operand], parameters)
    assign(stage.assignments, values)


def adjoint_stage(stage, parameters, values):
    for pullback in stage.pullbacks:
        values[pullback.symbol] = sum(product(m, values[delta], parameters, transposed=True) for m, delta in pullback.terms)
    assign(stage.assignments, values)


def derivative(plan, parameters, x, initial, cotangents):
    """Gradients of sum(cotangent * state) over all steps: of every parameter, of x and of the initial states."""
    recurrence, adjoint = plan.recurrence, plan.adjoint
    vectors = {sp.Symbol(p.name): parameters[p.name] for p in recurrence.parameters if not p.is_matrix}
    states, trace = initial, []
    for t in range(len(x)):
        values = {**vectors, INPUT: x[t], **{before(s): v for s, v in states.items()}}
        for stage in (*plan.prologue, *plan.stages):
            forward_stage(stage, parameters, values)
        # A state may be a mere number.
        values.update({now(s): np.broadcast_to(values[now(s)], v.shape) for s, v in initial.items()})
        states = {s: values[now(s)] for s in recurrence.states}
        needed = {*adjoint.saved, *vectors, INPUT, *(before(s) for s in recurrence.states)}
        trace.append({symbol: value for symbol, value in values.items() if symbol in needed})
    gradients = {p.name: np.zeros_like(parameters[p.name]) for p in recurrence.parameters}
    into_x = np.zeros_like(x)
    carried = {s: np.zeros_like(v) for s, v in initial.items()}
    for t in reversed(range(len(x))):
        values = trace[t]
        assign(adjoint.recomputed, values)
        values.update({symbol: cotangents[s][t] + carried[s] for s, symbol in adjoint.arriving})
        for stage in adjoint.loop:
            adjoint_stage(stage, parameters, values)
        carried = {s: np.broadcast_to(evaluate(e, values), initial[s].shape) for s, e in adjoint.leaving}
        for stage in adjoint.epilogue:
            adjoint_stage(stage, parameters, values)
        if adjoint.input is not None:
            into_x[t] = evaluate(adjoint.input, values)
        for g in adjoint.gradients:
            assert g.parameter not in recurrence.constant
            batch, (rows, *columns) = x.shape[1], gradients[g.parameter].shape
            delta = np.broadcast_to(values[g.delta], (batch, rows))
            gradients[g.parameter] += delta.T @ np.broadcast_to(values[g.operand], (batch, *columns)) if columns else delta.sum(0)
    return gradients, into_x, carried
