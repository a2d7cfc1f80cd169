"""Which products are computed together, from one packed panel."""

from collections.abc import Iterable
from dataclasses import dataclass

import sympy as sp

from unrolled.compiler.native.names import Names
from unrolled.compiler.native.phases import Phase, Sizes, Term
from unrolled.equations.recurrence import OverUnits

MOST_GATES = 6
"""Products that read one operand and are computed side by side in a tile; sums of more would not fit into registers."""


@dataclass(frozen=True)
class ProductGroup:
    """Products computed from one packed panel.

    They lie side by side where they read one operand, and are added up (`symbols` has one value) where they flow back through several
    matrices. `name` is that of what they read, or of what they flow back to, `label` the size of the values, `wide` the vectors of units in
    a block; `many_steps` says that they do not wait for the step before.
    """

    name: str
    symbols: tuple[sp.Symbol, ...]
    terms: tuple[Term, ...]
    label: str
    transposed: bool
    wide: int
    many_steps: bool

    @property
    def gates(self) -> int:
        """The values that lie side by side."""
        return len(self.symbols)

    @property
    def panel(self) -> str:
        """Where the panel lies, NULL where the matrices are read as they lie."""
        return f"run->panel[PANEL_{self.name}]"

    @property
    def sums(self) -> str:
        """The array of the sums."""
        return f"sums_{self.name}"

    @property
    def maps(self) -> str:
        """The matrices of products that lie side by side."""
        return f"maps_{self.name}"


def group_products(phase: Phase, label: str, sizes: Sizes, names: Names) -> list[ProductGroup]:
    """The products of a phase whose values have this size, as panels; `names` are those of panels."""
    mine = [(s, ts) for s, terms in phase.products if (ts := tuple(t for t in terms if not isinstance(t[0], OverUnits))) and sizes.of(s) == label]
    if phase.transposed:
        sets = [((symbol,), terms) for symbol, terms in mine]
    else:
        by_operand: dict[sp.Symbol, list[tuple[sp.Symbol, Term]]] = {}
        for symbol, (term,) in mine:
            by_operand.setdefault(term[1], []).append((symbol, term))
        sets = [(tuple(s for s, _ in part), tuple(t for _, t in part)) for many in by_operand.values() for part in _parts(many)]
    wide = max(1, 4 // max((len(symbols) for symbols, _ in sets), default=4))
    many_steps = phase.name.startswith(("prologue", "epilogue"))
    return [
        ProductGroup(names.new(symbols[0] if phase.transposed else terms[0][1]), symbols, terms, label, phase.transposed, wide, many_steps)
        for symbols, terms in sets
    ]


def _parts(many: list[tuple[sp.Symbol, Term]]) -> Iterable[list[tuple[sp.Symbol, Term]]]:
    """At most `MOST_GATES` at a time, as evenly as it goes."""
    count = -(-len(many) // MOST_GATES)
    return (many[len(many) * i // count : len(many) * (i + 1) // count] for i in range(count))
