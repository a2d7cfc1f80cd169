"""A plan as text that a person can read."""

from collections.abc import Sequence

import sympy as sp

from unrolled.compiler.plan import AdjointStage, Assignment, Plan, Stage


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
    if adjoint.epilogue or adjoint.gradients or adjoint.input is not None:
        lines.append("backward, once for all steps")
    for back in adjoint.epilogue:
        lines += _adjoint_stage(back)
    if adjoint.input is not None:
        lines.append(f"    d(x[t]) = {adjoint.input}")
    for gradient in adjoint.gradients:
        outer = f" {gradient.operand}ᵀ" if gradient.operand is not None else ""
        lines.append(f"    d({gradient.parameter}) += Σ {gradient.delta}{outer}")
    return "\n".join(lines)


def _stage(stage: Stage) -> list[str]:
    return [f"    {p.matrix} @ {p.operand}" for p in stage.products] + [_assignment(a) for a in stage.assignments]


def _adjoint_stage(stage: AdjointStage) -> list[str]:
    pullbacks = [f"    {p.symbol} = {' + '.join(f'{m}ᵀ @ {d}' for m, d in p.terms)}" for p in stage.pullbacks]
    return pullbacks + [_assignment(a) for a in stage.assignments]


def _assignment(assignment: Assignment) -> str:
    return f"    {assignment.symbol} = {assignment.expression}"


def _names(symbols: Sequence[sp.Symbol]) -> str:
    return ", ".join(map(str, symbols))
