"""What an engine is asked to compute: one layer in one direction over a whole sequence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from unrolled.compiler import Plan
from unrolled.engines.lengths import Lengths
from unrolled.engines.maps import Convolutions
from unrolled.engines.weights import Weights


@dataclass(frozen=True)
class Problem:
    """One layer and direction.

    `x` is `[T, B, I]`, or `[T, B]` of integers, each standing for a one-hot vector. `initial` has one `[B, n]` tensor per state.
    `masks`, one `[B, n]` for each width n, multiply what the recurrent maps read (variational dropout). `every_state` asks for all states at all steps.

    `resets` is boolean `[T, B]`, in the reader's own sense: where `resets[t, b]` is true, row b's states become `initial[:, b]` just before
    step t is computed, whether the engine comes to t from t - 1 or, in reverse, from t + 1. At a row's first step and past its end they
    change nothing.

    With `narrow` every matrix is read rounded to bfloat16; sums, states and gradients are not, and gradients pass the rounding as if it were
    not there.

    With `convolutions` every matrix is a kernel, whose size is in its shape, and there is a plane where there would be one number: `x` is `[T, B, *space, I]`, a state
    `[B, *space, n]`, a mask `[B, 1, …, n]`; a vector is `[n]` or `[n, *space]`.
    """

    plan: Plan
    weights: Weights
    x: Tensor
    initial: tuple[Tensor, ...]
    lengths: Lengths | None = None
    reverse: bool = False
    masks: Mapping[int, Tensor] | None = None
    every_state: bool = False
    resets: Tensor | None = None
    narrow: bool = False
    convolutions: Convolutions | None = None


@dataclass(frozen=True)
class Solution:
    """`steps` has a `[T, B, n]` tensor for the output, or for every state when that was asked for; 0 past a sequence's end.

    `final` has each state `[B, n]` after the last real step (the first one, in reverse).
    """

    steps: tuple[Tensor, ...]
    final: tuple[Tensor, ...]


def zero_of(problem: Problem) -> Tensor:
    """The number 0, through which the gradient of all that was given is 0: torch.nn's layers give that, and not None, to what reached no result."""
    given = (t for t in (problem.x, *problem.weights.stored, *problem.initial) if t.is_floating_point())
    return sum((t.flatten()[:0].sum() for t in given), problem.initial[0].new_zeros(()))


def solve_nothing(problem: Problem) -> Solution:
    """What no step, or no sequence, gives: the states as they began. Gradients of all that was given are 0, as torch.nn's are."""
    nothing = zero_of(problem)
    final = tuple(s + nothing.to(s.dtype) for s in problem.initial)
    kept = final if problem.every_state else final[:1]
    return Solution(tuple(f.new_zeros(*problem.x.shape[:2], *f.shape[1:]) + nothing.to(f.dtype) for f in kept), final)


class Engine(Protocol):
    """A way to run a plan."""

    name: str

    def refuses(self, problem: Problem) -> str:
        """Why this engine cannot run the problem; empty when it can."""
        ...

    def explain(self, problem: Problem) -> str:
        """What the engine does with a problem that it does not refuse."""
        ...

    def yields(self, problem: Problem) -> str:
        """Why an engine that comes after this one is faster at the problem; empty when none is."""
        ...

    def run(self, problem: Problem) -> Solution:
        """Run it."""
        ...
