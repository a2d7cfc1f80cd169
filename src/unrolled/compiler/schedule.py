"""From equations to stages: name what is computed, move out of the loop what depends on the input alone, group the rest by what it waits for."""

import re

import sympy as sp

from unrolled.compiler.plan import Assignment, Stage
from unrolled.equations import Product, Recurrence
from unrolled.equations.functions import OverUnits as Whole
from unrolled.equations.functions import Pointwise, exp, norm, rms_norm, sqrt
from unrolled.equations.recurrence import INPUT, OverUnits, before, now


class _Flattened:
    """The equations as short assignments: every function value, product operand and input-only sum has a name, and functions of all units are taken apart.

    Names make values that the derivative needs again addressable (`tanh' = 1 - tanh**2`), and let sums such as `W @ x[t] + b` leave the
    loop. `early` holds the symbols that depend on x alone, `waiting` those that the loop computes: what depends on a state, and what
    depends on nothing but parameters.
    """

    def __init__(self, recurrence: Recurrence) -> None:
        self.assignments: list[Assignment] = []
        self.products: dict[sp.Symbol, Product] = {}
        self.waiting: set[sp.Symbol] = {before(s) for s in recurrence.states}
        self.early: set[sp.Symbol] = {INPUT}
        self._source = {p.symbol: p for p in recurrence.products}
        self._taken = {e.name for e in recurrence.equations} | {p.name for p in recurrence.parameters}
        self._named: dict[sp.Expr, sp.Symbol] = {}
        self._recurrence = recurrence
        for equation in recurrence.equations:
            self._assign(now(equation.name), self._shorten(equation.expression, equation.name, whole=True))

    def is_early(self, expression: sp.Expr) -> bool:
        """Whether an expression of short names depends on x and on nothing that the loop computes."""
        symbols = expression.free_symbols
        return bool(symbols & self.early) and not symbols & self.waiting

    def _assign(self, symbol: sp.Symbol, expression: sp.Expr) -> None:
        self._place(symbol, expression)
        self.assignments.append(Assignment(symbol, expression))

    def _place(self, symbol: sp.Symbol, expression: sp.Expr) -> None:
        (self.early if self.is_early(expression) else self.waiting).add(symbol)

    def _name(self, expression: sp.Expr, hint: str) -> sp.Symbol:
        """The symbol of a helper value, the same one for the same expression."""
        if expression in self._named:
            return self._named[expression]
        name, count = hint, 2
        while name in self._taken:
            name, count = f"{hint}{count}", count + 1
        self._taken.add(name)
        self._named[expression] = now(name)
        self._assign(now(name), expression)
        return now(name)

    def _shorten(self, expression: sp.Expr, hint: str, *, whole: bool = False) -> sp.Expr:
        """The expression over short names; `whole` means that the result gets a name from its line anyway."""
        if expression in self._source:
            return self._product(self._source[expression])
        if not expression.args:
            return expression
        if isinstance(expression, Whole):
            return self._over_units(expression, hint, whole=whole)
        inner = hint if whole else f"{hint}_in"
        short = expression.func(*(self._shorten(a, inner) for a in expression.args))
        if isinstance(short, sp.Add):
            short = self._split(short, hint)
        if isinstance(short, Pointwise) and not whole:
            return self._name(short, f"{type(short).__name__}_{self._label(short.args[0], hint)}")
        return short

    def _label(self, value: sp.Expr, hint: str) -> str:
        """What a value is called in the names of those made of it."""
        if value in self.products:
            return self._called(self.products[value].matrix)
        return value.name.removesuffix("[t]") if value.is_Symbol and value.name.endswith("[t]") else hint

    def _called(self, matrix: str) -> str:
        """What a map is called in names; one that is made of others after these."""
        return "_".join(re.findall(r"\w+", self._recurrence.written(matrix)))

    def _over_units(self, function: Whole, hint: str, *, whole: bool) -> sp.Expr:
        """`norm`, `rms_norm` or `softmax`: one number of all units after the other, each of which waits for all of them as a product does."""
        argument, *rest = function.args
        if not argument.free_symbols and isinstance(function, norm):
            return sp.Integer(0)
        operand = self._operand(argument, hint, f"{hint.removesuffix('_in')}_in")
        label, name = self._label(operand, hint), type(function).__name__
        if isinstance(function, norm):
            centred = self._name(operand - self._of_all(OverUnits.MEAN, operand), f"centred_{label}")
            deviation = self._name(
                sqrt(self._of_all(OverUnits.MEAN, self._name(centred**2, f"square_{label}")) + rest[0]), f"deviation_{label}"
            )
            value = centred / deviation
        elif isinstance(function, rms_norm):
            size = self._of_all(OverUnits.MEAN, self._name(operand**2, f"square_{label}"))
            value = operand / self._name(sqrt(size + rest[0]), f"size_{label}")
        else:
            raised = self._name(exp(operand - self._of_all(OverUnits.LARGEST, operand)), f"exp_{label}")
            value = raised / self._of_all(OverUnits.SUM, raised)
        return value if whole else self._name(value, f"{name}_{label}")

    def _of_all(self, function: OverUnits, operand: sp.Symbol) -> sp.Symbol:
        return self._place_product(Product(sp.Symbol(f"{function.function}({operand})"), function, operand))

    def _split(self, total: sp.Add, hint: str) -> sp.Expr:
        """A sum with its input-only part under a name of its own, so that it is computed for all steps at once."""
        early = [a for a in total.args if not a.free_symbols & self.waiting]
        if len(early) < 2 or len(early) == len(total.args) or not any(self.is_early(a) for a in early):
            return total
        return sp.Add(self._name(sp.Add(*early), f"{hint}_x"), *(a for a in total.args if a not in early))

    def _product(self, product: Product) -> sp.Symbol:
        name = self._called(product.matrix)
        operand = self._operand(product.operand, name, f"{name}_operand")
        return self._place_product(Product(product.symbol, product.matrix, operand))

    def _operand(self, expression: sp.Expr, hint: str, name: str) -> sp.Symbol:
        """What a product reads, under a name."""
        short = self._shorten(expression, hint)
        return short if short.is_Symbol else self._name(short, name)

    def _place_product(self, product: Product) -> sp.Symbol:
        self.products[product.symbol] = product
        self._place(product.symbol, product.operand)
        return product.symbol


def stages(recurrence: Recurrence) -> tuple[tuple[Stage, ...], tuple[Stage, ...]]:
    """The prologue, for all steps at once, and the stages of the loop."""
    flat = _Flattened(recurrence)
    early = {a.symbol: a for a in flat.assignments if flat.is_early(a.expression)}
    late = {a.symbol: a for a in flat.assignments if a.symbol not in early}
    early_products = {s: p for s, p in flat.products.items() if flat.is_early(p.operand)}
    late_products = {s: p for s, p in flat.products.items() if s not in early_products}
    return _levels(early, early_products), _levels(late, late_products)


def _levels(assignments: dict[sp.Symbol, Assignment], products: dict[sp.Symbol, Product]) -> tuple[Stage, ...]:
    """Group by the number of products that a value waits for, one after the other."""
    level: dict[sp.Symbol, int] = {}

    def of(symbol: sp.Symbol) -> int:
        if symbol not in level:
            if symbol in products:
                level[symbol] = of(products[symbol].operand) + 1
            elif symbol in assignments:
                level[symbol] = max((of(s) for s in assignments[symbol].expression.free_symbols), default=0)
            else:
                level[symbol] = 0
        return level[symbol]

    here: dict[int, tuple[list[Product], list[Assignment]]] = {}
    for symbol, product in products.items():
        here.setdefault(of(symbol), ([], []))[0].append(product)
    for symbol, assignment in assignments.items():
        here.setdefault(of(symbol), ([], []))[1].append(assignment)
    return tuple(Stage(tuple(here[n][0]), tuple(here[n][1])) for n in sorted(here))
