"""Whether a recurrence is linear in its states."""

import sympy as sp

from unrolled.equations.functions import Function, slope_of
from unrolled.equations.recurrence import Recurrence, before, now


def linear_in_states(recurrence: Recurrence) -> str:
    """`"unit by unit"` or `"through maps"` where every state that is read at the next step is a linear function of those before it, with
    factors that may depend on the input; empty where one is not. Such a recurrence can be computed for many steps at once.
    """
    carried = {before(s) for s in recurrence.states if s not in recurrence.counters}
    products = {p.symbol: p.operand for p in recurrence.products}
    depends: dict[sp.Symbol, bool] = dict.fromkeys(carried, True)
    linear: dict[sp.Symbol, bool] = dict.fromkeys(carried, True)
    mixed: dict[sp.Symbol, bool] = dict.fromkeys(carried, False)

    def look(symbol: sp.Symbol) -> None:
        """Find out about a symbol; about those that it is made of first."""
        if symbol not in products or symbol in depends:
            return
        operand = products[symbol]
        note(symbol, operand)
        mixed[symbol] = depends[symbol]

    def note(symbol: sp.Symbol, expression: sp.Expr) -> None:
        for leaf in expression.free_symbols:
            look(leaf)
        moving = {leaf for leaf in expression.free_symbols if depends.get(leaf)}
        depends[symbol] = bool(moving)
        mixed[symbol] = any(mixed[leaf] for leaf in moving)
        linear[symbol] = all(linear[leaf] for leaf in moving) and _is_affine(expression, moving)

    for equation in recurrence.equations:
        note(now(equation.name), equation.expression)
    read = set().union(*(e.expression.free_symbols for e in recurrence.equations), *(o.free_symbols for o in products.values()))
    states = [s for s in recurrence.states if before(s) in read & carried]
    if not all(linear[now(s)] for s in states):
        return ""
    return "through maps" if any(mixed[now(s)] for s in states) else "unit by unit"


def _is_affine(expression: sp.Expr, moving: set[sp.Symbol]) -> bool:
    inside = (*expression.atoms(Function), *expression.atoms(sp.Pow))
    if any(part.free_symbols & moving for part in inside):
        return False
    return not any(slope_of(expression, leaf).free_symbols & moving for leaf in moving)
