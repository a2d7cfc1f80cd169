"""A plan as text that a person can read."""

from collections.abc import Sequence

import sympy as sp

from unrolled.compiler.plan import AdjointStage, Assignment, Gradient, Plan, Stage
from unrolled.equations import Product
from unrolled.equations.recurrence import OverUnits


def plan_to_text(plan: Plan) -> str:
    """The forward stages, the derived backward stages, what is saved and which products give the parameters' gradients."""
    adjoint = plan.adjoint
    lines = ["forward, once for all steps"] if plan.prologue else []
    for stage in plan.prologue:
        lines += _stage(stage)
    for number, stage in enumerate(plan.stages, 1):
        lines += [f"forward, every step, stage {number} of {len(plan.stages)}", *_stage(stage)]
    lines += ["kept for the derivative", f"    {_names(adjoint.saved)}"]
    if adjoint.recomputed:
        lines += ["computed again", *map(_assignment, adjoint.recomputed)]
    for number, back in enumerate(adjoint.loop, 1):
        lines += [f"backward, every step, stage {number} of {len(adjoint.loop)}", *_adjoint_stage(back)]
    lines += ["handed to the step before", *(f"    d({name}[t-1]) = {expression}" for name, expression in adjoint.leaving)]
    if adjoint.epilogue or adjoint.input is not None:
        lines.append("backward, once for all steps")
    for back in adjoint.epilogue:
        lines += _adjoint_stage(back)
    if adjoint.input is not None:
        lines.append(f"    d(x[t]) = {adjoint.input}")
    if adjoint.gradients:
        lines += ["gradients, summed over steps and sequences", *map(_gradient, adjoint.gradients)]
    return "\n".join(lines)


def _stage(stage: Stage) -> list[str]:
    return [_product(p) for p in stage.products] + [_assignment(a) for a in stage.assignments]


def _product(product: Product) -> str:
    """The product, and the name by which later lines read it where that is another one."""
    text = _applied(product.matrix, product.operand)
    return f"    {text}" if text == str(product.symbol) else f"    {product.symbol} = {text}"


def _applied(matrix: str, value: sp.Symbol, mark: str = "") -> str:
    if isinstance(matrix, OverUnits):
        return f"{matrix.function}({value})"
    plain = matrix.replace(":", "").isidentifier() or matrix.endswith(")")
    return f"{matrix if plain else f'({matrix})'}{mark} @ {value}"


def _adjoint_stage(stage: AdjointStage) -> list[str]:
    pullbacks = [f"    {p.symbol} = {' + '.join(_applied(m, d, 'ᵀ') for m, d in p.terms)}" for p in stage.pullbacks]
    return pullbacks + [_assignment(a) for a in stage.assignments]


def _assignment(assignment: Assignment) -> str:
    return f"    {assignment.symbol} = {assignment.expression}"


def _gradient(gradient: Gradient) -> str:
    outer = f" {gradient.operand}ᵀ" if gradient.operand is not None else ""
    return f"    {gradient.parameter}: Σ {gradient.delta}{outer}"


def _names(symbols: Sequence[sp.Symbol]) -> str:
    return ", ".join(map(str, symbols))
