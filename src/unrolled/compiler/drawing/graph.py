"""The graph of one step: which values flow into which, through which matrices, and where the gradient comes back from later steps."""

from dataclasses import dataclass

import sympy as sp

from unrolled.equations import Equation, Product, Recurrence
from unrolled.equations.functions import Function, slope_of
from unrolled.equations.recurrence import before, now

STRAIGHT, BENT, OUTPUT, FORWARD = "straight", "bent", "output", "forward"
"""The ways of a wire: the gradient comes back along it to earlier steps with every map on its way a sum or a product by element
(`STRAIGHT`) or with a matrix or a function among them (`BENT`); it comes in here (`OUTPUT`); or it goes back to no earlier step."""

_AROUND = {"sigmoid": ("σ(", ")"), "sqrt": ("√(", ")"), "abs": ("|", "|")}
_BETWEEN = {"power": "^", "greater": " > ", "at_least": " ≥ ", "equal": " = ", "modulo": " mod "}
_BARE = {"sigmoid": "σ", "sqrt": "√", "abs": "|·|"}
_SIGNS = {"sum": "∑", "cumsum": "∑ up to", "sum_columns": "∑ columns", "sum_rows": "∑ rows"}
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Wire:
    """What flows from `source` into a node; `label` are the factors and matrices in front of it, `matrix` whether a matrix is among them."""

    source: str
    label: str = ""
    matrix: bool = False


@dataclass(frozen=True)
class Node:
    """A value of the step: what has a name in the equations, or (with an empty `name`) an operation inside one of them.

    `formula` says what is made of that which enters, where ∑ is its sum and × its product; `bends` that it is a function, not a sum or a
    product by element; `text` is the equation, or what is computed.
    """

    key: str
    name: str
    formula: str
    inputs: tuple[Wire, ...]
    bends: bool
    text: str


@dataclass(frozen=True)
class StepGraph:
    """The nodes of a step by key, in the order in which they are computed, and the ways of the gradient.

    A node's key is its symbol, `h[t]`. Wires come from nodes, from `x[t]`, and from the step before, `h[t-1]`, for each of `carried`.
    `ways` belongs to a node's key and the number of its wire, `carried_ways` to what a state hands from one step to the next.
    """

    nodes: dict[str, Node]
    output: str
    carried: tuple[str, ...]
    ways: dict[tuple[str, int], str]
    carried_ways: dict[str, str]


def step_graph(recurrence: Recurrence) -> StepGraph:
    """The graph of one step of a recurrence."""
    reader = _Reader(recurrence)
    for equation in recurrence.equations:
        reader.equation(equation)
    nodes = reader.nodes
    wires = {(node.key, number): wire for node in nodes.values() for number, wire in enumerate(node.inputs)}
    carried = tuple(s for s in recurrence.states if before(s).name in {wire.source for wire in wires.values()})
    back = _between(carried, wires)
    straight = _between(carried, {e: wire for e, wire in wires.items() if not wire.matrix and not nodes[e[0]].bends})
    ways = {edge: STRAIGHT if edge in straight else BENT if edge in back else FORWARD for edge in wires}
    carried_ways = {}
    for state in carried:
        onwards = {ways[edge] for edge, wire in wires.items() if wire.source == before(state).name}
        carried_ways[state] = next(way for way in (STRAIGHT, BENT, FORWARD) if way in onwards)
    return StepGraph(nodes, now(recurrence.output).name, carried, ways, carried_ways)


def straight_slopes(recurrence: Recurrence) -> dict[str, sp.Expr]:
    """What the gradient of a state is multiplied by on its straight way back to the same state one step before; only where it is not 0."""
    slopes = {state: _slope(recurrence, state) for state in recurrence.states}
    return {state: slope for state, slope in slopes.items() if slope != 0}


def _slope(recurrence: Recurrence, state: str) -> sp.Expr:
    slopes = {before(state): sp.Integer(1)}
    for equation in recurrence.equations:
        hidden = {part: sp.Dummy() for part in equation.expression.atoms(Function, sp.Pow)}
        shown = {dummy: part for part, dummy in hidden.items()}
        flat = equation.expression.xreplace(hidden)
        terms = (slope_of(flat, leaf).xreplace(shown) * slopes[leaf] for leaf in flat.free_symbols & slopes.keys())
        slopes[now(equation.name)] = sp.Add(*terms)
    return slopes[now(state)]


def _between(carried: tuple[str, ...], wires: dict[tuple[str, int], Wire]) -> set[tuple[str, int]]:
    """Those of the wires, given in order of computation, that lie on a way along them from a state before to a carried state now."""
    reached = {before(s).name for s in carried}
    for (target, _), wire in wires.items():
        if wire.source in reached:
            reached.add(target)
    leading = {now(s).name for s in carried}
    for (target, _), wire in reversed(wires.items()):
        if target in leading:
            leading.add(wire.source)
    return {edge for edge, wire in wires.items() if wire.source in reached and edge[0] in leading}


class _Reader:
    """Makes nodes of expressions; an operation that stands in several places is one node."""

    def __init__(self, recurrence: Recurrence) -> None:
        self.nodes: dict[str, Node] = {}
        self._recurrence = recurrence
        self._products: dict[sp.Symbol, Product] = {p.symbol: p for p in recurrence.products}
        self._keys: dict[sp.Expr, str] = {}

    def _written(self, matrix: str) -> str:
        written = self._recurrence.written(matrix)
        return _SIGNS.get(written, written)

    def _told(self, expression: sp.Expr) -> str:
        return self._recurrence.without_sizes(str(expression))

    def equation(self, equation: Equation) -> None:
        """Add the node of an assigned name, after those that it needs."""
        formula, wires, bends = self._parts(equation.expression)
        key = now(equation.name).name
        self.nodes[key] = Node(key, equation.name, formula, wires, bends, f"{key} = {equation.text or self._told(equation.expression)}")

    def _parts(self, expression: sp.Expr) -> tuple[str, tuple[Wire, ...], bool]:
        """How a node makes an expression: its formula, its wires, and whether it bends."""
        if not _varies(expression):
            return _constant(expression), (), False
        if isinstance(expression, Function):
            return self._function(expression)
        if expression.is_Pow:
            return _exponent(expression.exp), (self._wire(expression.base),), True
        if expression.is_Add:
            return (*self._sum(expression), False)
        factors = [a for a in sp.Mul.make_args(expression) if _varies(a)]
        if len(factors) > 1:
            fixed = expression / sp.Mul(*factors)
            return "×" if fixed == 1 else f"× {_constant(fixed)}", tuple(map(self._wire, factors)), False
        return "", (self._wire(expression),), False

    def _function(self, expression: Function) -> tuple[str, tuple[Wire, ...], bool]:
        name, argument = type(expression).__name__, expression.args[0]
        if expression.args[1:] != expression.otherwise:
            shown = ["·" if _varies(a) else _constant(a) for a in expression.args]
            formula = _BETWEEN[name].join(shown) if name in _BETWEEN else f"{name}({', '.join(shown)})"
            return formula, tuple(self._wire(a) for a in expression.args if _varies(a)), True
        if not argument.is_Add:
            return _BARE.get(name, name), (self._wire(argument),), True
        inside, wires = self._sum(argument)
        opened, closed = _AROUND.get(name, (f"{name}(", ")"))
        return f"{opened}{inside}{closed}", wires, True

    def _sum(self, total: sp.Add) -> tuple[str, tuple[Wire, ...]]:
        """A sum's formula and wires; what is constant in it stands in the formula."""
        wires = tuple(self._wire(a) for a in total.args if _varies(a))
        fixed = sp.Add(*(a for a in total.args if not _varies(a)))
        if fixed == 0:
            return "∑", wires
        entering = "∑" if len(wires) > 1 else "·"
        if len(wires) == 1 and wires[0].label.startswith("−"):
            return f"{_constant(fixed)} − ·", (Wire(wires[0].source, wires[0].label[1:], wires[0].matrix),)
        text = _constant(fixed)
        return (f"{entering} − {text[1:]}" if text.startswith("−") else f"{entering} + {text}"), wires

    def _wire(self, expression: sp.Expr) -> Wire:
        """The wire that brings an expression; for what is more than a scaled value or a matrix product, from an operation's node."""
        if expression in self._products:
            product = self._products[expression]
            return _before(f"{self._written(product.matrix)} ", self._wire(product.operand), matrix=True)
        if expression.is_Symbol:
            return Wire(expression.name)
        factors = [a for a in sp.Mul.make_args(expression) if _varies(a)]
        if expression.is_Mul and len(factors) == 1:
            fixed = expression / factors[0]
            text = "−" if fixed == -1 else f"{_constant(fixed)} " if fixed.is_Number else f"{_constant(fixed)} ⊙ "
            return _before(text, self._wire(factors[0]))
        if expression not in self._keys:
            formula, wires, bends = self._parts(expression)
            key = f"operation {len(self._keys) + 1}"
            self._keys[expression] = key
            self.nodes[key] = Node(key, "", formula, wires, bends, self._told(expression))
        return Wire(self._keys[expression])


def _before(text: str, wire: Wire, *, matrix: bool = False) -> Wire:
    """A wire with a factor or a matrix more; a sign goes to the front."""
    minus, label = text.startswith("−") != wire.label.startswith("−"), f"{text.lstrip('−')}{wire.label.lstrip('−')}"
    return Wire(wire.source, f"−{label}" if minus else label, matrix or wire.matrix)


def _varies(expression: sp.Expr) -> bool:
    return any("[t" in symbol.name for symbol in expression.free_symbols)


def _constant(expression: sp.Expr) -> str:
    """What depends on parameters alone, as text; in decimals, as most were written."""
    decimals = {r: sp.Symbol(f"{float(r):.4g}") for r in expression.atoms(sp.Rational) if not r.is_Integer}
    names = {symbol: sp.Symbol(symbol.name.partition(":")[0]) for symbol in expression.free_symbols if ":" in symbol.name}
    return str(expression.xreplace({**decimals, **names})).replace("**", "^").replace("*", " ").replace("-", "−")


def _exponent(exponent: sp.Expr) -> str:
    return "1/·" if exponent == -1 else f"·{str(exponent).translate(_RAISED)}"
