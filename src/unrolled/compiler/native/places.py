"""How the C text of a kernel calls what lies in memory."""

import sympy as sp

from unrolled.compiler.native.names import Names
from unrolled.compiler.native.phases import Sizes
from unrolled.compiler.plan import Plan
from unrolled.equations.recurrence import INPUT, before, now


class Places:
    """The entries of `Call`, `Run` and `Span` (runtime/sequences.h) by the names that the tables give them.

    `vectors` are the parameters that are one for all rows; `arriving` has the state whose adjoint arrives as a symbol.
    """

    def __init__(self, plan: Plan, sizes: Sizes, names: Names, row_vectors: tuple[str, ...]) -> None:
        self._recurrence, self._names = plan.recurrence, names
        self._of_row = {sp.Symbol(r): f"run->row_vector[{self.entry('ROW_VECTOR', r)}]" for r in row_vectors}
        self._of_row |= {before(s): f"run->before[{self.entry('STATE', now(s))}]" for s in plan.recurrence.states}
        self._of_row[INPUT] = "run->x"
        self.vectors = {sp.Symbol(p.name) for p in plan.recurrence.parameters if not p.is_matrix} - self._of_row.keys()
        self.arriving = {symbol: state for state, symbol in plan.adjoint.arriving}
        self._sizes = sizes

    def entry(self, kind: str, symbol: object) -> str:
        """The number of a parameter (PARAMETER), a state (STATE), a column of the tape (AT) or another entry, as the tables name it."""
        return f"{kind}_{self._names(symbol)}"

    def size(self, label: str) -> str:
        """A size, as functions call it."""
        return self._names.of_size(label)

    def units(self, symbol: sp.Symbol) -> str:
        """The size of a value."""
        return self.size(self._sizes.of(symbol))

    def rows(self, parameter: str) -> str:
        """How many rows a parameter has."""
        return self.size(self._recurrence.parameter(parameter).rows)

    def columns(self, matrix: str) -> str:
        """How many columns a matrix has."""
        return self.size(self._recurrence.parameter(matrix).columns)

    def parameter(self, name: str) -> str:
        """A parameter in a call."""
        return f"call->parameter[{self.entry('PARAMETER', name)}]"

    def column(self, symbol: sp.Symbol) -> str:
        """Where a value's column begins."""
        return f"run->column[{self.entry('AT', symbol)}]"

    def by_slot(self, symbol: sp.Symbol) -> str:
        """The pointers to the rows of what is given for each, slot by slot: input, states before the step, masks. Empty for all else."""
        return self._of_row.get(symbol, "")

    def adjoint(self, state: str) -> str:
        """Where a vector of the adjoint of a state lies."""
        return f"span->arriving[{self.entry('STATE', now(state))}] + row * PADDED({self.size(self._recurrence.size_of(state))}) + at"
