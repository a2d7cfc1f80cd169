"""The reference engine: the plan, step by step, in torch operations. Any dtype and device, differentiable as often as one likes."""

import json
from functools import cache

import torch
from torch import Tensor

from unrolled.compiler import Plan, make_plan
from unrolled.engines.constants import recorded_as_it_runs
from unrolled.engines.lengths import Lengths
from unrolled.engines.loop import Run, as_rows
from unrolled.engines.maps import Convolutions
from unrolled.engines.problem import Problem, Solution, solve_nothing
from unrolled.engines.watched import are_plain, is_watched
from unrolled.engines.weights import WeightLayout, Weights
from unrolled.equations import from_source
from unrolled.equations.recurrence import now


class EagerEngine:
    """Runs every recurrence; slower than a fused kernel, since each operation of each step is a call of its own."""

    name = "eager"

    def refuses(self, problem: Problem) -> str:
        """Nothing is refused."""
        return ""

    def explain(self, problem: Problem) -> str:
        """What runs."""
        told = "the plan runs step by step in torch operations"
        return told if problem.convolutions is None else f"{told}, its matrices as convolutions"

    def yields(self, problem: Problem) -> str:
        """Never: there is no other left."""
        return ""

    def run(self, problem: Problem) -> Solution:
        """The recurrence over all real steps."""
        if torch.compiler.is_dynamo_compiling() and recorded_as_it_runs(__name__, "_of_key"):
            return _in_graph(problem)
        if problem.lengths is not None and not any(problem.lengths.counts):
            return solve_nothing(problem)
        # Of what is watched, or is more than a tensor, nothing may be written over.
        plain = not is_watched() and are_plain((problem.x, *problem.weights.stored, *problem.initial))
        return Run(problem, reuse=not torch.is_grad_enabled() and plain).solve()


def _in_graph(problem: Problem) -> Solution:
    """The same where torch.compile reads what Python does, which cannot follow equations: it records the operations on tensors alone."""
    plan, layout = problem.plan, problem.weights.layout
    key = "\n".join([layout.text, problem.convolutions.text if problem.convolutions else "", plan.source])
    lengths = [] if problem.lengths is None else [problem.lengths.values]
    resets = [] if problem.resets is None else [problem.resets]
    masks = [] if problem.masks is None else list(problem.masks.values())
    given = problem.x, list(problem.weights.stored), list(problem.initial), masks, lengths, resets
    steps, final = _of_key(key, *given, problem.reverse, problem.every_state, problem.narrow)
    return Solution(tuple(steps), tuple(final))


def _of_key(
    key: str, x: Tensor, stored: list[Tensor], initial: list[Tensor], masks: list[Tensor], lengths: list[Tensor], resets: list[Tensor],
    reverse: bool, every_state: bool, narrow: bool,
) -> tuple[list[Tensor], list[Tensor]]:  # fmt: skip
    plan, layout, convolutions = _known(key)
    real = Lengths(lengths[0], x.shape[0], x.device) if lengths else None
    by_width = {mask.shape[-1]: mask for mask in masks} or None
    cuts = resets[0] if resets else None
    solution = EagerEngine().run(
        Problem(plan, Weights(layout, stored), x, tuple(initial), real, reverse, by_width, every_state, cuts, narrow, convolutions)
    )
    return list(solution.steps), list(solution.final)


@cache
def _known(key: str) -> tuple[Plan, WeightLayout, Convolutions | None]:
    """The plan, the layout and the convolutions that a key tells of."""
    weights, convolutions, source = key.split("\n", 2)
    blocks, rows = json.loads(weights)
    layout = WeightLayout({stored: tuple(names) for stored, names in blocks.items()}, rows)
    return make_plan(from_source(source)), layout, Convolutions(tuple(json.loads(convolutions))) if convolutions else None


def values_of_step(problem: Problem) -> dict[str, Tensor]:
    """What each equation gives at the one step of a problem without lengths, by the name on its left: `[B, n]`, differentiable.

    The states before the step are the problem's initial ones; so all steps of a sequence can be asked for at once, as rows of a batch.
    """
    run = Run(problem)
    values = run.values(run.initial, run.early(run.input()))
    names = [e.name for e in problem.plan.recurrence.equations]
    like = problem.initial[0]
    widths = {n: v.shape[-1] if isinstance(v := values[now(n)], Tensor) and v.dim() else like.shape[-1] for n in names}
    return {n: as_rows(values[now(n)], widths[n], like) for n in names}
