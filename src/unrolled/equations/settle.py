"""What a text is made of beside its lines: maps, products, matrices as states, earlier inputs, the time; and the recurrence that all of it gives."""

import ast
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy as sp

from unrolled.equations.declarations import SQUARE, Size
from unrolled.equations.maps import Made
from unrolled.equations.names import RESERVED, Names, closest, short
from unrolled.equations.recurrence import (
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
)  # fmt: skip
from unrolled.equations.sizes import Sizes
from unrolled.errors import EquationError

TIME = sp.Symbol("t")
"""The steps taken before this one."""

_PLAIN = "On the left of `@` stands a matrix: its name, or `R.T`, `A - A.T`, `blocks(R, 4)`."
_FORMS = f"{_PLAIN} Use parentheses for the rest: `-(R @ h[t-1])`, `a[t] * (R @ h[t-1])`."

Tree = Made | str | float


@dataclass(frozen=True)
class Applied:
    """A product before sizes are known: `key` is the name of its map, whose sizes are those of `key:rows` and `key:columns`."""

    symbol: sp.Symbol
    key: str
    operand: sp.Expr
    role: str = ""
    """Of a map that is known: what it does, a function over units or of a matrix."""


@dataclass(frozen=True)
class Read:
    """The lines of a text as they were read."""

    equations: tuple[Equation, ...]
    states: tuple[str, ...]
    outputs: int


class Parts:
    """Maps, products and matrices, collected while lines are read."""

    def __init__(self, names: Names, sizes: Sizes) -> None:
        self.names, self.source, self.sizes = names, names.source, sizes
        self.products: dict[sp.Symbol, Applied] = {}
        self.made: dict[str, tuple[Made, str]] = {}
        self.blocks: dict[str, int] = {}
        self.areas: dict[str, tuple[str, str]] = {name: (f"{name}:rows", f"{name}:columns") for name in names.areas}
        self.constants: dict[sp.Symbol, sp.Expr] = {}
        self.counts = False
        self._uses: dict[str, int] = {}
        self.earlier: dict[str, str] = {}
        self.taken = {name: self._free(f"{name}_part") for name in names.given.inputs}
        self.inputs = {INPUT} if not self.taken else {now(part) for part in self.taken.values()}

    def _free(self, name: str) -> str:
        while name in self.names.assigned_on:
            name += "_"
        return name

    def input(self, name: str, *, earlier: bool, note: dict[str, ast.AST], node: ast.AST) -> tuple[sp.Expr, str]:
        """The input, or a part of it, at this step or the one before."""
        self.names.read.add(name)
        size = self.taken.get(name, "x")
        if not earlier:
            return (now(size) if name in self.taken else INPUT), size
        state = self.earlier.setdefault(name, self._free(f"{name}_before"))
        note.setdefault(state, node)
        self.sizes.join(state, size)
        return before(state), state

    def is_area(self, size: str) -> bool:
        """Whether it is the size of a matrix."""
        return size in self.areas

    def join_areas(self, left: str, right: str) -> str:
        """Record that two matrices are of one size."""
        for ours, theirs in zip(self.areas[left], self.areas[right], strict=True):
            self.sizes.join(ours, theirs)
        self.sizes.join(left, right)
        return left

    def map(self, node: ast.expr, kind: str) -> str:
        """The key of what stands on the left of an `@`."""
        tree, rows, columns = self._tree(node, kind, top=True)
        if not columns:
            raise self.source.error(_FORMS, node)
        if isinstance(tree, str):
            return tree
        assert isinstance(tree, Made)
        key = self.source.segment(node)
        self.made.setdefault(key, (tree, kind))
        self.sizes.join(f"{key}:rows", rows)
        self.sizes.join(f"{key}:columns", columns)
        return key

    def _tree(self, node: ast.expr, kind: str, *, top: bool = False) -> tuple[Tree, str, str]:
        """How a map is made, and the names that have its sizes: none for a number, one for a vector, which scales rows."""
        match node:
            case ast.Name():
                return self._named(node, kind, top=top)
            case ast.Constant(value=int() | float() as number) if not top:
                return float(number), "", ""
            case ast.Attribute(attr="T"):
                tree, rows, columns = self._tree(node.value, kind)
                if not columns:
                    raise self.source.error("Only a matrix can be transposed.", node)
                return Made("transpose", (tree,)), columns, rows
            case ast.Call(func=ast.Name(id="blocks")):
                return self._blocks(node, kind)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()) if not top:
                tree, rows, columns = self._tree(node.operand, kind)
                return (Made("minus", (0.0, tree)) if isinstance(node.op, ast.USub) else tree), rows, columns
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()) if not self._is_scaled(node, top=top):
                return self._two(node, kind)
        raise self.source.error(_FORMS, node)

    def _is_scaled(self, node: ast.BinOp, *, top: bool) -> bool:
        """Whether a text such as `a[t] * R @ h[t-1]` is met, which Python reads as `(a[t] * R) @ h[t-1]`."""
        return top and any(isinstance(part, ast.Subscript) for part in ast.walk(node))

    def _named(self, node: ast.Name, kind: str, *, top: bool) -> tuple[Tree, str, str]:
        name, names = node.id, self.names
        if (number := names.constant(name)) is not None and not top:
            return number, "", ""
        key = names.declared.get(name)
        if key == "scalar" and not top:
            names.read.add(name)
            return name, "", ""
        if name in names.assigned_on or key in ("constant", "scalar", "inputs") or name in RESERVED:
            raise self.source.error(f"`{name}` is not a matrix. On the left of `@` stands the name of a parameter.", node)
        how = dict(names.given.fixed).get(name)
        if (isinstance(how, tuple) and isinstance(how[0], float)) or names.kinds.get(name) == VECTOR:
            if top:
                raise self.source.error(f"`{name}` is used both as a matrix and as a vector. Give one of them another name.", node)
            names.use(name, VECTOR, node)
            return name, name, ""
        names.check_parameter(name, node)
        names.use(name, kind, node)
        if isinstance(how, str) and how.partition("(")[0] in SQUARE:
            self.sizes.join(f"{name}:rows", f"{name}:columns")
        return name, f"{name}:rows", f"{name}:columns"

    def _blocks(self, node: ast.Call, kind: str) -> tuple[Tree, str, str]:
        count = node.args[1] if len(node.args) == 2 and isinstance(node.args[0], ast.Name) else None
        number = self.names.constant(count.id) if isinstance(count, ast.Name) else getattr(count, "value", None)
        if count is None or isinstance(number, bool) or not isinstance(number, (int, float)) or number != int(number) or number < 1:
            raise self.source.error("`blocks` takes the name of a matrix and a number of blocks, as in `blocks(R, 4) @ h[t-1]`.", node)
        assert isinstance(node.args[0], ast.Name)
        tree, rows, columns = self._named(node.args[0], kind, top=True)
        assert isinstance(tree, str)
        if self.names.declared.get(tree) == "fixed":
            raise self.source.error(
                f"`{tree}` is fixed, and has no blocks. Fix it as 'blocks({int(number)})', or give its rows.", node.args[0]
            )
        if self.blocks.setdefault(tree, int(number)) != number:
            raise self.source.error(f"`{tree}` is read in {self.blocks[tree]} blocks elsewhere. Give one of them another name.", node)
        return Made("blocks", (tree,)), rows, columns

    def _two(self, node: ast.BinOp, kind: str) -> tuple[Tree, str, str]:
        left, rows, columns = self._tree(node.left, kind)
        right, rows_too, columns_too = self._tree(node.right, kind)
        if isinstance(node.op, ast.Div) and (rows_too or not isinstance(right, (float, str))):
            raise self.source.error("A matrix can be divided by a number only.", node.right)
        if isinstance(node.op, ast.Mult) and columns and columns_too and not self._has_fixed(node):
            told = f"`{short(ast.unparse(node))}` would be two matrices, entry by entry, of which one must be fixed"
            raise self.source.error(f"{told}. Use parentheses to scale what comes out, `a * (R @ h[t-1])`.", node)
        if isinstance(node.op, ast.Add | ast.Sub) and bool(columns) != bool(columns_too):
            raise self.source.error(
                'Matrices are added to matrices: a number becomes one beside an identity, `fixed.I = "identity"`, as in `g * I`.', node
            )
        self.sizes.join(rows, rows_too)
        self.sizes.join(columns, columns_too)
        function = {ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "over"}[type(node.op)]
        return Made(function, (left, right)), rows or rows_too, columns or columns_too

    def _has_fixed(self, node: ast.AST) -> bool:
        return any(isinstance(part, ast.Name) and self.names.declared.get(part.id) == "fixed" for part in ast.walk(node))

    def _apply(self, symbol: sp.Symbol, key: str, operand: sp.Expr, size: str, role: str = "") -> tuple[sp.Expr, str]:
        self.sizes.join(f"{key}:columns", size)
        self.products.setdefault(symbol, Applied(symbol, key, operand, role))
        return symbol, f"{key}:rows"

    def product(self, matrix: str, operand: sp.Expr, size: str) -> tuple[sp.Expr, str]:
        """A map, by its key, applied to a value."""
        told = matrix if matrix.isidentifier() or matrix.endswith((".T", ")")) else f"({matrix})"
        symbol = sp.Symbol(f"{told} @ {operand}" if operand.is_Symbol else f"{told} @ ({operand})")
        return self._apply(symbol, matrix, operand, size)

    def over_units(self, function: str, operand: sp.Expr, size: str) -> tuple[sp.Expr, str]:
        """A sum, a mean or running sums over units; the first two may be read where there are other units, and each time among others."""
        name = key = f"{function}({operand})"
        if function == "cumsum":
            self.sizes.join(f"{key}:rows", f"{key}:columns")
        else:
            self._uses[name] = self._uses.get(name, 0) + 1
            key = f"{name}#{self._uses[name]}"
        return self._apply(sp.Symbol(key), key, operand, size, function)

    def along_rows(self, value: sp.Expr, size: str, area: str) -> sp.Expr:
        """A vector that stands for all columns of its row in a matrix."""
        return self._along("repeat", value, size, area)

    def _along(self, role: str, value: sp.Expr, size: str, area: str) -> sp.Expr:
        rows, columns = self.areas[area]
        if not value.xreplace(self.constants).free_symbols:
            return value  # a number is the same everywhere
        self.sizes.join(size, rows if role == "repeat" else columns)
        key = f"{role} {area}"
        self.sizes.join(f"{key}:rows", area)
        told = "rows" if role == "repeat" else "columns"
        return self._apply(sp.Symbol(f"{told}({value}, {area})"), key, value, size, role)[0]

    def outer(self, left: tuple[sp.Expr, str], right: tuple[sp.Expr, str]) -> tuple[sp.Expr, str]:
        """The outer product of two vectors, one of which may be a number."""
        area = f"outer({left[0]}, {right[0]})"
        self.areas.setdefault(area, (f"{area}:rows", f"{area}:columns"))
        down = self._along("repeat", *left, area) if left[1] else left[0]
        along = self._along("tile", *right, area) if right[1] else right[0]
        return down * along, area

    def area_product(self, area: sp.Expr, size: str, vector: sp.Expr, of: str, *, transposed: bool) -> tuple[sp.Expr, str]:
        """A matrix times a vector: what the vector's entries scale, added up."""
        scaled = area * self._along("repeat" if transposed else "tile", vector, of, size)
        role = "add_rows" if transposed else "add_columns"
        key = f"{role} {size}"
        self.sizes.join(f"{key}:rows", self.areas[size][1 if transposed else 0])
        told = short(f"{area}{'ᵀ' if transposed else ''} @ {vector}") if area.is_Symbol else f"{role}({scaled})"
        return self._apply(sp.Symbol(told), key, scaled, size, role)


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
        self.named = {p.symbol: self._name(p) for p in parts.products.values() if p.role in ("sum", "mean")}
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
                self.spread.setdefault(name, Parameter(name, VECTOR, label, made=Made("spread", (str(symbol),))))
                put[symbol] = sp.Symbol(name)
        return expression.xreplace(put)

    def _name(self, applied: Applied) -> sp.Symbol:
        """The symbol of a sum or mean over units, one for all that read it among as many units."""
        rows, columns = self.label[f"{applied.key}:rows"], self.label[f"{applied.key}:columns"]
        name = applied.key.partition("#")[0]
        return sp.Symbol(name if rows == columns else f"{name}:{rows}")

    def _product(self, applied: Applied) -> Product:
        rows, columns = self.label[f"{applied.key}:rows"], self.label[f"{applied.key}:columns"]
        operand = self._settled(applied.operand, f"{applied.key}:columns")
        role = applied.role
        if role in ("sum", "mean") and rows == columns:
            return Product(self.named[applied.symbol], OverUnits(f"{role}(·)"), operand)
        if not role:
            return Product(applied.symbol, applied.key, operand)
        made = {
            "sum": Made("fixed", ("ones",)),
            "mean": Made("fixed", ("average",)),
            "cumsum": Made("fixed", ("lower",)),
        }.get(role) or Made("along", (role, float(self.names.heads)))
        told = {"sum": "ones", "mean": "average", "cumsum": "lower"}.get(role, role)
        symbol = self.named.get(applied.symbol, applied.symbol)
        return Product(symbol, self._constant(f"{told}:{rows}:{columns}", RECURRENT_MAP, rows, columns, made), operand)

    def _take(self, name: str, part: str) -> Product:
        matrix = self._constant(f"take:{name}", INPUT_MAP, self.label[part], "x", Made("take", (name,)))
        return Product(sp.Symbol(f"{matrix} @ {INPUT}"), matrix, INPUT)

    def _constant(self, name: str, kind: str, rows: str, columns: str, made: Made) -> str:
        self.known.setdefault(name, Parameter(name, kind, rows, columns, made))
        return name

    def _parameters(self, direct: set[str]) -> tuple[tuple[Parameter, ...], tuple[Parameter, ...]]:
        """Those that an engine reads, and those that others are made of alone."""
        fixed = dict(self.names.given.fixed)
        seen: list[Parameter] = []
        hidden = [Parameter(name, SCALAR, "") for name in self.names.given.scalars]
        for name, kind in self.names.kinds.items():
            made = Made("fixed", (fixed[name],)) if name in fixed else None
            if kind == VECTOR:
                found = Parameter(name, kind, self.label[name], "", made)
            else:
                found = Parameter(
                    name, kind, self.label[f"{name}:rows"], self.label[f"{name}:columns"], made, self.parts.blocks.get(name, 1)
                )
            read = name in direct or name in self.names.bare
            (seen if read and found.blocks == 1 else hidden).append(found)
        for key, (tree, kind) in self.parts.made.items():
            seen.append(Parameter(key, kind, self.label[f"{key}:rows"], self.label[f"{key}:columns"], tree))
        return (*seen, *self.known.values(), *self.spread.values()), tuple(hidden)
