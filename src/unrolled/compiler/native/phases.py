"""The phases of a kernel: what is computed where, what lies on the tape between them, and in which column.

A phase is a group of products and then pointwise assignments, all for the same steps. The values that one phase leaves for another lie on
the tape: one row for each real step of each sequence, one column for each value, a column being as wide as its value has units.
"""

from dataclasses import dataclass, field

import sympy as sp

from unrolled.compiler.native.areas import along
from unrolled.compiler.plan import Assignment, Plan
from unrolled.equations import Recurrence
from unrolled.equations.recurrence import INPUT, OverUnits, before, now

Term = tuple[str, sp.Symbol]
"""A matrix and what it is applied to."""


@dataclass
class Phase:
    """Products (transposed in the backward pass), assignments, and what leaves: adjoints for the step before, the input's adjoint."""

    name: str
    transposed: bool
    products: list[tuple[sp.Symbol, tuple[Term, ...]]] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    leaving: list[tuple[str, sp.Expr]] = field(default_factory=list)
    into_input: sp.Expr | None = None

    @property
    def defined(self) -> list[sp.Symbol]:
        """The values that the phase computes."""
        return [s for s, _ in self.products] + [a.symbol for a in self.assignments]

    @property
    def operands(self) -> set[sp.Symbol]:
        """What its products read, all units of it."""
        return {operand for _, terms in self.products for _, operand in terms}

    @property
    def read(self) -> set[sp.Symbol]:
        """What it reads unit by unit and does not compute itself."""
        expressions = [a.expression for a in self.assignments] + [e for _, e in self.leaving]
        expressions += [] if self.into_input is None else [self.into_input]
        return set().union(*(e.free_symbols for e in expressions)) - set(self.defined)


@dataclass(frozen=True)
class Phases:
    """All phases in the order in which a slot passes through them."""

    prologue: tuple[Phase, ...]
    forward: tuple[Phase, ...]
    backward: tuple[Phase, ...]
    epilogue: tuple[Phase, ...]

    @property
    def all(self) -> tuple[Phase, ...]:
        """One after the other."""
        return (*self.prologue, *self.forward, *self.backward, *self.epilogue)


def make_phases(plan: Plan) -> Phases:
    """The phases of a plan. Every adjoint is computed as early as it can be, so that what it reads need not be kept for long."""
    adjoint = plan.adjoint
    forward = [
        [
            Phase(f"{kind}_{n}", False, [(p.symbol, ((p.matrix, p.operand),)) for p in s.products], list(s.assignments))
            for n, s in enumerate(stages, 1)
        ]
        for kind, stages in (("prologue", plan.prologue), ("forward", plan.stages))
    ]
    back = [
        [Phase(f"{kind}_{n}", True, [(p.symbol, p.terms) for p in s.pullbacks]) for n, s in enumerate(stages, 1)]
        for kind, stages in (("backward", adjoint.loop), ("epilogue", adjoint.epilogue))
    ]
    if not back[0]:
        back[0].append(Phase("backward_1", True))
    if not back[1] and adjoint.input is not None:
        back[1].append(Phase("epilogue_1", True))
    for phases, stages in zip(back, (adjoint.loop, adjoint.epilogue), strict=True):
        _place_early(phases, [a for s in stages for a in s.assignments])
    _place_leaving(back[0], dict(adjoint.arriving), adjoint.leaving)
    if adjoint.input is not None:
        back[1][_ready(_places(back[1]), adjoint.input)].into_input = adjoint.input
    _compute_again(plan, back)
    return Phases(*map(tuple, (*forward, *back)))


def _places(phases: list[Phase]) -> dict[sp.Symbol, int]:
    """The phase that computes each value."""
    return {s: i for i, phase in enumerate(phases) for s in phase.defined}


def _ready(known: dict[sp.Symbol, int], expression: sp.Expr) -> int:
    """The first phase after whose products and assignments all of an expression is known; `known` is where each value is computed."""
    return max((known.get(s, 0) for s in expression.free_symbols), default=0)


def _place_early(phases: list[Phase], assignments: list[Assignment]) -> None:
    known = _places(phases)
    for assignment in assignments:
        known[assignment.symbol] = _ready(known, assignment.expression)
        phases[known[assignment.symbol]].assignments.append(assignment)


def _place_leaving(phases: list[Phase], arriving: dict[str, sp.Symbol], leaving: tuple[tuple[str, sp.Expr], ...]) -> None:
    """What leaves takes the place of what arrived, so that it has to wait until nothing reads that any more: nor any other that leaves."""
    state_of = {symbol: state for state, symbol in arriving.items()}
    read = [{state_of[s] for s in phase.read if s in state_of} for phase in phases]
    asks = {state: {state_of[s] for s in expression.free_symbols if s in state_of} for state, expression in leaving}
    known = _places(phases)
    soonest = {
        state: max(_ready(known, expression), *(i for i, states in enumerate(read) if state in states), 0) for state, expression in leaving
    }
    place: dict[str, int] = {}
    for state in sorted(soonest, key=soonest.__getitem__, reverse=True):  # One that waits makes those wait whose adjoints it reads.
        waiting = [state]
        while waiting:
            if (other := waiting.pop()) in soonest and other not in place:
                place[other] = soonest[state]
                waiting += asks[other]
    for state, expression in leaving:
        phases[place[state]].leaving.append((state, expression))


def _compute_again(plan: Plan, back: list[list[Phase]]) -> None:
    """Put what is not kept in front of the phases that read it; operands of gradients into the first one, which leaves them on the tape."""
    operands = {g.operand for g in plan.adjoint.gradients}
    # What products of the forward pass read lies on the tape already, and stays there for the gradients.
    kept = operands & {p.operand for s in (*plan.prologue, *plan.stages) for p in s.products}
    again = {a.symbol: a for a in plan.adjoint.recomputed if a.symbol not in kept}
    for number, phase in enumerate(phase for phases in back for phase in phases):
        wanted = phase.read | (operands if number == 0 else set())
        found: dict[sp.Symbol, Assignment] = {}
        while missing := [again[s] for s in sorted(wanted & again.keys(), key=str) if s not in found]:
            for assignment in missing:
                found[assignment.symbol] = assignment
                wanted |= assignment.expression.free_symbols
        phase.assignments[:0] = [a for a in again.values() if a.symbol in found]


class Sizes:
    """The size label of every symbol of a plan: that of the units it has. `labels` are all there are, the input's first."""

    def __init__(self, recurrence: Recurrence, phases: Phases) -> None:
        self._recurrence = recurrence
        self.labels = tuple(dict.fromkeys(("x", *recurrence.labels)))
        self._of: dict[sp.Symbol, str] = {INPUT: "x"}
        self._of |= {sp.Symbol(p.name): p.rows for p in recurrence.parameters if not p.is_matrix}
        self._of |= {now(name): label for name, label in recurrence.sizes}
        for state in recurrence.states:
            for symbol in (now(state), before(state), sp.Symbol(f"arriving({now(state)})")):
                self._of[symbol] = recurrence.size_of(state)
        for phase in phases.all:
            for symbol, terms in phase.products:
                self._of[symbol] = self._product(terms[0], transposed=phase.transposed)
            for assignment in phase.assignments:
                self._of.setdefault(assignment.symbol, self.of(assignment.expression))

    def of(self, expression: sp.Expr) -> str:
        """The label of an expression's units; the output's where it is a mere number."""
        labels = (self._of[s] for s in sorted(expression.free_symbols, key=str) if s in self._of)
        return next(labels, self._recurrence.size_of(self._recurrence.output))

    def has_numbers(self, matrix: str) -> bool:
        """Whether a matrix is stored, and not known."""
        return not isinstance(matrix, OverUnits) and along(self._recurrence, matrix) is None

    def depth(self, term: Term, *, transposed: bool) -> str:
        """The label of what a product sums over."""
        matrix, operand = term
        if isinstance(matrix, OverUnits):
            return self.of(operand)
        parameter = self._recurrence.parameter(matrix)
        return parameter.rows if transposed else parameter.columns

    def _product(self, term: Term, *, transposed: bool) -> str:
        matrix, operand = term
        if isinstance(matrix, OverUnits):
            return self.of(operand)
        parameter = self._recurrence.parameter(matrix)
        return parameter.columns if transposed else parameter.rows


@dataclass(frozen=True)
class Tape:
    """The columns of the tape: each symbol's, and the size label of each. The first `forward` are all that a pass without gradients needs."""

    column: dict[sp.Symbol, int]
    labels: tuple[str, ...]
    forward: int


def lay_tape(plan: Plan, phases: Phases, sizes: Sizes) -> Tape:
    """Give every value that one phase leaves for another a column; a value may take the place of one that is no longer read.

    States stay, since the step after reads them; so does what gradients are made of.
    """
    order = phases.all
    end = len(order)
    last_read: dict[sp.Symbol, int] = {}
    last_operand: dict[sp.Symbol, int] = {}
    for number, phase in enumerate(order):
        last_read |= dict.fromkeys(phase.read, number)
        last_operand |= dict.fromkeys(phase.operands, number)
    for gradient in plan.adjoint.gradients:
        last_operand |= {s: end for s in (gradient.delta, gradient.operand) if s is not None}
    states = [now(s) for s in plan.recurrence.states]
    last_operand |= dict.fromkeys(states, end)
    late = set().union(*(phase.read for phase in phases.epilogue))
    columns = _Columns(last_read, last_operand)
    forward = 0
    for number, phase in enumerate(order):
        arriving = [s for _, s in plan.adjoint.arriving if s in last_operand or s in late] if phase is phases.backward[0] else []
        for symbol in arriving:  # put there before the phase begins
            columns.place(symbol, sizes.of(symbol), number - 1)
        for symbol in phase.defined:
            if symbol in last_operand or last_read.get(symbol, -1) > number:
                columns.place(symbol, sizes.of(symbol), number)
        if number < len(phases.prologue) + len(phases.forward):
            forward = len(columns.labels)
    return Tape(columns.column, tuple(columns.labels), forward)


class _Columns:
    """Columns as they are given out."""

    def __init__(self, last_read: dict[sp.Symbol, int], last_operand: dict[sp.Symbol, int]) -> None:
        self.column: dict[sp.Symbol, int] = {}
        self.labels: list[str] = []
        self._holder: list[sp.Symbol] = []
        self._last_read, self._last_operand = last_read, last_operand

    def place(self, symbol: sp.Symbol, label: str, number: int) -> None:
        """A column for a value of phase `number`; none of the values that it had before is still to be read."""
        if symbol in self.column:
            return
        free = (
            i for i, (held, of) in enumerate(zip(self._holder, self.labels, strict=True)) if of == label and self._is_free(held, number)
        )
        index = next(free, len(self.labels))
        if index == len(self.labels):
            self.labels.append(label)
            self._holder.append(symbol)
        self._holder[index] = symbol
        self.column[symbol] = index

    def _is_free(self, held: sp.Symbol, number: int) -> bool:
        """Unit by unit a value may be read and its place taken in one phase; products read what other units might have overwritten."""
        return self._last_read.get(held, -1) <= number and self._last_operand.get(held, -1) < number
