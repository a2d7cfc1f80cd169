"""A plan in which nothing pointwise is done early that can as well be done where it is read."""

from dataclasses import replace
from functools import cache

import sympy as sp

from unrolled.compiler.plan import Assignment, Plan, Stage
from unrolled.equations.recurrence import now


@cache
def made_late(plan: Plan) -> Plan:
    """The plan with what only one of its stages reads of the prologue's assignments in that stage, so that it is neither written nor read again."""
    prologue, stages = list(plan.prologue), list(plan.stages)
    states = {now(s) for s in plan.recurrence.states}
    for number, stage in reversed(list(enumerate(prologue))):
        for assignment in reversed(stage.assignments):
            readers = [k for k, s in enumerate(stages) if assignment.symbol in _read(s)]
            early = any(assignment.symbol in _read(s) for s in prologue)
            if len(readers) == 1 and not early and assignment.symbol not in states:
                [reader] = readers
                if all(p.operand != assignment.symbol for p in stages[reader].products):
                    prologue[number] = _without(prologue[number], assignment)
                    stages[reader] = replace(stages[reader], assignments=(assignment, *stages[reader].assignments))
    return replace(plan, prologue=tuple(prologue), stages=tuple(stages))


def _read(stage: Stage) -> set[sp.Symbol]:
    return {p.operand for p in stage.products}.union(*(a.expression.free_symbols for a in stage.assignments))


def _without(stage: Stage, assignment: Assignment) -> Stage:
    return replace(stage, assignments=tuple(a for a in stage.assignments if a is not assignment))
