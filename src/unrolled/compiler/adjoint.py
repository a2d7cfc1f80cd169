"""The derivative of one step, derived from its stages: reverse accumulation over the assignments, with SymPy's partial derivatives."""

from collections.abc import Iterable

import sympy as sp

from unrolled.compiler.plan import Adjoint, AdjointStage, Assignment, Gradient, Pullback, Stage
from unrolled.equations import Recurrence
from unrolled.equations.functions import Pointwise, slope_of
from unrolled.equations.recurrence import INPUT, OverUnits, before, now


def adjoint_symbol(symbol: sp.Symbol) -> sp.Symbol:
    """The symbol of the adjoint of a value."""
    return sp.Symbol(f"d({symbol})")


def derive(recurrence: Recurrence, prologue: tuple[Stage, ...], stages: tuple[Stage, ...]) -> Adjoint:
    """The adjoint of a recurrence whose forward pass is `prologue` and `stages`."""
    arriving = {s: sp.Symbol(f"arriving({s}[t])") for s in recurrence.states}
    loop = _Reverse(recurrence, {now(s): symbol for s, symbol in arriving.items()})
    for stage in reversed(stages):
        loop.stage(stage)
    leaving = tuple((s, loop.adjoint.pop(before(s), sp.Integer(0))) for s in recurrence.states)
    early = {a.symbol for stage in prologue for a in stage.assignments} | {p.symbol for stage in prologue for p in stage.products} | {INPUT}
    reached = {symbol: loop.resolve(symbol) for symbol in sorted(early & loop.adjoint.keys(), key=str)}
    loop.vectors()
    epilogue = _Reverse(recurrence, reached, loop.taken)
    loop.close()
    for stage in reversed(prologue):
        epilogue.stage(stage)
    into_input = epilogue.adjoint.pop(INPUT, None)
    epilogue.vectors()
    epilogue.close()
    gradients = (*loop.gradients, *epilogue.gradients)
    saved, recomputed = _saved(recurrence, prologue, stages, loop, epilogue, leaving, into_input)
    return Adjoint(tuple(arriving.items()), leaving, saved, recomputed, tuple(loop.stages), tuple(epilogue.stages), gradients, into_input)


class _Reverse:
    """Reverse accumulation through stages; `adjoint` holds, for every value not yet passed, what has flowed to it so far.

    `taken` are the names in use. None is given twice, since a value may receive one amount in the loop and another after it.
    """

    def __init__(self, recurrence: Recurrence, seeds: dict[sp.Symbol, sp.Symbol], taken: Iterable[sp.Symbol] = ()) -> None:
        self.adjoint: dict[sp.Symbol, sp.Expr] = dict(seeds)
        self.stages: list[AdjointStage] = []
        self.gradients: list[Gradient] = []
        self.taken = set(taken)
        self._vectors = [p.name for p in recurrence.parameters if not p.is_matrix and p.name not in recurrence.constant]
        self._constant = recurrence.constant
        self._pullbacks: tuple[Pullback, ...] = ()
        self._assignments: list[Assignment] = []
        self._named: dict[sp.Expr, sp.Symbol] = {}

    def stage(self, stage: Stage) -> None:
        """Flow back through a stage's assignments, then its products."""
        for assignment in reversed(stage.assignments):
            if assignment.symbol not in self.adjoint:
                continue
            value = {assignment.expression: assignment.symbol}
            leaves = sorted(assignment.expression.free_symbols, key=str)
            slopes = {leaf: slope.xreplace(value) for leaf in leaves if (slope := slope_of(assignment.expression, leaf)) != 0}
            arriving = self.resolve(assignment.symbol) if slopes else sp.Integer(0)
            del self.adjoint[assignment.symbol]
            for leaf, slope in slopes.items():
                self._flow(leaf, arriving * slope)
        terms: dict[sp.Symbol, list[tuple[str, sp.Symbol]]] = {}
        for product in stage.products:
            if product.symbol in self.adjoint:
                delta = self.resolve(product.symbol)
                del self.adjoint[product.symbol]
                if product.matrix == OverUnits.LARGEST:
                    continue  # what is taken off all units alike changes nothing that is read of it
                terms.setdefault(product.operand, []).append((product.matrix, delta))
                if not isinstance(product.matrix, OverUnits) and product.matrix not in self._constant:
                    self.gradients.append(Gradient(product.matrix, delta, product.operand))
        if terms:
            self.close()
            self._pullbacks = tuple(Pullback(sp.Symbol(f"pull({o})"), tuple(t)) for o, t in terms.items())
            for operand, pullback in zip(terms, self._pullbacks, strict=True):
                self._flow(operand, pullback.symbol)

    def resolve(self, symbol: sp.Symbol) -> sp.Symbol:
        """The adjoint of a value under a name; equal adjoints share one."""
        expression = self.adjoint[symbol]
        if not expression.is_Symbol:
            if expression not in self._named:
                name = adjoint_symbol(symbol)
                while name in self.taken:
                    name = sp.Symbol(f"{name}'")
                self.taken.add(name)
                self._named[expression] = name
                self._assignments.append(Assignment(name, expression))
            self.adjoint[symbol] = self._named[expression]
        return self.adjoint[symbol]

    def vectors(self) -> None:
        """Name what flows to the vector parameters."""
        for name in self._vectors:
            if sp.Symbol(name) in self.adjoint:
                self.gradients.append(Gradient(name, self.resolve(sp.Symbol(name)), None))

    def close(self) -> None:
        """End the adjoint stage under construction."""
        if self._pullbacks or self._assignments:
            self.stages.append(AdjointStage(self._pullbacks, tuple(self._assignments)))
        self._pullbacks, self._assignments = (), []

    def _flow(self, leaf: sp.Symbol, amount: sp.Expr) -> None:
        if amount != 0:
            self.adjoint[leaf] = self.adjoint.get(leaf, sp.Integer(0)) + amount


def _saved(
    recurrence: Recurrence,
    prologue: tuple[Stage, ...],
    stages: tuple[Stage, ...],
    loop: _Reverse,
    epilogue: _Reverse,
    leaving: tuple[tuple[str, sp.Expr], ...],
    into_input: sp.Expr | None,
) -> tuple[tuple[sp.Symbol, ...], tuple[Assignment, ...]]:
    """What the backward pass reads of the forward pass: kept, or made again where that needs only what is kept anyway.

    States are always kept, since their values at t-1 are those of the step before; of the rest, a pointwise value of kept values is
    made again when it costs at most one function.
    """
    read: set[sp.Symbol] = set()
    for reverse in (loop, epilogue):
        for stage in reverse.stages:
            for assignment in stage.assignments:
                read |= assignment.expression.free_symbols
        read |= {g.operand for g in reverse.gradients if g.operand is not None}
    for expression in (*(e for _, e in leaving), into_input):
        read |= expression.free_symbols if expression is not None else set()
    free = {sp.Symbol(p.name) for p in recurrence.parameters} | {INPUT} | {f(s) for s in recurrence.states for f in (now, before)}
    kept: list[sp.Symbol] = []
    again: list[Assignment] = []
    known = set(free)
    for forward in (*prologue, *stages):
        kept += (products := [p.symbol for p in forward.products if p.symbol in read])
        known.update(products)
        for assignment in forward.assignments:
            if assignment.symbol in read and assignment.symbol not in free:
                cheap = len(assignment.expression.atoms(Pointwise)) <= 1
                if cheap and assignment.expression.free_symbols <= known:
                    again.append(assignment)
                else:
                    kept.append(assignment.symbol)
                known.add(assignment.symbol)
    return (*(now(s) for s in recurrence.states), *kept), tuple(again)
