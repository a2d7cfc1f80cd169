"""Convolutional layers without gradients: torch convolves, and what is pointwise goes once over memory, in compiled code."""

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp
import torch
from torch import Tensor

from unrolled.compiler.native.late import made_late
from unrolled.compiler.native.pointwise import Pass
from unrolled.engines.loop import Run
from unrolled.engines.native.pointwise import Rows, as_rows, pointwise_library
from unrolled.engines.problem import Problem, Solution
from unrolled.engines.program import Values
from unrolled.engines.stages import Part


class PlanesRun(Run):
    """One pass over a sequence of planes, of which no gradient can be taken.

    Where all sequences have the same length, the states that are asked for at all steps are written where the caller gets them, and the others to
    two places in turn: memory that is new to the process costs more than what is computed in it.
    """

    def __init__(self, problem: Problem) -> None:
        plan = made_late(problem.plan)
        assert problem.convolutions is not None
        super().__init__(replace(problem, plan=plan, convolutions=replace(problem.convolutions, stacked=True)), reuse=True)
        self._library = pointwise_library(plan, problem.initial[0].dtype)
        self._parameters: dict[sp.Symbol, Rows] = {}
        self._still: dict[int, Values] = {}
        several = self.lengths is None and self.steps > 1
        self._stacks = [s.new_empty(self.steps, *s.shape) for s in self.initial[: self.kept]] if several else []
        self._spare = [(s.new_empty(s.shape), s.new_empty(s.shape)) for s in self.initial[self.kept :]] if several else []
        self._laid: Tensor | None = None
        self._places = self._in_turn()
        self._place: dict[sp.Symbol, Tensor] = {}

    def _in_turn(self) -> Iterator[dict[sp.Symbol, Tensor]]:
        """Where the states of each step go, in the order in which the loop takes steps."""
        steps = range(self.steps)
        for t in reversed(steps) if self.problem.reverse else steps:
            places = [*(stack[t] for stack in self._stacks), *(two[t % 2] for two in self._spare)]
            yield dict(zip(self.ready.now, places, strict=bool(places)))

    def solve(self) -> Solution:
        """All steps; the last states are not where the steps are."""
        solution = super().solve()
        return Solution(solution.steps, tuple(f.clone() for f in solution.final)) if self._stacks else solution

    def laid(self, x: Tensor) -> Tensor:
        """Channels last."""
        x = x.resolve_neg()
        if x.is_contiguous() or not x.movedim(-1, 1).is_contiguous():
            return x.contiguous()
        if self._laid is None or len(self._laid) < len(x):
            self._laid = x.new_empty(x.shape)
        return self._library.channels_last(x, self._laid[: len(x)])

    def step(self, states: tuple[Tensor, ...], early: Values) -> tuple[Tensor, ...]:
        """The states after a step, those that are asked for in their places."""
        self._place = next(self._places)
        found = super().step(states, early)
        places, self._place = tuple(self._place.values())[: len(self._stacks)], {}
        for place, state in zip(places, found, strict=False):
            if state.data_ptr() != place.data_ptr():
                place.copy_(state)
        return (*places, *found[len(places) :])

    def padded(self, values: list[Tensor], state: int) -> Tensor:
        """All steps of a state."""
        return self._stacks[state] if self._stacks else super().padded(values, state)

    def assign(self, part: Part, values: Values) -> None:
        """What depends on parameters alone, once in a run; all else in as few passes as there are values that have nothing to do with each other."""
        if part.number not in self._still:
            program = self._library.still[part.number]
            program.run(values)
            self._still[part.number] = {symbol: values[symbol] for symbol in program.assigned}
        values.update(self._still[part.number])
        for one in self._library.passes[part.number]:
            self._compute(one, values)

    def _compute(self, one: Pass, values: Values) -> None:
        reads = [values[s] for s in one.reads]
        widths = [v.shape[-1] for s in (*one.reads, *one.again) if isinstance(v := values[s], Tensor) and v.dim()]
        shape = torch.Size((*reads[0].shape[:-1], max(widths)))
        writes = [self._room(s, shape, reads[0]) for s in one.writes]
        rows = [*(as_rows(r.expand(shape)) for r in reads), *(self._again(s, values[s], shape) for s in one.again)]
        self._library.run(one, rows, writes)
        values.update(zip(one.writes, writes, strict=True))

    def _room(self, symbol: sp.Symbol, shape: torch.Size, like: Tensor) -> Tensor:
        place = self._place.get(symbol)
        return like.new_empty(shape) if place is None or place.shape != shape else place

    def _again(self, symbol: sp.Symbol, value: Tensor | float, shape: torch.Size) -> Rows:
        """What depends on parameters alone, as passes read it."""
        if symbol not in self._parameters:
            parameter = value if isinstance(value, Tensor) else self.initial[0].new_tensor(value)
            self._parameters[symbol] = self._library.again(parameter, shape)
        return self._parameters[symbol]
