"""JAX's `lax.scan` under `jit`, for any cell.

It is written as one would by hand for speed: what depends on the input alone is computed for all steps at once, matrices that read the
same vector are one matrix, stored as columns by rows. With lengths it is a masked scan over all steps.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import sympy as sp
from jax import Array, lax
from jax import numpy as jnp

from side_by_side.material import Arrays, Contender, Material, is_training
from unrolled.compiler import Plan, Stage, make_plan
from unrolled.equations.recurrence import INPUT, before, now

FUNCTIONS = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "softplus": jax.nn.softplus,
    "exp": jnp.exp,
    "log": jnp.log,
    "sqrt": jnp.sqrt,
    "abs": jnp.abs,
    "power": jnp.power,
}

Names = tuple[str, ...]
Weights = dict[Names, Array]
"""Blocks side by side, transposed; a vector by itself."""
Values = dict[sp.Basic, Any]


def jax_scan(material: Material) -> Contender:
    """The case in JAX, compiled."""
    jax.config.update("jax_enable_x64", material.case.dtype == "float64")
    plan = make_plan(material.layer.cell.recurrence)
    weights = _read_weights(plan, material)
    x, cotangent = jnp.asarray(material.x.numpy()), jnp.asarray(material.cotangent.numpy())
    lengths = None if material.lengths is None else jnp.asarray(material.lengths.numpy())
    forward = _scan(plan, material.case.units)

    def pull_back(weights: Weights, x: Array, lengths: Array | None, cotangent: Array) -> tuple[Array, tuple[Weights, Array]]:
        y, pull = jax.vjp(lambda w, x: forward(w, x, lengths), weights, x)
        return y, pull(cotangent)

    if not is_training(material.case):
        infer = jax.jit(forward)
        call = lambda: infer(weights, x, lengths).block_until_ready()  # noqa: E731
        return Contender("JAX scan", call, lambda: {"y": np.asarray(call())})
    train = jax.jit(pull_back)
    step = lambda: jax.block_until_ready(train(weights, x, lengths, cotangent))  # noqa: E731
    return Contender("JAX scan", step, lambda: _results(*step()))


def _groups(stage: Stage) -> dict[sp.Expr, Names]:
    """The matrices of a stage by what they read."""
    found: dict[sp.Expr, Names] = {}
    for product in stage.products:
        found[product.operand] = (*found.get(product.operand, ()), product.matrix)
    return found


def _read_weights(plan: Plan, material: Material) -> Weights:
    groups = [names for stage in (*plan.prologue, *plan.stages) for names in _groups(stage).values()]
    groups += [(name,) for name in material.vectors]
    return {names: jnp.asarray(np.concatenate([material.layer.block(n).numpy() for n in names]).T) for names in groups}


def _results(y: Array, gradients: tuple[Weights, Array]) -> Arrays:
    blocks = {n: part for names, g in gradients[0].items() for n, part in zip(names, np.split(g, len(names), -1), strict=True)}
    return {"y": np.asarray(y), "x": np.asarray(gradients[1]), **{name: np.asarray(part).T for name, part in blocks.items()}}


def _run_stage(stage: Stage, weights: Weights, values: Values) -> None:
    symbols = {product.matrix: product.symbol for product in stage.products}
    for operand, names in _groups(stage).items():
        parts = jnp.split(values[operand] @ weights[names], len(names), -1)
        values.update({symbols[n]: part for n, part in zip(names, parts, strict=True)})
    for assignment in stage.assignments:
        read = sorted(assignment.expression.free_symbols, key=str)
        values[assignment.symbol] = sp.lambdify(read, assignment.expression, [FUNCTIONS])(*(values[s] for s in read))


def _scan(plan: Plan, units: int) -> Callable[[Weights, Array, Array | None], Array]:
    """The layer as a function of weights, input `[T, B, I]` and lengths."""
    states = plan.recurrence.states
    loop_reads = {p.operand for s in plan.stages for p in s.products}.union(
        *(a.expression.free_symbols for s in plan.stages for a in s.assignments)
    )

    def forward(weights: Weights, x: Array, lengths: Array | None) -> Array:
        vectors: Values = {sp.Symbol(names[0]): value for names, value in weights.items() if value.ndim == 1}
        values: Values = {**vectors, INPUT: x}
        for stage in plan.prologue:
            _run_stage(stage, weights, values)
        early = {str(s): value for s, value in values.items() if s in loop_reads and s not in vectors}
        real = None if lengths is None else jnp.arange(len(x))[:, None] < lengths

        def step(old: tuple[Array, ...], given: tuple[dict[str, Array], Array | None]) -> tuple[tuple[Array, ...], Array]:
            here: Values = {**vectors, **{sp.Symbol(s): value for s, value in given[0].items()}}
            here.update(zip((before(s) for s in states), old, strict=True))
            for stage in plan.stages:
                _run_stage(stage, weights, here)
            new = tuple(here[now(s)] for s in states)
            if given[1] is None:
                return new, new[0]
            mask = given[1][:, None]
            return tuple(jnp.where(mask, n, o) for n, o in zip(new, old, strict=True)), jnp.where(mask, new[0], 0)

        return lax.scan(step, (jnp.zeros((x.shape[1], units), x.dtype),) * len(states), (early, real))[1]

    return forward
