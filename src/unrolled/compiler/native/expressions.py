"""SymPy expressions as C, on vectors."""

from collections.abc import Callable

import sympy as sp

from unrolled.equations.functions import Pointwise


def to_c(expression: sp.Expr, name: Callable[[sp.Symbol], str]) -> str:
    """The expression over vectors; `name` gives each symbol's identifier."""
    if expression.is_number and not expression.has(Pointwise):
        return f"splat({_number(expression)})"
    return _text(expression, name, 0)


_SUM, _PRODUCT, _ATOM = 1, 2, 3


def _text(expression: sp.Expr, name: Callable[[sp.Symbol], str], around: int) -> str:
    text, strength = _parts(expression, name)
    return f"({text})" if strength < around else text


def _parts(expression: sp.Expr, name: Callable[[sp.Symbol], str]) -> tuple[str, int]:
    """The text and how strongly it holds together."""
    if expression.is_Symbol:
        return name(expression), _ATOM
    if expression.is_number and not expression.has(Pointwise):
        return f"(real){_number(expression)}", _ATOM
    if isinstance(expression, sp.Add):
        return _sum(expression, name), _SUM
    if isinstance(expression, sp.Mul):
        return _product(expression, name)
    if isinstance(expression, sp.Pow):
        return _power(expression, name)
    assert isinstance(expression, Pointwise)
    arguments = ", ".join(to_c(a, name) for a in expression.args)
    return f"v_{type(expression).__name__}({arguments})", _ATOM


def _sum(total: sp.Add, name: Callable[[sp.Symbol], str]) -> str:
    plus = [a for a in total.args if not _negative(a)]
    minus = [-a for a in total.args if _negative(a)]
    text = " + ".join(_text(a, name, _SUM) for a in plus)
    for term in minus:
        text = f"{text} - {_text(term, name, _PRODUCT)}" if text else f"-{_text(term, name, _PRODUCT)}"
    return text


def _product(product: sp.Mul, name: Callable[[sp.Symbol], str]) -> tuple[str, int]:
    if _negative(product):
        return f"-{_text(-product, name, _PRODUCT)}", _PRODUCT
    above, below = sp.fraction(product, exact=True)
    if below == 1:
        return " * ".join(_text(a, name, _PRODUCT) for a in product.args), _PRODUCT
    top = f"splat({_number(above)})" if above.is_number and not above.has(Pointwise) else _text(above, name, _PRODUCT)
    return f"{top} / {_text(below, name, _ATOM)}", _PRODUCT


def _power(power: sp.Pow, name: Callable[[sp.Symbol], str]) -> tuple[str, int]:
    base, exponent = power.args
    assert exponent.is_Integer, "powers that are not whole are functions of the language"
    if exponent < 0:
        return f"splat(1) / {_text(base**-exponent, name, _ATOM)}", _PRODUCT
    if exponent == 2 and base.is_Symbol:
        return f"{name(base)} * {name(base)}", _PRODUCT
    return f"whole_power({_text(base, name, 0)}, {exponent})", _ATOM


def _number(number: sp.Expr) -> str:
    value = float(number)
    return repr(value) if value >= 0 else f"({value!r})"


def _negative(term: sp.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)
