"""What any engine needs to run a recurrence and its derivative, free of any target: stages, adjoint, saved values."""

from dataclasses import dataclass

import sympy as sp

from unrolled.equations import Product, Recurrence


@dataclass(frozen=True)
class Assignment:
    """`symbol = expression`, element by element."""

    symbol: sp.Symbol
    expression: sp.Expr


@dataclass(frozen=True)
class Pullback:
    """`symbol = sum of matrix^T @ delta`: what flows back through all the products that read one operand; what is over all units is its own transpose."""

    symbol: sp.Symbol
    terms: tuple[tuple[str, sp.Symbol], ...]


@dataclass(frozen=True)
class Stage:
    """Products of what is known, all at once, then a block of pointwise assignments in order."""

    products: tuple[Product, ...]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True)
class AdjointStage:
    """Transposed products of known adjoints, then a block of pointwise assignments in order."""

    pullbacks: tuple[Pullback, ...]
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True)
class Gradient:
    """A parameter's gradient, summed over steps and sequences after the loop.

    A matrix gets the outer products of `delta` and `operand`; for a vector `operand` is None and `delta` itself is summed.
    """

    parameter: str
    delta: sp.Symbol
    operand: sp.Symbol | None


@dataclass(frozen=True)
class Adjoint:
    """The derivative of one step, derived from the forward stages.

    `arriving` maps each state to the symbol of its incoming adjoint at step t: the cotangent of that step's value plus what `leaving`
    gave for it at step t+1. `loop` runs once a step, backwards; `epilogue` once for all steps after the loop; `input` is the adjoint of
    x[t] (None when the recurrence does not read x). `saved` is kept from the forward pass, `recomputed` is made again from it.
    """

    arriving: tuple[tuple[str, sp.Symbol], ...]
    leaving: tuple[tuple[str, sp.Expr], ...]
    saved: tuple[sp.Symbol, ...]
    recomputed: tuple[Assignment, ...]
    loop: tuple[AdjointStage, ...]
    epilogue: tuple[AdjointStage, ...]
    gradients: tuple[Gradient, ...]
    input: sp.Expr | None


@dataclass(frozen=True, eq=False)
class Plan:
    """`prologue` depends on x alone and runs once for all steps; `stages` run once a step; `adjoint` is their derivative.

    A recurrence has one plan, so that plans are equal when they are the same object. Engines find what they keep for a plan by it at every
    call, where comparing equations would cost more than a step. `text` are the equations, `source` all of the recurrence, by which another
    process finds the same plan.
    """

    recurrence: Recurrence
    prologue: tuple[Stage, ...]
    stages: tuple[Stage, ...]
    adjoint: Adjoint
    text: str
    source: str
