"""The loop over the real steps of a plan: its products in torch, and what is pointwise as an engine computes it."""

from collections.abc import Iterator

import torch
from torch import Tensor

from unrolled.engines.lengths import beside
from unrolled.engines.maps import Matrices
from unrolled.engines.problem import Problem, Solution, zero_of
from unrolled.engines.program import Values
from unrolled.engines.stages import Part, ready
from unrolled.equations import Along
from unrolled.equations.recurrence import INPUT, OverUnits


class Run:
    """One pass over a sequence.

    The real steps lie one below the other, step by step, the longest sequences first, so that the rows still running at a step are the
    first ones and padding is neither read nor paid for.
    """

    def __init__(self, problem: Problem, *, reuse: bool = False) -> None:
        """With `reuse` values are written over those that nobody reads again, so that no gradient can be taken."""
        self.problem, self.ready, self.lengths, self.reuse = problem, ready(problem.plan), problem.lengths, reuse
        self.maps = problem.convolutions or Matrices()
        self.steps, self.batch = problem.x.shape[:2]
        self.counts = self.lengths.counts if self.lengths else [self.batch] * self.steps
        self.vectors: Values = {symbol: _units_last(problem.weights.block(symbol.name)) for symbol in self.ready.vectors}
        once = self.steps == 1 and not torch.is_grad_enabled()
        looked_up = not problem.x.is_floating_point()
        given = problem.weights, self.maps
        self.prologue = [(part.groups(*given, narrow=problem.narrow, once=once or looked_up), part) for part in self.ready.prologue]
        self.loop = [(part.groups(*given, narrow=problem.narrow, once=once), part) for part in self.ready.loop]
        order = slice(None) if self.lengths is None else self.lengths.order
        self.masks = {width: mask[order] for width, mask in (problem.masks or {}).items()}
        self.initial = problem.initial if self.lengths is None else tuple(s[order] for s in problem.initial)
        self.resets = self._cuts(order)

    def solve(self) -> Solution:
        """All steps, then everything back in the order in which it came."""
        history, final = self._backward_in_time() if self.problem.reverse else self._forward_in_time()
        # A trace must be the same with gradients and without.
        if torch.is_grad_enabled() and history and not torch.jit.is_tracing():  # type: ignore[attr-defined]
            nothing = zero_of(self.problem)
            # One step joins all others, which saves to add the 0 to each.
            history[0] = tuple(s + nothing.to(s.dtype) for s in history[0])
            final = tuple(f + nothing.to(f.dtype) for f in final)
        if self.lengths is not None:
            final = tuple(f[self.lengths.back] for f in final)
        return Solution(tuple(self.padded([states[k] for states in history], k) for k in range(self.kept)), final)

    @property
    def kept(self) -> int:
        """Of how many states all steps are asked for."""
        return len(self.ready.now) if self.problem.every_state else 1

    def _cuts(self, order: Tensor | slice) -> list[Tensor | None]:
        """For each step the rows, as a column `[B, 1]`, whose states are set back before it; None where there is none, which costs nothing."""
        resets = self.problem.resets
        if resets is None:
            return [None] * self.steps
        some: list[bool] = resets.any(1).tolist()
        return [row if cut else None for row, cut in zip(beside(resets[:, order], self.problem.initial[0][None]), some, strict=True)]

    def _forward_in_time(self) -> tuple[list[tuple[Tensor, ...]], tuple[Tensor, ...]]:
        """Sequences leave at the bottom as they end."""
        states = self.initial
        history, ended = [], []
        for count, early, cut in zip(self.counts, self._prologue(), self.resets, strict=True):
            if count < states[0].shape[0]:
                pairs = [s.tensor_split([count]) for s in states]
                states = tuple(p[0] for p in pairs)
                ended.append(tuple(p[1] for p in pairs))
            if count:
                states = self.step(self._set_back(states, cut), early)
            history.append(states[: self.kept])
        parts = [states, *reversed(ended)]
        return history, tuple(torch.cat(part) if ended else part[0] for part in zip(*parts, strict=True))

    def _backward_in_time(self) -> tuple[list[tuple[Tensor, ...]], tuple[Tensor, ...]]:
        """Sequences join at the bottom where they end."""
        history, states = [], tuple(s[:0] for s in self.initial)
        for count, early, cut in zip(reversed(self.counts), self._prologue(), reversed(self.resets), strict=True):
            states = self._join(states, count)
            if count:
                states = self.step(self._set_back(states, cut), early)
            history.append(states[: self.kept])
        return history[::-1], self._join(states, self.batch)

    def _join(self, states: tuple[Tensor, ...], count: int) -> tuple[Tensor, ...]:
        have = states[0].shape[0]
        return states if have == count else tuple(torch.cat([s, i[have:count]]) for s, i in zip(states, self.initial, strict=True))

    def _set_back(self, states: tuple[Tensor, ...], cut: Tensor | None) -> tuple[Tensor, ...]:
        if cut is None:
            return states
        count = states[0].shape[0]
        return tuple(torch.where(cut[:count], i[:count], s) for s, i in zip(states, self.initial, strict=True))

    def _prologue(self) -> Iterator[Values]:
        """What the loop reads of all that depends on the input alone, step by step as the loop goes, computed for many real steps at once."""
        span, turn = self.maps.steps_at_once(self.problem.x), reversed if self.problem.reverse else iter
        counts = [self.counts[first : first + span] for first in range(0, self.steps, span)]
        rows = self.input().split([sum(some) for some in counts])
        for some, x in turn(list(zip(counts, rows, strict=True))):
            values = self.early(x)
            read = [s for s in values if s in self.ready.read]
            if len(some) == 1:
                pieces = [tuple(values[s] for s in read)]
            else:
                pieces = list(zip(*(values[s].split(some) for s in read), strict=True)) if read else [()] * len(some)
            yield from (dict(zip(read, piece, strict=True)) for piece in turn(pieces))

    def input(self) -> Tensor:
        """All real steps of the input, one below the other."""
        x = self.problem.x.flatten(0, 1)
        return x if self.lengths is None else x[self.lengths.index]

    def early(self, x: Tensor) -> Values:
        """All that depends on the input alone, for some of these rows."""
        values: Values = {**self.vectors, INPUT: self.laid(x)}
        for groups, part in self.prologue:
            for group in groups:
                group.compute(self.maps, values[group.operand], values)
            self._finish(part, values)
        return values

    def laid(self, x: Tensor) -> Tensor:
        """Rows of the input, one after the other in memory."""
        return x.contiguous()

    def _finish(self, part: Part, values: Values) -> None:
        """What follows a stage's products with parameters: those with maps that are known, then what is pointwise."""
        values.update({p.symbol: _of_all(p.matrix, values[p.operand]) for p in part.of_all})
        values.update({p.symbol: _along(values[p.operand], made, *self.problem.weights.shape(p.matrix)) for p, made in part.along})
        self.assign(part, values)

    def assign(self, part: Part, values: Values) -> None:
        """Add what a stage computes unit by unit to `values`."""
        part.program.run(values, reuse=self.reuse)

    def step(self, states: tuple[Tensor, ...], early: Values) -> tuple[Tensor, ...]:
        """The states after a step."""
        values = self.values(states, early)
        return tuple(as_rows(values[symbol], old.shape[-1], old) for symbol, old in zip(self.ready.now, states, strict=True))

    def values(self, states: tuple[Tensor, ...], early: Values) -> Values:
        """All that is computed at a step, from the states before it."""
        values: Values = {**self.vectors, **early, **dict(zip(self.ready.before, states, strict=True))}
        count = states[0].shape[0]
        for groups, part in self.loop:
            for group in groups:
                read = as_rows(values[group.operand], group.matrix.shape[1], states[0])
                group.compute(self.maps, read * self.masks[read.shape[-1]][:count] if self.masks and group.drops else read, values)
            self._finish(part, values)
        return values

    def padded(self, values: list[Tensor], state: int) -> Tensor:
        """Steps one below the other, back as `[T, B, n]` with 0 past each end."""
        units = self.problem.initial[state].shape[1:]
        if not values:
            return self.problem.initial[state].new_zeros(0, self.batch, *units)
        if self.lengths is None:
            return torch.stack(values)
        flat = torch.cat(values)
        return (
            flat.new_zeros(self.steps * self.batch, *units).index_copy(0, self.lengths.index, flat).unflatten(0, (self.steps, self.batch))
        )


def _of_all(function: str, value: Tensor | float) -> Tensor | float:
    """One number of all units for each sequence, or each place of a plane; the mean and the largest of a constant are the constant."""
    if not isinstance(value, Tensor):
        return value
    if function == OverUnits.LARGEST:
        return value.detach().amax(-1, keepdim=True)
    return value.mean(-1, keepdim=True) if function == OverUnits.MEAN else value.sum(-1, keepdim=True)


def _along(value: Tensor, made: Along, rows: int, units: int) -> Tensor:
    """A vector along the rows or the columns of a matrix that lies flat, head by head and row by row; or such a matrix, added up along them."""
    role, heads = made.role, made.heads
    value = value if value.shape[-1] == units else value.expand(*value.shape[:-1], units)
    if role == "repeat":
        return value.repeat_interleave(rows // units, -1)
    if role == "tile":
        return value.unflatten(-1, (heads, 1, -1)).expand(*value.shape[:-1], heads, rows // units, -1).flatten(-3)
    if role == "add_columns":
        return value.unflatten(-1, (rows, -1)).sum(-1)
    return value.unflatten(-1, (heads, -1, rows // heads)).sum(-2).flatten(-2)


def _units_last(vector: Tensor) -> Tensor:
    """A vector, which may have a number for each place of a plane: `[n, *space]`."""
    return vector.movedim(0, -1) if vector.dim() > 1 else vector


def as_rows(value: Tensor | float, units: int, like: Tensor) -> Tensor:
    """A value for every sequence, also where the text makes it a constant; `like` is a state."""
    shape = (*like.shape[:-1], units)
    if not isinstance(value, Tensor):
        return like.new_full(shape, value)
    return value if value.shape == shape else value.to(like.dtype).expand(shape)
