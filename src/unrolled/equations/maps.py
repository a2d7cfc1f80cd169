"""What stands on the left of `@`: how a matrix is read, and maps that are computed from others before the first step, such as `A - A.T - g * I`."""

import re
from dataclasses import dataclass

from unrolled.equations.declarations import FixedRows


@dataclass(frozen=True)
class Form:
    """How a learnt matrix is read: as so many blocks along a diagonal, and over a plane as a convolution.

    Its kernel has `kernel` places in each dimension of the plane; 0 where the text does not say it, but the layer.
    """

    blocks: int = 1
    kernel: int = 0

    def written(self, name: str) -> str:
        """The matrix of that name as a text reads it."""
        inner = f"blocks({name}, {self.blocks})" if self.blocks > 1 else name
        return f"conv({inner}, {self.kernel})" if self.kernel else inner


PLAIN = Form()


def in_front(written: str) -> str:
    """A map as it stands in front of an `@`."""
    return f"({written})" if re.search(r" [-+*/] |^-", written) else written


class Origin:
    """Where a block comes from that is not learnt as it is."""

    @property
    def names(self) -> frozenset[str]:
        """The parameters that it is made of."""
        return frozenset()

    @property
    def applied(self) -> str:
        """Of a map that a text only implies: the function that it is, as people read it."""
        return ""


@dataclass(frozen=True)
class Made(Origin):
    """Computed from others, once a call: a function of the table in layers/made.py, and what it is applied to.

    Arguments are made themselves, names of parameters, or plain numbers.
    """

    function: str
    arguments: tuple["Made | str | float", ...]

    @property
    def names(self) -> frozenset[str]:
        """Those of all arguments."""
        parts = (a.names if isinstance(a, Made) else frozenset({a}) if isinstance(a, str) else frozenset() for a in self.arguments)
        return frozenset().union(*parts)


@dataclass(frozen=True)
class Spread(Origin):
    """A number that is learnt, as a vector."""

    scalar: str

    @property
    def names(self) -> frozenset[str]:
        """The number's."""
        return frozenset({self.scalar})


@dataclass(frozen=True)
class Fixed(Origin):
    """Known by a name such as `"identity"`, or as numbers; `function` is what it is over units, where a text only implies it."""

    how: str | FixedRows
    function: str = ""

    @property
    def applied(self) -> str:
        """`sum`, `mean` or `cumsum`."""
        return self.function


@dataclass(frozen=True)
class Part(Origin):
    """The columns of a part of the input."""

    name: str

    @property
    def applied(self) -> str:
        """`part_x`."""
        return f"part_{self.name}"


@dataclass(frozen=True)
class Along(Origin):
    """Between a vector and a matrix that is a state and lies flat, head by head and row by row; it has no numbers.

    `repeat` has an entry of the vector for all of a row, `tile` for all of a column; `add_columns` and `add_rows`, their transposes, add these up.
    """

    role: str
    heads: int

    @property
    def transposed(self) -> "Along":
        """The same back."""
        turned = {"repeat": "add_columns", "add_columns": "repeat", "tile": "add_rows", "add_rows": "tile"}
        return Along(turned[self.role], self.heads)

    @property
    def applied(self) -> str:
        """`rows` and `columns` as matrices, `sum_columns` and `sum_rows` as vectors."""
        return {"repeat": "rows", "tile": "columns", "add_columns": "sum_columns", "add_rows": "sum_rows"}[self.role]
