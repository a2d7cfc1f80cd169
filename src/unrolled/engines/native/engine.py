"""The engine `native`: any recurrence as a kernel of its own, for this processor."""

import torch

from unrolled.engines.native import operators
from unrolled.engines.native.bindings import is_bound
from unrolled.engines.native.build import notice
from unrolled.engines.native.compilers import find_compiler
from unrolled.engines.native.library import DEFINES
from unrolled.engines.native.stream import Prepared, prepare, run_short
from unrolled.engines.native.threads import threads_for
from unrolled.engines.problem import Problem, Solution
from unrolled.engines.settled import settled
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
        if not torch.compiler.is_compiling() and torch._C._are_functorch_transforms_active():
            return "the transforms of torch.func need torch's own operations"
        known = not torch.compiler.is_compiling() and is_bound(problem)
        return "" if known else _lacking()

    def explain(self, problem: Problem) -> str:
        """What runs."""
        return "the equations were compiled for this processor; second derivatives go through eager"

    def run(self, problem: Problem) -> Solution:
        """The recurrence over all real steps."""
        stored, compiling = problem.weights.stored, torch.compiler.is_compiling()
        training = torch.is_grad_enabled() and any(t.requires_grad for t in (problem.x, *stored, *problem.initial))
        if not training and not compiling and (solution := run_short(problem)):
            return solution
        key = operators.bind(problem)
        every = problem.every_state
        lengths = None if problem.lengths is None else problem.lengths.values
        masks = [] if problem.masks is None else list(problem.masks.values())
        threads, partitions = threads_for(problem.x.shape[0], problem.x.shape[1], sum(t.numel() for t in stored))
        run = torch.ops.unrolled.forward if training or compiling else operators.forward
        found = run(
            key,
            problem.x,
            stored,
            list(problem.initial),
            masks,
            lengths,
            problem.resets,
            problem.reverse,
            every,
            training,
            threads,
            partitions,
        )
        states = len(problem.initial)
        steps = tuple(found[: states if every else 1])
        return Solution(steps, tuple(found[len(steps) : len(steps) + states]))

    def prepare(self, problem: Problem) -> Prepared | None:
        """The same call as it may come again; None where it is better made anew."""
        return prepare(problem)


@settled
def _lacking() -> str:
    """Why nothing can be compiled; empty where a compiler works. torch.compile does not look into it."""
    try:
        find_compiler()
    except BuildError as error:
        notice(error.reason)
        return f"no C compiler works here ({error.reason})"
    return ""
