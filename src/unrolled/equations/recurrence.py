"""A checked recurrence: what a cell's text says, as data."""

from dataclasses import dataclass, field

import sympy as sp

INPUT = sp.Symbol("x[t]")

INPUT_MAP, RECURRENT_MAP, VECTOR = "input map", "recurrent map", "vector"


MEAN = "mean(·)"
"""What a product has in the place of a matrix's name when it takes the mean over all units: a square matrix of 1/n everywhere.

It is constant and its own transpose. No parameter can have its name.
"""


def now(name: str) -> sp.Symbol:
    """The symbol of a name at step t."""
    return sp.Symbol(f"{name}[t]")


def before(name: str) -> sp.Symbol:
    """The symbol of a state at step t-1."""
    return sp.Symbol(f"{name}[t-1]")


@dataclass(frozen=True)
class Parameter:
    """A named parameter. A matrix is `[rows, columns]`, a vector `[rows]`.

    `rows` and `columns` are size labels: `"x"` is the input's size I, every other label stands for a number of units. Names that are
    added or multiplied element by element share one label.
    """

    name: str
    kind: str
    rows: str
    columns: str = ""

    @property
    def is_matrix(self) -> bool:
        """Whether the parameter stands on the left of an `@`."""
        return self.kind != VECTOR


@dataclass(frozen=True)
class Product:
    """`matrix @ operand`, where `matrix` is a parameter's name or `MEAN`; everywhere else the product appears as its symbol."""

    symbol: sp.Symbol
    matrix: str
    operand: sp.Expr


@dataclass(frozen=True)
class Equation:
    """`name[t] = expression`, with every matrix product replaced by its symbol; `text` is the right-hand side as written."""

    name: str
    expression: sp.Expr
    text: str = field(compare=False)


@dataclass(frozen=True)
class Recurrence:
    """One step of a recurrent network: `(input, states before) -> states now`.

    `states` holds the output first, then the names read at `[t-1]` in order of appearance. `sizes` gives each assigned name its size
    label. With `reads_input_by_unit` x[t] is read elsewhere than by an input map, so that its numbers themselves are needed. Two
    recurrences are equal when they compute the same, however their texts are laid out.
    """

    equations: tuple[Equation, ...]
    states: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    products: tuple[Product, ...]
    sizes: tuple[tuple[str, str], ...]
    reads_input_by_unit: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        read = [*(e.expression for e in self.equations), *(p.operand for p in self.products if p.operand != INPUT)]
        object.__setattr__(self, "reads_input_by_unit", any(INPUT in expression.free_symbols for expression in read))

    @property
    def output(self) -> str:
        """The state that the next layer sees."""
        return self.states[0]

    @property
    def labels(self) -> tuple[str, ...]:
        """The different size labels, the output's first; `"x"` is one of them only where an assigned name is of the input's size."""
        sizes = dict(self.sizes)
        inner = (label for p in self.parameters for label in (p.rows, p.columns) if label not in ("", "x"))
        return tuple(dict.fromkeys([sizes[self.output], *sizes.values(), *inner]))

    def size_of(self, name: str) -> str:
        """The size label of an assigned name."""
        return dict(self.sizes)[name]

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name."""
        return next(p for p in self.parameters if p.name == name)
