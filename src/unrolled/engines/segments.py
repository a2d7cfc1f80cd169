"""A long sequence run in segments, so that training remembers the states between them alone and computes the rest again."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from unrolled.engines.lengths import Lengths
from unrolled.engines.problem import Problem, Solution


def run_in_segments(run: Callable[[Problem], Solution], problem: Problem, steps: int) -> Solution:
    """What `run(problem)` gives, with the memory of `steps` steps at a time.

    The states before each segment are kept; in the backward pass each segment is run once more (Chen et al. 2016, Training Deep Nets with
    Sublinear Memory Cost). With segments as long as the square root of the sequence, memory beyond input and output grows like that root.
    """
    total = problem.x.shape[0]
    starts = range(0, total, steps)
    states, pieces = problem.initial, {}
    for start in reversed(starts) if problem.reverse else starts:
        pieces[start], states = _segment(run, problem, start, min(start + steps, total), states)
    columns = zip(*(pieces[start] for start in starts), strict=True)
    return Solution(tuple(torch.cat(column) for column in columns), states)


def _segment(
    run: Callable[[Problem], Solution], problem: Problem, start: int, end: int, states: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    lengths = problem.lengths
    real = None if lengths is None else Lengths((lengths.values - start).clamp(0, end - start), end - start, problem.x.device)

    def compute(x: Tensor, *before: Tensor) -> tuple[Tensor, ...]:
        solution = run(replace(problem, x=x, initial=before, lengths=real))
        return (*solution.steps, *solution.final)

    found = checkpoint(compute, problem.x[start:end], *states, use_reentrant=False, preserve_rng_state=False)
    count = len(found) - len(states)
    return found[:count], found[count:]
