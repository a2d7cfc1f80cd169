"""F3: from a recurrence to a plan that any engine can run. No torch here."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from unrolled.compiler.adjoint import derive
from unrolled.compiler.plan import Adjoint, AdjointStage, Assignment, Gradient, Plan, Pullback, Stage
from unrolled.compiler.schedule import stages
from unrolled.compiler.show import plan_to_text
from unrolled.equations import Recurrence, to_source, to_text

if TYPE_CHECKING:
    from unrolled.compiler.drawing import plan_to_svg as plan_to_svg


@cache
def make_plan(recurrence: Recurrence) -> Plan:
    """The plan of a recurrence; made once for each."""
    prologue, loop = stages(recurrence)
    return Plan(recurrence, prologue, loop, derive(recurrence, prologue, loop), to_text(recurrence), to_source(recurrence))


__all__ = ["Adjoint", "AdjointStage", "Assignment", "Gradient", "Plan", "Pullback", "Stage", "make_plan", "plan_to_svg", "plan_to_text"]


def __getattr__(name: str) -> Any:
    """Drawing, which nothing that computes needs, is loaded when it is asked for."""
    if name != "plan_to_svg":
        raise AttributeError(f"module 'unrolled.compiler' has no attribute {name!r}")
    return import_module("unrolled.compiler.drawing").plan_to_svg
