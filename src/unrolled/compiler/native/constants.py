"""Values that are mere numbers, such as `tanh(1)`: they have no size of their own, so that no column of the tape could hold them."""

from dataclasses import replace

import sympy as sp

from unrolled.compiler.plan import AdjointStage, Assignment, Plan, Stage
from unrolled.equations.recurrence import OverUnits, now


_SAME = (OverUnits.MEAN, OverUnits.LARGEST)
"""What is of a number that number itself."""


def with_constants_in_place(plan: Plan) -> Plan:
    """The plan with the numbers themselves wherever one is read unit by unit. States keep theirs, and so does what a matrix reads."""
    states = {now(s) for s in plan.recurrence.states}
    values: dict[sp.Symbol, sp.Expr] = {}
    for stage in (*plan.prologue, *plan.stages):
        values |= {p.symbol: values[p.operand] for p in stage.products if p.matrix in _SAME and p.operand in values}
        for assignment in stage.assignments:
            value = assignment.expression.xreplace(values)
            if not value.free_symbols and assignment.symbol not in states:
                values[assignment.symbol] = value
    if not values:
        return plan
    adjoint = plan.adjoint
    operands = {p.operand for s in (*plan.prologue, *plan.stages) for p in s.products if p.matrix not in _SAME}
    gone = values.keys() - operands

    def put(assignments: tuple[Assignment, ...]) -> tuple[Assignment, ...]:
        return tuple(Assignment(a.symbol, a.expression.xreplace(values)) for a in assignments if a.symbol not in gone)

    def stage_of(stage: Stage) -> Stage:
        return Stage(tuple(p for p in stage.products if p.symbol not in gone), put(stage.assignments))

    back = replace(
        adjoint,
        leaving=tuple((s, e.xreplace(values)) for s, e in adjoint.leaving),
        saved=tuple(s for s in adjoint.saved if s not in gone),
        recomputed=put(adjoint.recomputed),
        loop=tuple(AdjointStage(s.pullbacks, put(s.assignments)) for s in adjoint.loop),
        epilogue=tuple(AdjointStage(s.pullbacks, put(s.assignments)) for s in adjoint.epilogue),
        input=None if adjoint.input is None else adjoint.input.xreplace(values),
    )
    return replace(plan, prologue=tuple(map(stage_of, plan.prologue)), stages=tuple(map(stage_of, plan.stages)), adjoint=back)
