"""What lines are made of beside names and numbers: maps, products, matrices as states, parts of the input."""

import ast
from dataclasses import dataclass

import sympy as sp

from unrolled.equations.declarations import SQUARE
from unrolled.equations.maps import PLAIN, Form, Made, in_front
from unrolled.equations.names import RESERVED, Names, short
from unrolled.equations.recurrence import INPUT, VECTOR, before, now
from unrolled.equations.sizes import Sizes

TIME = sp.Symbol("t")
"""The steps taken before this one."""

_PLAIN = "On the left of `@` stands a matrix: its name, or `R.T`, `A - A.T`, `blocks(R, 4)`, `conv(R, 3)`."
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


class Parts:
    """Maps, products and matrices, collected while lines are read."""

    def __init__(self, names: Names, sizes: Sizes) -> None:
        self.names, self.source, self.sizes = names, names.source, sizes
        self.products: dict[sp.Symbol, Applied] = {}
        self.made: dict[str, tuple[Made, str]] = {}
        self.forms: dict[str, Form] = {}
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
            case ast.Call(func=ast.Name(id="conv")):
                return self._convolution(node, kind)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()) if not top:
                tree, rows, columns = self._tree(node.operand, kind)
                return (Made("minus", (0.0, tree)) if isinstance(node.op, ast.USub) else tree), rows, columns
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()) if not self._is_scaled(node, top=top):
                return self._two(node, kind)
        raise self.source.error(_FORMS, node)

    def _is_scaled(self, node: ast.BinOp, *, top: bool) -> bool:
        """Whether a text such as `a[t] * R @ h[t-1]` is met, which Python reads as `(a[t] * R) @ h[t-1]`."""
        return top and any(isinstance(part, ast.Subscript) for part in ast.walk(node))

    def _named(self, node: ast.Name, kind: str, *, top: bool, form: Form = PLAIN) -> tuple[Tree, str, str]:
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
        if (seen := self.forms.setdefault(name, form)) != form:
            raise self.source.error(f"`{name}` is read as `{seen.written(name)}` elsewhere. Give one of them another name.", node)
        if isinstance(how, str) and how.partition("(")[0] in SQUARE:
            self.sizes.join(f"{name}:rows", f"{name}:columns")
        return name, f"{name}:rows", f"{name}:columns"

    def _blocks(self, node: ast.Call, kind: str, kernel: int = 0) -> tuple[Tree, str, str]:
        count = self.names.count(node.args[1]) if len(node.args) == 2 else None
        if count is None or not isinstance(node.args[0], ast.Name):
            raise self.source.error("`blocks` takes the name of a matrix and a number of blocks, as in `blocks(R, 4) @ h[t-1]`.", node)
        self._refuse_fixed(node.args[0], f"blocks. Fix it as 'blocks({count})', or give its rows")
        name, rows, columns = self._named(node.args[0], kind, top=True, form=Form(count, kernel))
        return (Made("blocks", (name,)) if count > 1 else name), rows, columns

    def _convolution(self, node: ast.Call, kind: str) -> tuple[Tree, str, str]:
        """A matrix whose kernel the text gives; blocks of it are groups of channels."""
        kernel = self.names.count(node.args[1]) if len(node.args) == 2 else None
        if kernel is None or kernel % 2 == 0 or node.keywords:
            told = "the name of a matrix and the size of its kernel, an odd number, so that each place has its neighbours on both sides"
            raise self.source.error(f"`conv` takes {told}: `conv(W, 3) @ x[t]`.", node)
        match node.args[0]:
            case ast.Name() as name:
                self._refuse_fixed(name, "kernel: a plain `@` applies it to every place by itself")
                return self._named(name, kind, top=True, form=Form(kernel=kernel))
            case ast.Call(func=ast.Name(id="blocks")) as blocks:
                return self._blocks(blocks, kind, kernel)
        raise self.source.error("A convolution is of one matrix, or of blocks: `conv(W, 3)`, `conv(blocks(R, 4), 3)`.", node.args[0])

    def _refuse_fixed(self, node: ast.Name, what: str) -> None:
        if self.names.declared.get(node.id) == "fixed":
            raise self.source.error(f"`{node.id}` is fixed, and has no {what}.", node)

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
        told = in_front(self.forms[matrix].written(matrix) if matrix in self.forms else matrix)
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
        return self._apply(sp.Symbol(f"{role}({value}, {area})"), key, value, size, role)[0]

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
