"""From syntax trees to a checked recurrence: every rule of the equation language that needs to know what the names mean."""

import ast
import difflib
import math
import numbers
import operator
from collections.abc import Callable, Iterable
from functools import reduce

import sympy as sp

from unrolled.equations.functions import DERIVED, FUNCTIONS, Function, at_least, equal, greater, norm, power, where
from unrolled.equations.recurrence import INPUT, INPUT_MAP, RECURRENT_MAP, VECTOR, Equation, Parameter, Product, Recurrence, before, now
from unrolled.equations.sizes import Sizes
from unrolled.equations.syntax import Line, Source, read_lines
from unrolled.errors import EquationError

RESERVED = {"t", "x", *FUNCTIONS, *DERIVED}

STEEPEST = 100
"""The largest exponent: beyond it, engines that multiply and engines that take logarithms round too differently."""


def parse(text: str, output: str = "h") -> Recurrence:
    """The recurrence that a text describes.

    `output` names the state that the next layer sees. Raises `EquationError`, with the line and a caret, for every rule of the language
    that the text breaks.
    """
    if not isinstance(text, str):
        raise EquationError(f"The equations must be a text, got {type(text).__name__}.")
    source = Source(text)
    return _Builder(source, read_lines(source)).build(output)


class _Builder:
    """Walks the lines in order and knows what has been assigned so far."""

    def __init__(self, source: Source, lines: list[Line]) -> None:
        self.source, self.lines = source, lines
        self.assigned_on = {line.name: line.target.lineno for line in reversed(lines)}
        self.known: list[str] = []
        self.previous: dict[str, ast.AST] = {}
        self.appearance: dict[str, None] = {}
        self.kinds: dict[str, str] = {}
        self.products: dict[sp.Symbol, Product] = {}
        self.constants: dict[sp.Symbol, sp.Expr] = {}
        self.sizes = Sizes()

    def build(self, output: str) -> Recurrence:
        equations = tuple(self._equation(line) for line in self.lines)
        if output not in self.known:
            raise EquationError(
                f"No line assigns `{output}[t]`, the output. Assign it, or name the output: `output={self.known[-1]!r}` (here: {', '.join(self.known)})."
            )
        if not self.previous:
            raise EquationError(
                "Nothing is read at [t-1], so nothing is remembered: this is not a recurrence. Read a state, such as `h[t-1]`."
            )
        states = (output, *(name for name in self.appearance if name in self.previous and name != output))
        sized = (name if kind == VECTOR else f"{name}:rows" for name, kind in self.kinds.items())
        self.sizes.resolve(self.known, ["x", *states, *sized], output)
        label = self.sizes.labels(self.known, list(self.kinds))
        parameters = tuple(
            Parameter(name, kind, label[name if kind == VECTOR else f"{name}:rows"], "" if kind == VECTOR else label[f"{name}:columns"])
            for name, kind in self.kinds.items()
        )
        return Recurrence(equations, states, parameters, tuple(self.products.values()), tuple((name, label[name]) for name in self.known))

    def _equation(self, line: Line) -> Equation:
        name = line.name
        if name in RESERVED:
            what = "the input" if name == "x" else "the time" if name == "t" else "a function"
            raise self.source.error(f"`{name}` is {what} and cannot be assigned. Choose another name.", line.target)
        if name in self.known:
            raise self.source.error(f"`{name}[t]` is assigned twice. Give the second one another name.", line.target)
        expression, size = self._expression(line.value)
        self.known.append(name)
        self.appearance.setdefault(name)
        self.sizes.join(name, size)
        value = expression.xreplace(self.constants)
        if not value.free_symbols:
            self.constants[now(name)] = value
        return Equation(name, expression, self.source.segment(line.value))

    def _expression(self, node: ast.expr) -> tuple[sp.Expr, str]:
        """The scalar expression of a node, and the size label of its vector ("" for a number)."""
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
                return self._vector(node)
            case ast.Constant():
                return self._number(node), ""
            case ast.IfExp():
                raise self.source.error("A choice is written `where(condition, a, b)`: a where the condition holds, else b.", node)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                cure = "Comparisons are 1 or 0: write `(a > b) * (c > d)` for both, `max(a > b, c > d)` for one of them, `1 - (a > b)` for not."
                raise self.source.error(f"`and`, `or` and `not` are not part of the language. {cure}", node)
        raise self.source.error(
            "This is not part of the language. Expected + - * / ** @, a comparison, a function, a number or a name.", node
        )

    def _comparison(self, node: ast.Compare) -> tuple[sp.Expr, str]:
        if len(node.ops) > 1:
            raise self.source.error("One comparison at a time: write `(a < b) * (b < c)` for `a < b < c`.", node)
        compare = _COMPARISONS.get(type(node.ops[0]))
        if compare is None:
            raise self.source.error("Only numbers are compared here. Expected > >= < <= == or !=.", node)
        (left, left_size), (right, right_size) = self._expression(node.left), self._expression(node.comparators[0])
        return compare(left, right), self.sizes.join(left_size, right_size)

    def _binary(self, node: ast.BinOp) -> tuple[sp.Expr, str]:
        if isinstance(node.op, ast.BitXor):
            raise self.source.error("`^` is not a power here. Write `**`.", node.right)
        if type(node.op) not in _ARITHMETIC:
            sign = ast.unparse(ast.BinOp(ast.Name("a"), node.op, ast.Name("b"))).split()[1]
            raise self.source.error(f"The operator `{sign}` is not part of the language. Expected + - * / ** or @.", node)
        (left, left_size), (right, right_size) = self._expression(node.left), self._expression(node.right)
        if isinstance(node.op, ast.Pow) and right.is_Rational and abs(right) > STEEPEST and not left.is_Rational:
            raise self.source.error(f"The exponent must be a plain number of at most {STEEPEST}.", node.right)
        size = self.sizes.join(left_size, right_size)
        try:
            value = _in_range(_ARITHMETIC[type(node.op)](left, right))
            _in_range(value.xreplace(self.constants))
        except (ArithmeticError, ValueError, TypeError):
            raise self.source.error(f"`{_short(ast.unparse(node))}` has no finite real value.", node) from None
        for exponent in (p.exp for p in value.atoms(sp.Pow) if abs(p.exp) > STEEPEST):
            told = f"Powers of powers and products of powers must make an exponent of at most {STEEPEST}, got {exponent}."
            raise self.source.error(told, node)
        return value, size

    def _number(self, node: ast.Constant) -> sp.Expr:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise self.source.error(f"Expected a number, got {_short(repr(value))}.", node)
        if (isinstance(value, int) and value.bit_length() > 1000) or not math.isfinite(value):
            raise self.source.error("The number is too large. Expected one of at most 1e300.", node)
        return sp.Rational(repr(value))

    def _call(self, node: ast.Call) -> tuple[sp.Expr, str]:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            raise self.source.error(self._no_function(name or ast.unparse(node.func)), node.func)
        function = FUNCTIONS[name]
        missing = function.takes - len(node.args)
        if node.keywords or not 0 <= missing <= len(function.otherwise):
            raise self.source.error(f"`{name}` takes {_as_called(function)}.", node)
        values, sizes = zip(*map(self._expression, node.args), strict=True)
        if function is norm and not sizes[0]:
            raise self.source.error("`norm` takes the mean over the units of a vector, got a number.", node.args[0])
        return function(*values, *function.otherwise[len(function.otherwise) - missing :]), reduce(self.sizes.join, sizes)

    def _no_function(self, name: str) -> str:
        if name in self.assigned_on or name == "x":
            return f"`{name}` is not a function. A time stands in square brackets: `{name}[t]`."
        return f"There is no function `{_short(name)}`.{_closest(name, FUNCTIONS)} The functions are {', '.join(FUNCTIONS)}."

    def _timed(self, node: ast.Subscript) -> tuple[sp.Expr, str]:
        if not isinstance(node.value, ast.Name):
            raise self.source.error("Only a name has a time. Give the expression a name of its own first.", node)
        name, time = node.value.id, self._time(node)
        if name in RESERVED - {"x"}:
            raise self.source.error(f"`{name}` has no time.", node)
        if name == "x":
            if time == "t-1":
                raise self.source.error("Earlier inputs are not kept. Keep one as a state: `p[t] = W @ x[t]`, then read `p[t-1]`.", node)
            return INPUT, "x"
        self.appearance.setdefault(name)
        if time == "t-1":
            if name not in self.assigned_on:
                raise self.source.error(f"The state `{name}` is read at [t-1] but never assigned. Add a line `{name}[t] = …`.", node)
            self.previous.setdefault(name, node)
            return before(name), name
        if name not in self.known:
            raise self.source.error(self._not_yet(name), node)
        return now(name), name

    def _not_yet(self, name: str) -> str:
        if name in self.assigned_on:
            where = f"line {self.assigned_on[name]}"
            return f"`{name}[t]` is read before it is assigned, on {where}. Move that line up, or read `{name}[t-1]`."
        return f"`{name}` is not defined: no line assigns `{name}[t]`.{_closest(name, self.assigned_on)} A parameter is written without a time: `{name}`."

    def _time(self, node: ast.Subscript) -> str:
        time = ast.unparse(node.slice)
        if time == "t":
            return "t"
        if time == "t - 1":
            return "t-1"
        name = ast.unparse(node.value)
        if name == "x":
            cure = "The input is read as `x[t]`. Keep one as a state: `p[t] = W @ x[t]`, then read `p[t-1]`."
        elif time.startswith("t - "):
            cure = f"Keep the older value as a state of its own: `{name}1[t] = {name}[t-1]`, then read `{name}1[t-1]`."
        elif time.startswith("t + "):
            cure = "The future is not known to a recurrence; a bidirectional layer reads the sequence from its end as well."
        else:
            cure = f"Write `{name}[t]` or `{name}[t-1]`."
        raise self.source.error(f"The only times are [t] and [t-1], got [{_short(time)}]. {cure}", node)

    def _vector(self, node: ast.Name) -> tuple[sp.Expr, str]:
        name = node.id
        if name in self.assigned_on or name == "x":
            times = "`x[t]`" if name == "x" else f"`{name}[t]` or `{name}[t-1]`"
            raise self.source.error(f"`{name}` needs a time. Write {times}.", node)
        if name in RESERVED:
            what = "the time and has no value" if name == "t" else "a function and needs an argument"
            raise self.source.error(f"`{name}` is {what}.", node)
        self._use(name, VECTOR, node)
        return sp.Symbol(name), name

    def _product(self, node: ast.BinOp) -> tuple[sp.Expr, str]:
        if not isinstance(node.left, ast.Name):
            raise self.source.error(
                "On the left of `@` stands the name of a matrix. Use parentheses: `-(R @ h[t-1])`, `a[t] * (R @ h[t-1])`, `A @ (B @ x[t])`.",
                node.left,
            )
        name = node.left.id
        if name in self.assigned_on or name in RESERVED:
            raise self.source.error(f"`{name}` is not a matrix. On the left of `@` stands the name of a parameter.", node.left)
        operand, size = self._expression(node.right)
        if not size:
            raise self.source.error(f"`{name} @` needs a vector on its right, got a number. Write `*` to scale.", node.right)
        self._use(name, INPUT_MAP if operand == INPUT else RECURRENT_MAP, node.left)
        self.sizes.join(f"{name}:columns", size)
        symbol = sp.Symbol(f"{name} @ {operand}" if operand.is_Symbol else f"{name} @ ({operand})")
        self.products.setdefault(symbol, Product(symbol, name, operand))
        return symbol, f"{name}:rows"

    def _use(self, name: str, kind: str, node: ast.AST) -> None:
        seen = self.kinds.setdefault(name, kind)
        if seen == kind:
            return
        if VECTOR in (seen, kind):
            raise self.source.error(f"`{name}` is used both as a matrix and as a vector. Give one of them another name.", node)
        raise self.source.error(f"`{name}` is applied both to the input and to a state. Give one of them another name.", node)


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


_ARITHMETIC: dict[type[ast.operator], Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
}


_COMPARISONS: dict[type[ast.cmpop], Callable[[sp.Expr, sp.Expr], sp.Expr]] = {
    ast.Gt: greater,
    ast.GtE: at_least,
    ast.Lt: lambda a, b: greater(b, a),
    ast.LtE: lambda a, b: at_least(b, a),
    ast.Eq: equal,
    ast.NotEq: lambda a, b: 1 - equal(a, b),
}


def _as_called(function: type[Function]) -> str:
    """How many values a function takes, with an example."""
    least = function.takes - len(function.otherwise)
    count = (
        "one value" if function.takes == 1 else f"{least} or {function.takes} values" if function.otherwise else f"{function.takes} values"
    )
    values = ", ".join(f"{letter}[t]" for letter in "abc"[: function.takes])
    return f"{count}, as in `{function.__name__}({'a[t] > 0, b[t], c[t]' if function is where else values})`"


def _in_range(value: sp.Expr) -> sp.Expr:
    """The value, with fractions of very many digits rounded to floating point; ArithmeticError where a number is infinite or not real."""
    if value.has(sp.zoo, sp.nan, sp.oo, -sp.oo, sp.I):
        raise ArithmeticError
    long = [n for n in value.atoms(sp.Rational) if max(n.p.bit_length(), n.q.bit_length()) > 1000]
    return value.xreplace({n: sp.Rational(repr(float(n))) for n in long})


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _closest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f" Did you mean `{close[0]}`?" if close else ""
