"""From syntax trees to a checked recurrence: every rule of the equation language that needs to know what the names mean."""

import ast
import math
import numbers
from collections.abc import Sequence
from functools import reduce

import sympy as sp

from unrolled.equations.arithmetic import ARITHMETIC, COMPARISONS, has_value, in_range
from unrolled.equations.declarations import NOTHING, Declarations
from unrolled.equations.functions import FUNCTIONS, Function, OverUnits, where
from unrolled.equations.names import MAPS, REDUCTIONS, RESERVED, Names, short
from unrolled.equations.parts import TIME, Parts
from unrolled.equations.recurrence import INPUT_MAP, RECURRENT_MAP, VECTOR, Equation, Recurrence, before, now
from unrolled.equations.settle import Read, settle
from unrolled.equations.sizes import Sizes
from unrolled.equations.syntax import Line, Source, read_lines
from unrolled.errors import EquationError

STEEPEST = 100
"""The largest exponent: beyond it, engines that multiply and engines that take logarithms round too differently."""

Value = tuple[sp.Expr, str]
"""An expression, and the name whose size it has ("" for a number)."""


def parse(text: str, output: str | Sequence[str] = "h", declared: Declarations = NOTHING) -> Recurrence:
    """The recurrence that a text describes.

    `output` names the state that the next layer sees, or several, which it sees joined. Raises `EquationError`, with the line and a caret,
    for every rule of the language that the text breaks.
    """
    if not isinstance(text, str):
        raise EquationError(f"The equations must be a text, got {type(text).__name__}.")
    source = Source(text)
    return _Builder(source, read_lines(source), declared).build([output] if isinstance(output, str) else list(output))


class _Builder:
    """Walks the lines in order and knows what has been assigned so far."""

    def __init__(self, source: Source, lines: list[Line], declared: Declarations) -> None:
        self.source, self.lines = source, lines
        self.names = Names(source, lines, declared)
        self.sizes = Sizes()
        self.parts = Parts(self.names, self.sizes)
        self.known: list[str] = []
        self.previous: dict[str, ast.AST] = {}
        self.appearance: dict[str, None] = {}
        self.constants = self.parts.constants

    def build(self, outputs: list[str]) -> Recurrence:
        equations = [self._equation(line) for line in self.lines]
        for output in outputs:
            if output not in self.known:
                raise EquationError(
                    f"No line assigns `{output}[t]`, the output. Assign it, or name the output: `output={self.known[-1]!r}` (here: {', '.join(self.known)})."
                )
        if not self.previous:
            raise EquationError(
                "Nothing is read at [t-1], so nothing is remembered: this is not a recurrence. Read a state, such as `h[t-1]`."
            )
        states = (*outputs, *(name for name in self.appearance if name in self.previous and name not in outputs))
        return settle(self.names, self.sizes, self.parts, Read(tuple(equations), states, len(outputs)))

    def _equation(self, line: Line) -> Equation:
        name = line.name
        self.names.check_target(name, line.target)
        if name in self.known:
            raise self.source.error(f"`{name}[t]` is assigned twice. Give the second one another name.", line.target)
        expression, size = self._expression(line.value)
        if self.parts.is_area(name) and size and not self.parts.is_area(size):
            expression, size = self._meet([(expression, size), (sp.Integer(0), name)])[0][0], name
        self.known.append(name)
        self.appearance.setdefault(name)
        self._join(name, size)
        value = expression.xreplace(self.constants)
        if not value.free_symbols:
            self.constants[now(name)] = value
        return Equation(name, expression, self.source.segment(line.value))

    def _expression(self, node: ast.expr) -> Value:
        """The scalar expression of a node, and what has the size of its vector."""
        match node:
            case ast.BinOp(op=ast.MatMult()):
                return self._product(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.UnaryOp(op=ast.USub()):
                value, size = self._expression(node.operand)
                return -value, size
            case ast.UnaryOp(op=ast.UAdd()):
                return self._expression(node.operand)
            case ast.Compare():
                return self._comparison(node)
            case ast.Call():
                return self._call(node)
            case ast.Subscript():
                return self._timed(node)
            case ast.Name():
                return self._bare(node)
            case ast.Constant():
                return self._number(node), ""
            case ast.List() | ast.Tuple():
                raise self.source.error("Vectors are not joined. Read each part with a matrix of its own: `W @ x[t] + R @ h[t-1]`.", node)
            case ast.Attribute(attr="T"):
                raise self.source.error("A transposed matrix stands on the left of `@`: `R.T @ h[t-1]`.", node)
            case ast.IfExp():
                raise self.source.error("A choice is written `where(condition, a, b)`: a where the condition holds, else b.", node)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                cure = "Comparisons are 1 or 0: write `(a > b) * (c > d)` for both, `max(a > b, c > d)` for one of them, `1 - (a > b)` for not."
                raise self.source.error(f"`and`, `or` and `not` are not part of the language. {cure}", node)
        raise self.source.error(
            "This is not part of the language. Expected + - * / % ** @, a comparison, a function, a number or a name.", node
        )

    def _meet(self, values: Sequence[Value]) -> tuple[list[sp.Expr], str]:
        """Values that are computed with unit by unit: where one is a matrix, a vector stands for all columns of its row."""
        areas = [size for _, size in values if self.parts.is_area(size)]
        if not areas:
            return [value for value, _ in values], reduce(self.sizes.join, (size for _, size in values), "")
        area = reduce(self.parts.join_areas, areas)
        return [value if not size or self.parts.is_area(size) else self.parts.along_rows(value, size, area) for value, size in values], area

    def _join(self, name: str, size: str) -> None:
        if self.parts.is_area(name) and size:
            self.parts.join_areas(name, size)
        else:
            self.sizes.join(name, size)

    def _comparison(self, node: ast.Compare) -> Value:
        if len(node.ops) > 1:
            raise self.source.error("One comparison at a time: write `(a < b) * (b < c)` for `a < b < c`.", node)
        compare = COMPARISONS.get(type(node.ops[0]))
        if compare is None:
            raise self.source.error("Only numbers are compared here. Expected > >= < <= == or !=.", node)
        (left, right), size = self._meet([self._expression(node.left), self._expression(node.comparators[0])])
        return compare(left, right), size

    def _binary(self, node: ast.BinOp) -> Value:
        if isinstance(node.op, ast.BitXor):
            raise self.source.error("`^` is not a power here. Write `**`.", node.right)
        if type(node.op) not in ARITHMETIC:
            sign = ast.unparse(ast.BinOp(ast.Name("a"), node.op, ast.Name("b"))).split()[1]
            raise self.source.error(f"The operator `{sign}` is not part of the language. Expected + - * / % ** or @.", node)
        (left, right), size = self._meet([self._expression(node.left), self._expression(node.right)])
        if isinstance(node.op, ast.Pow) and right.is_Rational and abs(right) > STEEPEST and not left.is_Rational:
            raise self.source.error(f"The exponent must be a plain number of at most {STEEPEST}.", node.right)
        try:
            value = in_range(ARITHMETIC[type(node.op)](left, right))
            in_range(value.xreplace(self.constants))
        except (ArithmeticError, ValueError, TypeError):
            raise self.source.error(f"`{short(ast.unparse(node))}` has no finite real value.", node) from None
        for exponent in (p.exp for p in value.atoms(sp.Pow) if abs(p.exp) > STEEPEST):
            told = f"Powers of powers and products of powers must make an exponent of at most {STEEPEST}, got {exponent}."
            raise self.source.error(told, node)
        return value, size

    def _number(self, node: ast.Constant) -> sp.Expr:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise self.source.error(f"Expected a number, got {short(repr(value))}.", node)
        if (isinstance(value, int) and value.bit_length() > 1000) or not math.isfinite(value):
            raise self.source.error("The number is too large. Expected one of at most 1e300.", node)
        return sp.Rational(repr(value))

    def _call(self, node: ast.Call) -> Value:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "outer":
            return self._outer(node)
        if name in MAPS:
            raise self.source.error(MAPS[name], node)
        if name not in FUNCTIONS and name not in REDUCTIONS:
            raise self.source.error(self.names.no_function(name or ast.unparse(node.func)), node.func)
        function = FUNCTIONS.get(name)
        takes, otherwise = (function.takes, function.otherwise) if function else (1, ())
        missing = takes - len(node.args)
        if node.keywords or not 0 <= missing <= len(otherwise):
            raise self.source.error(f"`{name}` takes {_as_called(name, function)}.", node)
        values = [self._expression(argument) for argument in node.args]
        if function is None or issubclass(function, OverUnits):
            if not values[0][1]:
                raise self.source.error(f"`{name}` goes over the units of a vector, got a number.", node.args[0])
            if name in ("sum", "softmax") and not values[0][0].xreplace(self.constants).free_symbols:
                raise self.source.error(f"`{name}` goes over the units of a vector; here all of them are one number.", node.args[0])
            if any(size or not value.is_Rational or value < 0 for value, size in values[1:]):
                raise self.source.error(
                    f"The second value of `{name}` must be a number of at least 0, as in `{name}(a[t], 1e-6)`.", node.args[1]
                )
            if function is None:
                return self.parts.over_units(name, *values[0])
        found, size = self._meet(values)
        if not has_value(name, found[0].xreplace(self.constants)):
            raise self.source.error(f"`{short(ast.unparse(node))}` has no finite real value.", node)
        return function(*found, *otherwise[len(otherwise) - missing :]), size

    def _timed(self, node: ast.Subscript) -> Value:
        if not isinstance(node.value, ast.Name):
            raise self.source.error("Only a name has a time. Give the expression a name of its own first.", node)
        name, time = node.value.id, self._time(node)
        if name in RESERVED - {"x"} or name in self.names.untimed:
            raise self.source.error(f"`{name}` has no time.", node)
        if name in self.names.inputs:
            return self.parts.input(name, earlier=time == "t-1", note=self.previous, node=node)
        if name == "x":
            raise self.source.error(f"The input has the parts {', '.join(self.names.inputs)}. Read one of them.", node)
        self.appearance.setdefault(name)
        if time == "t-1":
            if name not in self.names.assigned_on:
                raise self.source.error(f"The state `{name}` is read at [t-1] but never assigned. Add a line `{name}[t] = …`.", node)
            self.previous.setdefault(name, node)
            return before(name), name
        if name not in self.known:
            raise self.source.error(self.names.not_yet(name), node)
        return now(name), name

    def _time(self, node: ast.Subscript) -> str:
        time = ast.unparse(node.slice)
        if time == "t":
            return "t"
        if time == "t - 1":
            return "t-1"
        name = ast.unparse(node.value)
        if time.startswith("t - "):
            cure = f"Keep the older value as a state of its own: `{name}1[t] = {name}[t-1]`, then read `{name}1[t-1]`."
        elif time.startswith("t + "):
            cure = "The future is not known to a recurrence; a bidirectional layer reads the sequence from its end as well."
        else:
            cure = f"Write `{name}[t]` or `{name}[t-1]`."
        raise self.source.error(f"The only times are [t] and [t-1], got [{short(time)}]. {cure}", node)

    def _bare(self, node: ast.Name) -> Value:
        """A name without a time: a constant, a number that is learnt, the time, or a vector."""
        name = node.id
        if name == "t" and name not in self.names.declared:
            self.parts.counts = True
            self.previous.setdefault(name, node)
            return TIME, ""
        if (number := self.names.constant(name)) is not None:
            return sp.Rational(repr(number)), ""
        self.names.check_parameter(name, node)
        if self.names.declared.get(name) == "scalar":
            self.names.read.add(name)
            return sp.Symbol(name), ""
        self.names.use(name, VECTOR, node)
        self.names.bare.add(name)
        return sp.Symbol(name), name

    def _product(self, node: ast.BinOp) -> Value:
        if self.names.is_area(node.left):
            return self._area_product(node)
        if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.MatMult):
            inner = ast.copy_location(ast.BinOp(node.left.right, node.op, node.right), node.left.right)
            return self._product(ast.copy_location(ast.BinOp(node.left.left, node.op, inner), node))
        if isinstance(node.left, ast.UnaryOp) and isinstance(node.left.op, ast.USub):
            value, size = self._product(ast.copy_location(ast.BinOp(node.left.operand, node.op, node.right), node))
            return -value, size
        operand, size = self._expression(node.right)
        said = short(ast.unparse(node.left))
        if self.parts.is_area(size):
            raise self.source.error(f"`{said} @` needs a vector on its right, got a matrix. A matrix is read as `C[t] @ q[t]`.", node.right)
        kind = INPUT_MAP if operand in self.parts.inputs else RECURRENT_MAP
        matrix = self.parts.map(node.left, kind)
        if not size:
            raise self.source.error(f"`{said} @` needs a vector on its right, got a number. Write `*` to scale.", node.right)
        return self.parts.product(matrix, operand, size)

    def _outer(self, node: ast.Call) -> Value:
        if node.keywords or len(node.args) not in (2, 3):
            raise self.source.error(
                "`outer` takes two vectors, as in `outer(v[t], k[t])`, and maybe a number of heads: `outer(v[t], k[t], 4)`.", node
            )
        values = [self._expression(argument) for argument in node.args[:2]]
        if not any(size for _, size in values) or any(self.parts.is_area(size) for _, size in values):
            raise self.source.error("`outer` takes two vectors, as in `outer(v[t], k[t])`; one of them may be a number.", node)
        return self.parts.outer(*values)

    def _area_product(self, node: ast.BinOp) -> Value:
        """A matrix that is computed, or one transposed, times a vector."""
        transposed = isinstance(node.left, ast.Attribute)
        area, named = self._expression(node.left.value if isinstance(node.left, ast.Attribute) else node.left)
        vector, size = self._expression(node.right)
        if not size or self.parts.is_area(size):
            raise self.source.error("A matrix is multiplied by a vector, as in `C[t] @ q[t]`.", node.right)
        if not (area * vector).xreplace(self.constants).free_symbols:
            raise self.source.error("All entries of the matrix, or of the vector, are one number. There is nothing to multiply.", node)
        return self.parts.area_product(area, named, vector, size, transposed=transposed)


def _as_called(name: str, function: type[Function] | None) -> str:
    """How many values a function takes, with an example."""
    takes, otherwise = (function.takes, function.otherwise) if function else (1, ())
    least = takes - len(otherwise)
    count = "one value" if takes == 1 else f"{least} or {takes} values" if otherwise else f"{takes} values"
    values = "a[t] > 0, b[t], c[t]" if function is where else ", ".join(f"{letter}[t]" for letter in "abc"[:takes])
    if otherwise and function is not None and issubclass(function, OverUnits):
        values = "a[t], 1e-6"
    return f"{count}, as in `{name}({values})`"
