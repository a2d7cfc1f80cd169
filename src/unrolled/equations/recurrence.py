"""A checked recurrence: what a cell's text says, as data."""

import re
from dataclasses import dataclass, field
from enum import Enum

import sympy as sp

from unrolled.equations.declarations import NOTHING, Declarations, Size
from unrolled.equations.maps import PLAIN, Form, Origin, Spread

INPUT = sp.Symbol("x[t]")

INPUT_MAP, RECURRENT_MAP, VECTOR, SCALAR = "input map", "recurrent map", "vector", "scalar"


class OverUnits(str, Enum):
    """What a product has in the place of a matrix's name when it takes one number of all units, the same for each: no parameter can have its name.

    `MEAN` and `SUM` are their own transposes; no derivative flows through `LARGEST`, which is only taken of what does not depend on it.
    """

    MEAN = "mean(·)"
    SUM = "sum(·)"
    LARGEST = "max(·)"

    __str__ = str.__str__

    @property
    def function(self) -> str:
        """Its name as a function."""
        return self.value.removesuffix("(·)")


def now(name: str) -> sp.Symbol:
    """The symbol of a name at step t."""
    return sp.Symbol(f"{name}[t]")


def before(name: str) -> sp.Symbol:
    """The symbol of a state at step t-1."""
    return sp.Symbol(f"{name}[t-1]")


@dataclass(frozen=True)
class Parameter:
    """A named block of numbers, the same at every step. A matrix is `[rows, columns]`, a vector `[rows]`, a scalar a single number.

    `rows` and `columns` are size labels: `"x"` is the input's size I, every other label stands for a number of units. Names that are
    added or multiplied element by element share one label. It is learnt, unless it is `made`. A matrix whose `form` has
    several blocks is stored as these, `[blocks, rows / blocks, columns / blocks]`, and read through a block that is made of it.
    """

    name: str
    kind: str
    rows: str
    columns: str = ""
    made: Origin | None = None
    form: Form = PLAIN

    @property
    def is_matrix(self) -> bool:
        """Whether it stands on the left of an `@`."""
        return self.kind in (INPUT_MAP, RECURRENT_MAP)

    @property
    def written(self) -> str:
        """As a text reads it; for a map that it only implies the function that it is."""
        if self.made is None:
            return self.form.written(self.name)
        return self.made.scalar if isinstance(self.made, Spread) else self.made.applied or self.name


@dataclass(frozen=True)
class Product:
    """`matrix @ operand`, where `matrix` is a parameter's name or an `OverUnits`; everywhere else the product appears as its symbol."""

    symbol: sp.Symbol
    matrix: str
    operand: sp.Expr


@dataclass(frozen=True)
class Equation:
    """`name[t] = expression`, with every matrix product replaced by its symbol; `text` is the right-hand side as written.

    Where a text only implies a line (an earlier input that is kept, a part of the input, the steps that are counted) it has no `text`.
    """

    name: str
    expression: sp.Expr
    text: str = field(compare=False)


@dataclass(frozen=True)
class Area:
    """The size of a matrix that is a state: `rows` x `columns` units for each of the `heads` that divide both."""

    rows: str
    columns: str
    heads: int


@dataclass(frozen=True)
class Recurrence:
    """One step of a recurrent network: `(input, states before) -> states now`.

    `states` holds the outputs first, of which there are `outputs`, then the names read at `[t-1]` in order of appearance. `sizes` gives each
    assigned name its size label. `parameters` are the blocks that an engine reads, `hidden` those that only others are made of. `given` has
    the labels of a declared size, `areas` those of matrices. With `reads_input_by_unit` x[t] is read elsewhere than by an input map, so that
    its numbers themselves are needed. Two recurrences are equal when they compute the same, however their texts are laid out.
    """

    equations: tuple[Equation, ...]
    states: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    products: tuple[Product, ...]
    sizes: tuple[tuple[str, str], ...]
    hidden: tuple[Parameter, ...] = ()
    given: tuple[tuple[str, Size], ...] = ()
    areas: tuple[tuple[str, Area], ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    counters: tuple[str, ...] = ()
    outputs: int = 1
    declared: Declarations = NOTHING
    reads_input_by_unit: bool = field(init=False, compare=False, repr=False)
    constant: frozenset[str] = field(init=False, compare=False, repr=False)
    """The parameters that nothing learnt is in."""

    def __post_init__(self) -> None:
        read = [*(e.expression for e in self.equations), *(p.operand for p in self.products if p.operand != INPUT)]
        object.__setattr__(self, "reads_input_by_unit", any(INPUT in expression.free_symbols for expression in read))
        learnt = {p.name for p in self.learned}
        fixed = frozenset(p.name for p in (*self.parameters, *self.hidden) if p.made is not None and not p.made.names & learnt)
        object.__setattr__(self, "constant", fixed)

    @property
    def output(self) -> str:
        """The state that the next layer sees; the first of them where there are several."""
        return self.states[0]

    @property
    def learned(self) -> tuple[Parameter, ...]:
        """The parameters that are stored and learnt."""
        return tuple(p for p in (*self.parameters, *self.hidden) if p.made is None)

    @property
    def labels(self) -> tuple[str, ...]:
        """The different size labels, the output's first; `"x"` is one of them only where an assigned name is of the input's size."""
        sizes = dict(self.sizes)
        inner = (label for p in (*self.parameters, *self.hidden) for label in (p.rows, p.columns) if label not in ("", "x"))
        return tuple(dict.fromkeys([sizes[self.output], *sizes.values(), *inner]))

    def size_of(self, name: str) -> str:
        """The size label of an assigned name."""
        return dict(self.sizes)[name]

    @property
    def convolves(self) -> bool:
        """Whether its text names convolutions, so that its input and its states are planes."""
        return any(p.form.kernel for p in (*self.parameters, *self.hidden))

    def written(self, matrix: str) -> str:
        """A product's map as a text reads it."""
        return matrix.function if isinstance(matrix, OverUnits) else self.parameter(matrix).written

    def is_implied(self, matrix: str) -> bool:
        """Whether a product's map is a function over units, or of a matrix or the input, and has no name in the text."""
        if isinstance(matrix, OverUnits):
            return True
        made = self.parameter(matrix).made
        return made is not None and bool(made.applied)

    def read_through_a_map(self, state: str) -> str:
        """A product with a matrix that reads a state of the step before outside functions; empty where there is none."""
        for product in self.products:
            inside = {part: sp.Dummy() for part in product.operand.atoms(sp.Function, sp.Pow)}
            if not self.is_implied(product.matrix) and before(state) in product.operand.xreplace(inside).free_symbols:
                return self.without_sizes(str(product.symbol))
        return ""

    def without_sizes(self, text: str) -> str:
        """A text without the sizes by which names for several are told apart: where such a name is read says which is meant."""
        labels = sorted(self.labels, key=len, reverse=True)
        return re.sub(rf":(?:{'|'.join(map(re.escape, labels))})(?!\w)", "", text)

    def parameter(self, name: str) -> Parameter:
        """The parameter of that name."""
        return next(p for p in (*self.parameters, *self.hidden) if p.name == name)
