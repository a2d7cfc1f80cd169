"""From lines and their parts to a recurrence: every size is settled, and all that a text only implies is put in."""

from dataclasses import dataclass, replace
from fractions import Fraction

import sympy as sp

from unrolled.equations.declarations import Size
from unrolled.equations.maps import PLAIN, Along, Fixed, Origin, Part, Spread
from unrolled.equations.names import Names, closest
from unrolled.equations.parts import TIME, Applied, Parts
from unrolled.equations.recurrence import (  # fmt: skip
    INPUT,
    INPUT_MAP,
    RECURRENT_MAP,
    SCALAR,
    VECTOR,
    Area,
    Equation,
    OverUnits,
    Parameter,
    Product,
    Recurrence,
    before,
    now,
)
from unrolled.equations.sizes import Sizes
from unrolled.errors import EquationError

_CALLED = {"sum": "sum", "mean": "mean", "repeat": "rows", "tile": "columns"}
"""How what a text only implies is called in symbols."""


@dataclass(frozen=True)
class Read:
    """The lines of a text as they were read."""

    equations: tuple[Equation, ...]
    states: tuple[str, ...]
    outputs: int


def settle(names: Names, sizes: Sizes, parts: Parts, read: Read) -> Recurrence:
    """The recurrence, with every size known."""
    names.check_all_read()
    return _Settled(names, sizes, parts, read).recurrence()


class _Settled:
    def __init__(self, names: Names, sizes: Sizes, parts: Parts, read: Read) -> None:
        self.names, self.parts, self.read = names, parts, read
        implied = [*parts.taken.values(), *parts.earlier.values()]
        assigned = [*implied, *(e.name for e in read.equations)]
        matrices = [name for name, kind in names.kinds.items() if kind != VECTOR]
        sized = [name if kind == VECTOR else f"{name}:rows" for name, kind in names.kinds.items()]
        given = self._given()
        first = read.states[0]
        default = parts.areas[first][0] if first in parts.areas else first
        loose = [(f"{p.key}:rows", f"{p.key}:columns") for p in parts.products.values() if p.role in ("sum", "mean")]
        loose += [(dimension, default) for dimensions in parts.areas.values() for dimension in dimensions]
        loose += [(name, default) for name in assigned]
        sizes.resolve(loose, ["x", *read.states, *implied, *sized, *given, *parts.areas])
        keys = dict.fromkeys([*names.kinds, *parts.made, *(p.key for p in parts.products.values())])
        nodes = ["x", *(e.name for e in read.equations), *implied, *(key + end for key in keys for end in ("", ":rows", ":columns"))]
        nodes += [node for area, dimensions in parts.areas.items() for node in (area, *dimensions)]
        self.label = sizes.labels([*nodes, *matrices, *given])
        self.given = self._settle_given(given)
        self.spread: dict[str, Parameter] = {}
        self.counters: dict[str, str] = {}
        self.named = {p.symbol: self._name(p) for p in parts.products.values() if p.role in _CALLED}
        self.known: dict[str, Parameter] = {}

    def recurrence(self) -> Recurrence:
        """All of it, put together."""
        products = tuple({p.symbol: p for p in map(self._product, self.parts.products.values())}.values())
        taken = tuple(self._take(name, part) for name, part in self.parts.taken.items())
        lines = [Equation(part, product.symbol, "") for part, product in zip(self.parts.taken.values(), taken, strict=True)]
        for name, state in self.parts.earlier.items():
            lines.append(Equation(state, now(self.parts.taken[name]) if name in self.parts.taken else INPUT, ""))
        lines += [replace(e, expression=self._settled(e.expression, e.name)) for e in self.read.equations]
        counted = [Equation(name, before(name) + 1, "") for name in self.counters.values()]
        direct = {p.matrix for p in products}
        parameters, hidden = self._parameters(direct)
        label = self.label | {name: of for of, name in self.counters.items()}
        areas = {self.label[name]: Area(self.label[of[0]], self.label[of[1]], self.names.heads) for name, of in self.parts.areas.items()}
        equations = (*counted, *lines)
        return Recurrence(
            equations,
            (*self.read.states, *self.parts.earlier.values(), *self.counters.values()),
            parameters,
            (*taken, *products),
            tuple((e.name, label[e.name]) for e in equations),
            hidden,
            tuple(self.given.items()),
            tuple(areas.items()),
            tuple((name, self.label[part]) for name, part in self.parts.taken.items()),
            tuple(self.counters.values()),
            self.read.outputs,
            self.names.given,
        )

    def _given(self) -> dict[str, tuple[Size, str]]:
        """Declared sizes by the name that has them, and those of numbers that stand in the declarations."""
        found: dict[str, tuple[Size, str]] = {}
        assigned = {e.name for e in self.read.equations}
        for name, size in self.names.given.sizes:
            if name in self.parts.areas:
                raise EquationError(f"`size.{name}` is that of a matrix. Give the sizes of the vectors that it is made of.")
            if name in assigned or self.names.kinds.get(name) == VECTOR:
                node = name
            elif name in self.names.kinds:
                node = f"{name}:rows"
            elif name in self.parts.taken:
                node = self.parts.taken[name]
            else:
                known = (*assigned, *self.names.kinds, *self.parts.taken)
                raise EquationError(f"`size.{name}` is of a name that no line has.{closest(name, known)} There are {', '.join(known)}.")
            found[node] = size, f"size.{name}"
        for name, how in self.names.given.fixed:
            if isinstance(how, tuple):
                rows = name if isinstance(how[0], float) else f"{name}:rows"
                found[rows] = Size(Fraction(len(how))), f"fixed.{name}"
                if isinstance(how[0], tuple):
                    found[f"{name}:columns"] = Size(Fraction(len(how[0]))), f"fixed.{name}"
        return found

    def _settle_given(self, given: dict[str, tuple[Size, str]]) -> dict[str, Size]:
        found: dict[str, tuple[Size, str]] = {}
        for node, (size, key) in given.items():
            other, first = found.setdefault(self.label[node], (size, key))
            if other != size:
                raise EquationError(
                    f"`{first}` and `{key}` speak of vectors that must have equally many units, but say {other} and {size}."
                )
        output = self.read.states[0]
        for node in self.parts.taken.values():
            if node in given and output not in self.parts.areas and self.label[node] == self.label[output]:
                size, key = given[node]
                part = key.removeprefix("size.")
                raise EquationError(
                    f"`{key} = {size}` would be the size of `{output}[t]` too, since `{part}[t]` is read unit by unit beside it. "
                    f"Where it is one number for all units, write `sum({part}[t])`; else read it through a matrix, or leave its size out."
                )
        if "x" in found and found["x"][1].startswith("size."):
            raise EquationError(f"`{found['x'][1]}` is the size of the input, which is given when a layer is made. Leave it out.")
        return {label: size for label, (size, _) in found.items()}

    def _settled(self, expression: sp.Expr, node: str) -> sp.Expr:
        """An expression in which numbers that are learnt, and the time, are vectors of its size."""
        label, put = self.label[node], {symbol: self.named[symbol] for symbol in expression.free_symbols & self.named.keys()}
        read = expression.free_symbols
        for symbol in filter(read.__contains__, (TIME, *map(sp.Symbol, self.names.given.scalars))):  # In an order of their own.
            if symbol == TIME:
                name = self.counters.setdefault(label, "t" if not self.counters else f"t:{label}")
                put[symbol] = before(name)
            else:
                name = f"{symbol}:{label}"
                self.spread.setdefault(name, Parameter(name, VECTOR, label, made=Spread(str(symbol))))
                put[symbol] = sp.Symbol(name)
        return expression.xreplace(put)

    def _name(self, applied: Applied) -> sp.Symbol:
        """The symbol of a function over units, or of a vector along a matrix: one for all that read it among as many units."""
        rows, columns = self.label[f"{applied.key}:rows"], self.label[f"{applied.key}:columns"]
        name = f"{_CALLED[applied.role]}({applied.operand})"
        return sp.Symbol(name if rows == columns else f"{name}:{rows}")

    def _product(self, applied: Applied) -> Product:
        rows, columns = self.label[f"{applied.key}:rows"], self.label[f"{applied.key}:columns"]
        operand = self._settled(applied.operand, f"{applied.key}:columns")
        role = applied.role
        if role in ("sum", "mean") and rows == columns:
            return Product(self.named[applied.symbol], OverUnits(f"{role}(·)"), operand)
        if not role:
            return Product(applied.symbol, applied.key, operand)
        matrix = {"sum": "ones", "mean": "average", "cumsum": "lower"}.get(role)
        made = Fixed(matrix, role) if matrix else Along(role, self.names.heads)
        symbol = self.named.get(applied.symbol, applied.symbol)
        return Product(symbol, self._constant(f"{role}:{rows}:{columns}", RECURRENT_MAP, rows, columns, made), operand)

    def _take(self, name: str, part: str) -> Product:
        matrix = self._constant(f"part:{name}", INPUT_MAP, self.label[part], "x", Part(name))
        return Product(sp.Symbol(f"part_{name}({INPUT})"), matrix, INPUT)

    def _constant(self, name: str, kind: str, rows: str, columns: str, made: Origin) -> str:
        self.known.setdefault(name, Parameter(name, kind, rows, columns, made))
        return name

    def _parameters(self, direct: set[str]) -> tuple[tuple[Parameter, ...], tuple[Parameter, ...]]:
        """Those that an engine reads, and those that others are made of alone."""
        fixed = dict(self.names.given.fixed)
        seen: list[Parameter] = []
        hidden = [Parameter(name, SCALAR, "") for name in self.names.given.scalars]
        for name, kind in self.names.kinds.items():
            made = Fixed(fixed[name]) if name in fixed else None
            if kind == VECTOR:
                found = Parameter(name, kind, self.label[name], "", made)
            else:
                found = Parameter(
                    name, kind, self.label[f"{name}:rows"], self.label[f"{name}:columns"], made, self.parts.forms.get(name, PLAIN)
                )
            read = name in direct or name in self.names.bare
            (seen if read and found.form.blocks == 1 else hidden).append(found)
        for key, (tree, kind) in self.parts.made.items():
            seen.append(Parameter(key, kind, self.label[f"{key}:rows"], self.label[f"{key}:columns"], tree))
        return (*seen, *self.known.values(), *self.spread.values()), tuple(hidden)
