"""F3: from a recurrence to a plan that any engine can run. No torch here."""

from functools import cache

from unrolled.compiler.adjoint import derive
from unrolled.compiler.drawing import plan_to_svg
from unrolled.compiler.plan import Adjoint, AdjointStage, Assignment, Gradient, Plan, Pullback, Stage
from unrolled.compiler.schedule import stages
from unrolled.compiler.show import plan_to_text
from unrolled.equations import Recurrence, to_text


@cache
def make_plan(recurrence: Recurrence) -> Plan:
    """The plan of a recurrence; made once for each."""
    prologue, loop = stages(recurrence)
    return Plan(recurrence, prologue, loop, derive(recurrence, prologue, loop), to_text(recurrence))


__all__ = ["Adjoint", "AdjointStage", "Assignment", "Gradient", "Plan", "Pullback", "Stage", "make_plan", "plan_to_svg", "plan_to_text"]
