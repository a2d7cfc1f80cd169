"""The engine `native`: any recurrence as a kernel of its own, for this processor."""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from unrolled.compiler import Plan
from unrolled.compiler.native.late import made_late
from unrolled.engines.constants import constant
from unrolled.engines.native import operators
from unrolled.engines.native.bindings import bind, binding_of, is_bound
from unrolled.engines.native.build import notice
from unrolled.engines.native.call import Given
from unrolled.engines.native.compilers import find_compiler
from unrolled.engines.native.library import DEFINES, library
from unrolled.engines.native.panels import panels_of, release_panels
from unrolled.engines.native.planes import PlanesRun
from unrolled.engines.native.pointwise import pointwise_library
from unrolled.engines.native.stream import Held, Prepared, hold, prepare, run_short
from unrolled.engines.problem import Problem, Solution, solve_nothing
from unrolled.engines.watched import are_plain, has_tangents, is_watched
from unrolled.errors import BuildError


class NativeEngine:
    """Runs whole sequences in one call of compiled code. Second derivatives are taken by way of the engine `eager`."""

    name = "native"

    def refuses(self, problem: Problem) -> str:
        """Why no kernel runs this; empty when one does. The first call of a process looks for a compiler."""
        x, like = problem.x, problem.initial[0]
        if like.device.type != "cpu":
            return "its kernels are for the CPU"
        if (like.dtype, problem.narrow) not in DEFINES:
            kinds = "float32" if problem.narrow else "float32 and float64"
            return f"its kernels compute in {kinds}, not in {like.dtype}".replace("torch.", "")
        if torch.is_autocast_enabled("cpu"):
            return "autocast asks for torch's products in half precision"
        if not x.is_floating_point() and problem.plan.recurrence.reads_input_by_unit:
            return "whole numbers can only be looked up"
        if torch.compiler.is_compiling():
            return "torch.compile is to see the convolutions" if problem.convolutions else _lacking()
        if torch._C._get_tracing_state() is not None:
            return "what torch.jit.trace keeps is to run without this package"
        if torch._C._are_functorch_transforms_active():
            return "the transforms of torch.func need torch's own operations"
        if has_tangents():
            return "derivatives that are carried forward need torch's own operations"
        if problem.convolutions is not None:
            return _refuses_planes(problem) or _lacking() or _trouble_with_planes(problem.plan, like.dtype)
        return ("" if is_bound(problem) else _lacking()) or _trouble(bind(problem), like.dtype)

    def explain(self, problem: Problem) -> str:
        """What runs."""
        if problem.convolutions is not None:
            return "torch convolves, and what is pointwise was compiled for this processor"
        return "the equations were compiled for this processor; second derivatives go through eager, but not where torch.compile is at work"

    def yields(self, problem: Problem) -> str:
        """Never: nothing here is faster."""
        return ""

    def run(self, problem: Problem) -> Solution:
        """The recurrence over all real steps."""
        if problem.convolutions is not None:
            ends = problem.lengths is not None and not any(problem.lengths.counts)
            return solve_nothing(problem) if ends else PlanesRun(problem).solve()
        stored, every, compiling = list(problem.weights.stored), problem.every_state, torch.compiler.is_compiling()
        training = _trains(problem)
        # What is watched goes by way of torch's dispatcher, which knows what to do with tensors that have no memory.
        direct = not compiling and not is_watched() and are_plain((problem.x, *stored, *problem.initial))
        if direct and not training and (solution := run_short(problem)):
            return solution
        if training and not compiling:
            release_panels(problem.weights.layout)
        lengths = None if problem.lengths is None else problem.lengths.values
        masks = [] if problem.masks is None else list(problem.masks.values())
        given = Given(bind(problem), problem.x, stored, list(problem.initial), masks, lengths, problem.resets, problem.reverse)
        found: Sequence[Tensor]
        if direct and training:
            layout, tensors = operators.flat(given)
            found = operators.Pass.apply(layout, every, *tensors)
        elif direct:
            found = operators.forward(given, every, False, panels_of(problem.weights.layout))
        else:
            found = torch.ops.unrolled.forward(*given, every, training)
        states = len(problem.initial)
        steps = tuple(found[: states if every else 1])
        return Solution(steps, tuple(found[len(steps) : len(steps) + states]))

    def hold(self, problem: Problem) -> Held | None:
        """A step that is taken again and again in the same memory; None where it is better made anew."""
        return None if problem.convolutions else hold(problem)

    def prepare(self, problem: Problem) -> Prepared | None:
        """The same call as it may come again; None where it is better made anew."""
        return None if problem.convolutions else prepare(problem)


def _trains(problem: Problem) -> bool:
    """Whether a gradient may be asked for."""
    return torch.is_grad_enabled() and any(t.requires_grad for t in (problem.x, *problem.weights.stored, *problem.initial))


def _refuses_planes(problem: Problem) -> str:
    """Why nothing is compiled for planes; empty when it is."""
    given = problem.x, *problem.weights.stored, *problem.initial
    if _trains(problem):
        return "its kernels have no convolutions where gradients are asked for"
    if is_watched() or not are_plain(given):
        return "what torch watches needs torch's own operations"
    if any(t.dtype != problem.initial[0].dtype for t in given):
        return "it computes convolutions in one kind of number alone"
    return ""


@cache
def _trouble_with_planes(plan: Plan, dtype: torch.dtype) -> str:
    """Why what is pointwise in this plan cannot be built; empty when it is there."""
    try:
        pointwise_library(made_late(plan), dtype)
    except BuildError as error:
        notice(error.reason)
        return f"the C compiler failed ({error.reason})"
    return ""


@cache
def _trouble(key: str, dtype: torch.dtype) -> str:
    """Why this kernel cannot be built; empty when it is there. What failed once is not tried again."""
    binding = binding_of(key)
    try:
        library(binding.kernel, dtype, binding.narrow)
    except BuildError as error:
        notice(error.reason)
        return f"the C compiler failed ({error.reason})"
    return ""


@constant
def _lacking() -> str:
    """Why nothing can be compiled; empty where a compiler works. torch.compile does not look into it."""
    try:
        find_compiler()
    except BuildError as error:
        notice(error.reason)
        return f"no C compiler works here ({error.reason})"
    return ""
