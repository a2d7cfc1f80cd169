"""A long sequence run in segments, so that training remembers the states between them alone and computes the rest again."""

import itertools
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
    Where rows are set back a segment is run in pieces, as an engine would set them back to the states before the segment.
    """
    total = problem.x.shape[0]
    cuts = _cuts(problem)
    states, found = problem.initial, {}
    for start, end in _visited(problem, [*range(0, total, steps), total]):

        def compute(x: Tensor, *before: Tensor, start: int = start, end: int = end) -> tuple[Tensor, ...]:
            edges = [start, *(cut for cut in cuts if start < cut < end), end]
            solution = _join(run, problem, x, before, edges)
            return (*solution.steps, *solution.final)

        results = checkpoint(compute, problem.x[start:end], *states, use_reentrant=False, preserve_rng_state=False)
        count = len(results) - len(states)
        found[start], states = results[:count], results[count:]
    return Solution(_in_time(found), states)


def _join(run: Callable[[Problem], Solution], problem: Problem, x: Tensor, states: Sequence[Tensor], edges: list[int]) -> Solution:
    """The pieces between steps at which rows are set back, one after the other; `x` has the steps from the first edge to the last."""
    found, states = {}, tuple(states)
    for start, end in _visited(problem, edges):
        states = _set_back(problem, states, end - 1 if problem.reverse else start)
        real = None if problem.lengths is None else Lengths((problem.lengths.values - start).clamp(0, end - start), end - start, x.device)
        piece = replace(problem, x=x[start - edges[0] : end - edges[0]], initial=states, lengths=real, resets=None)
        solution = run(piece)
        found[start], states = solution.steps, solution.final
    return Solution(_in_time(found), states)


def _visited(problem: Problem, edges: list[int]) -> list[tuple[int, int]]:
    """What lies between edges, in the order in which the engine comes to it."""
    spans = list(itertools.pairwise(edges))
    return spans[::-1] if problem.reverse else spans


def _in_time(found: dict[int, tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """Steps one below the other; what is in one piece is not copied, as that takes memory."""
    first, *others = (found[start] for start in sorted(found))
    return tuple(torch.cat(column) for column in zip(first, *others, strict=True)) if others else first


def _cuts(problem: Problem) -> list[int]:
    """The steps before which some row is set back; in reverse, those after it."""
    if problem.resets is None:
        return []
    steps: list[int] = problem.resets.any(1).nonzero().flatten().tolist()
    return [step + problem.reverse for step in steps]


def _set_back(problem: Problem, states: tuple[Tensor, ...], step: int) -> tuple[Tensor, ...]:
    """The states before a step, of which those rows that are set back there, and not past their end, have the initial ones."""
    if problem.resets is None:
        return states
    rows = problem.resets[step] if problem.lengths is None else problem.resets[step] & (step < problem.lengths.values)
    return tuple(torch.where(rows[:, None], fresh, state) for fresh, state in zip(problem.initial, states, strict=True))
