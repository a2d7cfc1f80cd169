"""Signs and comparisons of the language as arithmetic, and the numbers that it stays within."""

import ast
import operator
from collections.abc import Callable

import sympy as sp

from unrolled.equations.functions import at_least, equal, greater, modulo, power


def _power(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """A number in front of the base is raised by itself, in floating point: exact powers of powers would outgrow time and memory."""
    if base.is_Rational and exponent.is_Rational:
        return _raised(base, exponent)
    if not exponent.is_Integer:
        return power(base, exponent)
    number, rest = base.as_coeff_Mul()
    return _raised(number, exponent) * rest**exponent


def _raised(number: sp.Rational, exponent: sp.Rational) -> sp.Rational:
    return sp.Rational(repr(float(number) ** float(exponent)))


ARITHMETIC: dict[type[ast.operator], Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: modulo,
    ast.Pow: _power,
}
"""What signs between two values make of them."""

COMPARISONS: dict[type[ast.cmpop], Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    ast.Gt: greater,
    ast.GtE: at_least,
    ast.Lt: lambda a, b: greater(b, a),
    ast.LtE: lambda a, b: at_least(b, a),
    ast.Eq: equal,
    ast.NotEq: lambda a, b: 1 - equal(a, b),
}
"""What comparisons of two values are: 1 where they hold, else 0."""


def in_range(value: sp.Expr) -> sp.Expr:
    """The value, with fractions of very many digits rounded to floating point; ArithmeticError where a number is infinite or not real."""
    if value.has(sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I):
        raise ArithmeticError
    long = [n for n in value.atoms(sp.Rational) if max(n.p.bit_length(), n.q.bit_length()) > 1000]
    return value.xreplace({n: sp.Rational(repr(float(n))) for n in long})


def has_value(function: str, argument: sp.Expr) -> bool:
    """Whether a function has a finite real value there; of what is no plain number nothing is known."""
    least = {"log": 0, "log1p": -1, "sqrt": 0}.get(function)
    return least is None or not argument.is_Rational or bool(argument > least) or (function == "sqrt" and argument == 0)
