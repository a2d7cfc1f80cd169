"""A long sequence run in segments, so that training remembers the states between them alone and computes the rest again."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from unrolled.engines.lengths import Lengths, beside
from unrolled.engines.problem import Problem, Solution

Run = Callable[[Problem], Solution]


def run_in_segments(run: Run, problem: Problem, steps: int) -> Solution:
    """What `run(problem)` gives, with the memory of `steps` steps at a time.

    The states before each segment are kept; in the backward pass each segment is run once more (Chen et al. 2016, Training Deep Nets with
    Sublinear Memory Cost). With segments as long as the square root of the sequence, memory beyond input and output grows like that root.
    """
    total = problem.x.shape[0]
    spans = list(itertools.pairwise([*range(0, total, steps), total]))
    states, found, count = problem.initial, {}, len(problem.initial)
    for start, end in spans[::-1] if problem.reverse else spans:

        def compute(x: Tensor, *given: Tensor, start: int = start, end: int = end) -> tuple[Tensor, ...]:
            before, weights = given[:count], replace(problem.weights, stored=given[count:])
            real = (
                None if problem.lengths is None else Lengths((problem.lengths.values - start).clamp(0, end - start), end - start, x.device)
            )
            solution = _run_segment(run, replace(problem, weights=weights, x=x, initial=before, lengths=real, resets=None), problem, start)
            return (*solution.steps, *solution.final)

        # Torch looks after what it is given: whatever is written to before the way back is an error.
        given = (problem.x[start:end], *states, *problem.weights.stored)
        results = checkpoint(compute, *given, use_reentrant=False, preserve_rng_state=False)
        found[start], states = results[:-count], results[-count:]
    return Solution(_in_time(found), states)


def _run_segment(run: Run, segment: Problem, whole: Problem, start: int) -> Solution:
    """A segment, which goes on from the states before it, until rows are set back to those before the whole.

    An engine knows one state to begin with and to go back to. So where rows may be set back the segment is run from both, and each row
    takes the second from where it is first set back.
    """
    went_on = run(segment)
    if whole.resets is None:
        return went_on
    resets = whole.resets[start : start + len(segment.x)]
    if segment.lengths is not None:
        # Not `Lengths.mask`: torch.compile cannot follow what is computed when it is first asked for.
        resets = resets & (torch.arange(len(resets), device=resets.device)[:, None] < segment.lengths.values)
    anew = run(replace(segment, initial=whole.initial, resets=resets))
    back = (resets.flip(0).cumsum(0).flip(0) if whole.reverse else resets.cumsum(0)) > 0
    steps = tuple(torch.where(beside(back, new), new, old) for new, old in zip(anew.steps, went_on.steps, strict=True))
    ever = resets.any(0)
    return Solution(steps, tuple(torch.where(beside(ever, new), new, old) for new, old in zip(anew.final, went_on.final, strict=True)))


def _in_time(found: dict[int, tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Steps one below the other; what is in one piece is not copied, as that takes memory."""
    first, *others = (found[start] for start in sorted(found))
    return tuple(torch.cat(column) for column in zip(first, *others, strict=True)) if others else first
