"""The reference engine: the plan, step by step, in torch operations. Any dtype and device, differentiable as often as one likes."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import sympy as sp
import torch
from torch import Tensor

from unrolled.compiler import Plan, Stage, make_plan
from unrolled.engines.constants import recorded_as_it_runs
from unrolled.engines.lengths import Lengths, beside
from unrolled.engines.maps import Convolutions, Matrices
from unrolled.engines.problem import Problem, Solution, solve_nothing
from unrolled.engines.program import Program, Values
from unrolled.engines.stacks import Together, products_by_operand
from unrolled.engines.watched import are_plain, is_watched
from unrolled.engines.weights import WeightLayout, Weights
from unrolled.equations import Along, Product, from_source
from unrolled.equations.recurrence import INPUT, OverUnits, before, now


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
        return _Run(problem).solve() if problem.lengths is None or any(problem.lengths.counts) else solve_nothing(problem)


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


@dataclass(frozen=True)
class _Group:
    """A stage's products of one operand, as one product with the matrices stacked; `drops` says whether dropout applies to what is read."""

    operand: sp.Symbol
    symbols: tuple[sp.Symbol, ...]
    matrix: Tensor
    rows: list[int]
    drops: bool

    def compute(self, maps: Matrices | Convolutions, read: Tensor, values: Values) -> None:
        """Add every product's value to `values`."""
        result = maps.apply(self.matrix, read)
        values.update(zip(self.symbols, result.split(self.rows, -1), strict=True))


@dataclass(frozen=True)
class _Part:
    """A stage, made ready to run many times."""

    together: Together
    of_all: tuple[Product, ...]
    along: tuple[tuple[Product, Along], ...]
    constant: frozenset[str]
    program: Program

    def groups(self, weights: Weights, maps: Matrices | Convolutions, *, narrow: bool = False, once: bool = False) -> list[_Group]:
        """The stage's products with these weights. Where a matrix is read once, or some columns of it, stacking would cost more than it saves."""
        groups = []
        for operand, products in self.together.items():
            alone = not maps.stacked or any(p.matrix in self.constant for p in products)
            apart = alone or (once and not weights.is_stored([p.matrix for p in products]))
            for ps in [(p,) for p in products] if apart else [products]:
                names = [p.matrix for p in ps]
                matrix = weights.stack(names)
                if narrow:
                    matrix = matrix + (matrix.bfloat16().to(matrix.dtype) - matrix).detach()
                rows = [weights.layout.rows[n] for n in names]
                groups.append(_Group(operand, tuple(p.symbol for p in ps), maps.laid(matrix), rows, names[0] not in self.constant))
        return groups

    def finish(self, values: Values, weights: Weights, *, reuse: bool) -> None:
        """What follows the stage's products with parameters: those with maps that are known, then the pointwise assignments; see `Program.run`."""
        values.update({p.symbol: _of_all(p.matrix, values[p.operand]) for p in self.of_all})
        values.update({p.symbol: _along(values[p.operand], made, *weights.shape(p.matrix)) for p, made in self.along})
        self.program.run(values, reuse=reuse)


@dataclass(frozen=True)
class _Ready:
    """A plan, made ready; `read` is all that the loop reads."""

    prologue: tuple[_Part, ...]
    loop: tuple[_Part, ...]
    read: frozenset[sp.Symbol]
    vectors: tuple[sp.Symbol, ...]
    before: tuple[sp.Symbol, ...]
    now: tuple[sp.Symbol, ...]


@cache
def _ready(plan: Plan) -> _Ready:
    recurrence = plan.recurrence
    along = {p.name: p.made for p in recurrence.parameters if isinstance(p.made, Along)}

    every_stage = (*plan.prologue, *plan.stages)
    # A state that depends on the input alone is computed before the loop, and carried by it.
    carried = {now(s) for s in recurrence.states}

    def asked(stages: Iterable[Stage]) -> set[sp.Symbol]:
        return carried.union(p.operand for stage in stages for p in stage.products)

    def part(stage: Stage) -> _Part:
        of_all = tuple(p for p in stage.products if isinstance(p.matrix, OverUnits))
        known = tuple((p, along[p.matrix]) for p in stage.products if p.matrix in along)
        together = {
            o: rest for o, ps in products_by_operand(plan, stage).items() if (rest := tuple(p for p in ps if p.matrix not in along))
        }
        others = (s for s in every_stage if s is not stage)
        elsewhere = asked(every_stage).union(*(a.expression.free_symbols for other in others for a in other.assignments))
        own = {*(p.symbol for ps in together.values() for p in ps), *(a.symbol for a in stage.assignments)} - elsewhere
        return _Part(together, of_all, known, recurrence.constant, Program(stage.assignments, own))

    vectors = tuple(sp.Symbol(p.name) for p in plan.recurrence.parameters if not p.is_matrix)
    return _Ready(
        tuple(part(stage) for stage in plan.prologue),
        tuple(part(stage) for stage in plan.stages),
        frozenset(asked(plan.stages).union(*(a.expression.free_symbols for stage in plan.stages for a in stage.assignments))).difference(
            vectors
        ),
        vectors,
        tuple(before(s) for s in plan.recurrence.states),
        tuple(now(s) for s in plan.recurrence.states),
    )


class _Run:
    """One pass over a sequence.

    The real steps lie one below the other, step by step, the longest sequences first, so that the rows still running at a step are the
    first ones and padding is neither read nor paid for.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem, self.ready, self.lengths = problem, _ready(problem.plan), problem.lengths
        self.maps = problem.convolutions or Matrices()
        self.steps, self.batch = problem.x.shape[:2]
        self.counts = self.lengths.counts if self.lengths else [self.batch] * self.steps
        self.vectors: Values = {symbol: _units_last(problem.weights.block(symbol.name)) for symbol in self.ready.vectors}
        # Of what is watched, or is more than a tensor, nothing may be written over.
        self.reuse = not torch.is_grad_enabled() and not is_watched() and are_plain((problem.x, *problem.weights.stored, *problem.initial))
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
        if self.lengths is not None:
            final = tuple(f[self.lengths.back] for f in final)
        kept = len(self.ready.now) if self.problem.every_state else 1
        return Solution(tuple(self._padded([states[k] for states in history], k) for k in range(kept)), final)

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
                states = self._step(self._set_back(states, cut), early)
            history.append(states)
        parts = [states, *reversed(ended)]
        return history, tuple(torch.cat(part) if ended else part[0] for part in zip(*parts, strict=True))

    def _backward_in_time(self) -> tuple[list[tuple[Tensor, ...]], tuple[Tensor, ...]]:
        """Sequences join at the bottom where they end."""
        history, states = [], tuple(s[:0] for s in self.initial)
        for count, early, cut in zip(reversed(self.counts), self._prologue(), reversed(self.resets), strict=True):
            states = self._join(states, count)
            if count:
                states = self._step(self._set_back(states, cut), early)
            history.append(states)
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
        values: Values = {**self.vectors, INPUT: x.contiguous()}
        for groups, part in self.prologue:
            for group in groups:
                group.compute(self.maps, values[group.operand], values)
            part.finish(values, self.problem.weights, reuse=self.reuse)
        return values

    def _step(self, states: tuple[Tensor, ...], early: Values) -> tuple[Tensor, ...]:
        values = self.values(states, early)
        return tuple(_rows(values[symbol], old.shape[-1], old) for symbol, old in zip(self.ready.now, states, strict=True))

    def values(self, states: tuple[Tensor, ...], early: Values) -> Values:
        """All that is computed at a step, from the states before it."""
        values: Values = {**self.vectors, **early, **dict(zip(self.ready.before, states, strict=True))}
        count = states[0].shape[0]
        for groups, part in self.loop:
            for group in groups:
                read = _rows(values[group.operand], group.matrix.shape[1], states[0])
                group.compute(self.maps, read * self.masks[read.shape[-1]][:count] if self.masks and group.drops else read, values)
            part.finish(values, self.problem.weights, reuse=self.reuse)
        return values

    def _padded(self, values: list[Tensor], state: int) -> Tensor:
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


def values_of_step(problem: Problem) -> dict[str, Tensor]:
    """What each equation gives at the one step of a problem without lengths, by the name on its left: `[B, n]`, differentiable.

    The states before the step are the problem's initial ones; so all steps of a sequence can be asked for at once, as rows of a batch.
    """
    run = _Run(problem)
    run.reuse = False
    values = run.values(run.initial, run.early(run.input()))
    names = [e.name for e in problem.plan.recurrence.equations]
    like = problem.initial[0]
    widths = {n: v.shape[-1] if isinstance(v := values[now(n)], Tensor) and v.dim() else like.shape[-1] for n in names}
    return {n: _rows(values[now(n)], widths[n], like) for n in names}


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


def _rows(value: Tensor | float, units: int, like: Tensor) -> Tensor:
    """A value for every sequence, also where the text makes it a constant; `like` is a state."""
    shape = (*like.shape[:-1], units)
    if not isinstance(value, Tensor):
        return like.new_full(shape, value)
    return value if value.shape == shape else value.to(like.dtype).expand(shape)
