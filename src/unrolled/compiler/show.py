"""A plan as text that a person can read."""

from collections.abc import Sequence

import sympy as sp

from unrolled.compiler.plan import AdjointStage, Assignment, Gradient, Plan, Stage
from unrolled.equations import Product, Recurrence
from unrolled.equations.maps import in_front
from unrolled.equations.recurrence import OverUnits


def plan_to_text(plan: Plan) -> str:
    """The forward stages, the derived backward stages, what is saved and which products give the parameters' gradients."""
    adjoint, writer = plan.adjoint, _Writer(plan.recurrence)
    lines = ["forward, once for all steps"] if plan.prologue else []
    for stage in plan.prologue:
        lines += writer.stage(stage)
    for number, stage in enumerate(plan.stages, 1):
        lines += [f"forward, every step, stage {number} of {len(plan.stages)}", *writer.stage(stage)]
    lines += ["kept for the derivative", f"    {_names(adjoint.saved)}"]
    if adjoint.recomputed:
        lines += ["computed again", *map(_assignment, adjoint.recomputed)]
    for number, back in enumerate(adjoint.loop, 1):
        lines += [f"backward, every step, stage {number} of {len(adjoint.loop)}", *writer.adjoint_stage(back)]
    lines += ["handed to the step before", *(f"    d({name}[t-1]) = {expression}" for name, expression in adjoint.leaving)]
    if adjoint.epilogue or adjoint.input is not None:
        lines.append("backward, once for all steps")
    for back in adjoint.epilogue:
        lines += writer.adjoint_stage(back)
    if adjoint.input is not None:
        lines.append(f"    d(x[t]) = {adjoint.input}")
    if adjoint.gradients:
        lines += ["gradients, summed over steps and sequences", *map(_gradient, adjoint.gradients)]
    return plan.recurrence.without_sizes("\n".join(lines))


class _Writer:
    """Writes the maps of a recurrence as its text does."""

    def __init__(self, recurrence: Recurrence) -> None:
        self.recurrence = recurrence

    def stage(self, stage: Stage) -> list[str]:
        """Its products, then its assignments."""
        return [self.product(p) for p in stage.products] + [_assignment(a) for a in stage.assignments]

    def product(self, product: Product) -> str:
        """The product, and the name by which later lines read it where that is another one."""
        text, name = self.applied(product.matrix, product.operand), self.recurrence.without_sizes(str(product.symbol))
        return f"    {text}" if text == name else f"    {name} = {text}"

    def applied(self, matrix: str, value: sp.Symbol, mark: str = "") -> str:
        """A map and what it is applied to; one that is implied is a function, and one over all units is its own transpose."""
        written = self.recurrence.written(matrix)
        if isinstance(matrix, OverUnits):
            return f"{written}({value})"
        return f"{written}{mark}({value})" if self.recurrence.is_implied(matrix) else f"{in_front(written)}{mark} @ {value}"

    def adjoint_stage(self, stage: AdjointStage) -> list[str]:
        """What flows back through maps, then its assignments."""
        pullbacks = [f"    {p.symbol} = {' + '.join(self.applied(m, d, 'ᵀ') for m, d in p.terms)}" for p in stage.pullbacks]
        return pullbacks + [_assignment(a) for a in stage.assignments]


def _assignment(assignment: Assignment) -> str:
    return f"    {assignment.symbol} = {assignment.expression}"


def _gradient(gradient: Gradient) -> str:
    outer = f" {gradient.operand}ᵀ" if gradient.operand is not None else ""
    return f"    {gradient.parameter}: Σ {gradient.delta}{outer}"


def _names(symbols: Sequence[sp.Symbol]) -> str:
    return ", ".join(map(str, symbols))
