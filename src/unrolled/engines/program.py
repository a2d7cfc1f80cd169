"""Pointwise assignments as a flat list of torch operations; equal subexpressions are computed once."""

import operator
from collections.abc import Callable, Collection, Sequence
from functools import wraps
from typing import Any

import sympy as sp
import torch
from torch import Tensor
from torch.nn import functional

from unrolled.compiler import Assignment
from unrolled.engines.reuse import Step, reusing
from unrolled.equations.functions import Pointwise

Value = Tensor | float
Values = dict[sp.Symbol, Any]

TORCH: dict[str, Callable[..., Tensor]] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "softplus": functional.softplus,
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "step": lambda a: (~(a <= 0)).to(a.dtype),
    "sign": torch.sign,
    "floor": torch.floor,
    "modulo": torch.remainder,
    "spike": lambda a: _spike(a),
    "sin": torch.sin,
    "cos": torch.cos,
    "erf": torch.erf,
    "log1p": torch.log1p,
    "expm1": torch.expm1,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "hard_sigmoid": lambda a: (a / 6 + 0.5).clamp(0, 1),
    "elu": lambda a, p: torch.where(a > 0, a, p * torch.expm1(torch.where(a > 0, 0, a))),
    "leaky_relu": lambda a, p: torch.where(a > 0, a, p * torch.where(a > 0, 0, a)),
    "max": torch.maximum,
    "min": torch.minimum,
    "clip": torch.clamp,
    "where": lambda c, a, b: torch.where(c != 0, a, b),
    "greater": lambda a, b: (a > b).to(a.dtype),
    "at_least": lambda a, b: (a >= b).to(a.dtype),
    "equal": lambda a, b: (a == b).to(a.dtype),
    "exceeds": lambda a, b: (1 - (a < b).to(a.dtype)) * (1 - 0.5 * (a == b).to(a.dtype)),
    "power": torch.pow,
    "power_slope": lambda a, p: torch.where(p == 0, 0, p * a ** (p - 1)),
    "power_log": lambda a, p: torch.where((a == 0) & (p >= 0), 0, a**p * a.log()),
}
"""How torch computes each function of the language and of its derivatives."""


class Program:
    """Assignments compiled for repeated running: `run(values)` reads the symbols it needs from `values` and adds those it assigns.

    Of the symbols that it reads or assigns, nobody else reads those in `own`.
    """

    def __init__(self, assignments: Sequence[Assignment], own: Collection[sp.Symbol] = ()) -> None:
        self._code: list[Step] = []
        self._constants: list[tuple[int, float]] = []
        self._reads: list[tuple[int, sp.Symbol]] = []
        self._writes: list[tuple[int, sp.Symbol]] = []
        self._slots: dict[sp.Basic, int] = {}
        self._size = 0
        self.assigned = [a.symbol for a in assignments]
        for assignment in assignments:
            slot = self._place(assignment.expression)
            self._slots[assignment.symbol] = slot
            self._writes.append((slot, assignment.symbol))
        self._asked = [(slot, symbol) for slot, symbol in self._writes if symbol not in own]
        self._reusing = reusing(self._code, {slot for slot, symbol in self._reads if symbol in own}, {slot for slot, _ in self._asked})

    def run(self, values: Values, *, reuse: bool = False) -> None:
        """Compute all assignments; with `reuse` in as little memory as possible, of which no gradient can be taken, and without giving its own."""
        slots: list[Any] = [None] * self._size
        for slot, constant in self._constants:
            slots[slot] = constant
        for slot, symbol in self._reads:
            slots[slot] = values[symbol]
        for function, target, sources in self._reusing if reuse else self._code:
            slots[target] = function(*[slots[s] for s in sources])
        for slot, symbol in self._asked if reuse else self._writes:
            values[symbol] = slots[slot]

    def _place(self, expression: sp.Expr) -> int:
        if expression not in self._slots:
            self._slots[expression] = self._compile(expression)
        return self._slots[expression]

    def _new(self) -> int:
        self._size += 1
        return self._size - 1

    def _emit(self, function: Callable[..., Any], *sources: int) -> int:
        target = self._new()
        self._code.append((function, target, sources))
        return target

    def _compile(self, expression: sp.Expr) -> int:
        if expression.is_Symbol:
            slot = self._new()
            self._reads.append((slot, expression))
            return slot
        if expression.is_number and not expression.has(Pointwise):
            slot = self._new()
            self._constants.append((slot, float(expression)))
            return slot
        if isinstance(expression, sp.Add):
            return self._sum(expression)
        if isinstance(expression, sp.Mul):
            return self._quotient(expression)
        if isinstance(expression, sp.Pow):
            return self._emit(operator.pow, self._place(expression.base), self._place(expression.exp))
        assert isinstance(expression, Pointwise)
        return self._emit(_on_tensors(TORCH[type(expression).__name__]), *(self._place(a) for a in expression.args))

    def _sum(self, total: sp.Add) -> int:
        plus = [a for a in total.args if not _negative(a)]
        minus = [-a for a in total.args if _negative(a)]
        if not plus:
            return self._emit(operator.neg, self._place(-total))
        slot = self._fold(operator.add, plus)
        for term in minus:
            slot = self._emit(operator.sub, slot, self._place(term))
        return slot

    def _quotient(self, product: sp.Mul) -> int:
        if _negative(product):
            return self._emit(operator.neg, self._place(-product))
        above, below = sp.fraction(product, exact=True)
        if below == 1:
            return self._fold(operator.mul, list(product.args))
        return self._emit(operator.truediv, self._place(above), self._place(below))

    def _fold(self, function: Callable[..., Any], terms: list[sp.Expr]) -> int:
        slot = self._place(terms[0])
        for term in terms[1:]:
            slot = self._emit(function, slot, self._place(term))
        return slot


def _spike(a: Tensor) -> Tensor:
    """A step, to whose derivative only what is added and taken off again contributes."""
    nothing = (a - a.detach()) * (1 + a.abs()).pow(-2).detach()
    return (a > 0).to(a.dtype) + torch.where(a.isinf(), 0, nothing)


def _negative(term: sp.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)


def _on_tensors(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The function of plain numbers too, which a text may write as an argument."""

    @wraps(function)
    def call(*arguments: Value) -> Tensor:
        if all(isinstance(a, Tensor) for a in arguments):
            return function(*arguments)
        like = next((a for a in arguments if isinstance(a, Tensor)), torch.zeros((), dtype=torch.float64))
        return function(*(a if isinstance(a, Tensor) else torch.tensor(a, dtype=like.dtype, device=like.device) for a in arguments))

    return call
