"""The stages of a plan, made ready to run many times in torch."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import sympy as sp
from torch import Tensor

from unrolled.compiler import Assignment, Plan, Stage
from unrolled.engines.maps import Convolutions, Matrices
from unrolled.engines.program import Program, Values
from unrolled.engines.stacks import Together, products_by_operand
from unrolled.engines.weights import Weights
from unrolled.equations import Along, Product
from unrolled.equations.recurrence import OverUnits, before, now


@dataclass(frozen=True)
class Group:
    """A stage's products of one operand, as one product with the matrices stacked; `drops` says whether dropout applies to what is read."""

    operand: sp.Symbol
    symbols: tuple[sp.Symbol, ...]
    matrix: Tensor
    rows: list[int]
    drops: bool

    def compute(self, maps: Matrices | Convolutions, read: Tensor, values: Values) -> None:
        """Add every product's value to `values`."""
        result = maps.apply(self.matrix, read)
        values.update(zip(self.symbols, result.split(self.rows, -1), strict=True))


@dataclass(frozen=True)
class Part:
    """A stage, made ready to run many times. Of what it computes nobody else reads the symbols in `own`."""

    number: int
    together: Together
    of_all: tuple[Product, ...]
    along: tuple[tuple[Product, Along], ...]
    constant: frozenset[str]
    assignments: tuple[Assignment, ...]
    own: frozenset[sp.Symbol]
    program: Program

    def groups(self, weights: Weights, maps: Matrices | Convolutions, *, narrow: bool = False, once: bool = False) -> list[Group]:
        """The stage's products with these weights. Where a matrix is read once, or some columns of it, stacking would cost more than it saves."""
        groups = []
        for operand, products in self.together.items():
            alone = not maps.stacked or any(p.matrix in self.constant for p in products)
            apart = alone or (once and not weights.is_stored([p.matrix for p in products]))
            for ps in [(p,) for p in products] if apart else _alike(products, weights):
                names = [p.matrix for p in ps]
                matrix = weights.stack(names)
                if narrow:
                    matrix = matrix + (matrix.bfloat16().to(matrix.dtype) - matrix).detach()
                rows = [weights.layout.rows[n] for n in names]
                groups.append(Group(operand, tuple(p.symbol for p in ps), maps.laid(matrix), rows, names[0] not in self.constant))
        return groups


@dataclass(frozen=True)
class Ready:
    """A plan, made ready; `read` is all that the loop reads."""

    prologue: tuple[Part, ...]
    loop: tuple[Part, ...]
    read: frozenset[sp.Symbol]
    vectors: tuple[sp.Symbol, ...]
    before: tuple[sp.Symbol, ...]
    now: tuple[sp.Symbol, ...]


@cache
def ready(plan: Plan) -> Ready:
    """The stages of a plan, made ready once."""
    recurrence = plan.recurrence
    along = {p.name: p.made for p in recurrence.parameters if isinstance(p.made, Along)}

    every_stage = (*plan.prologue, *plan.stages)
    # A state that depends on the input alone is computed before the loop, and carried by it.
    carried = {now(s) for s in recurrence.states}

    def asked(stages: Iterable[Stage]) -> set[sp.Symbol]:
        return carried.union(p.operand for stage in stages for p in stage.products)

    def part(number: int, stage: Stage) -> Part:
        of_all = tuple(p for p in stage.products if isinstance(p.matrix, OverUnits))
        known = tuple((p, along[p.matrix]) for p in stage.products if p.matrix in along)
        together = {
            o: rest for o, ps in products_by_operand(plan, stage).items() if (rest := tuple(p for p in ps if p.matrix not in along))
        }
        others = (s for s in every_stage if s is not stage)
        elsewhere = asked(every_stage).union(*(a.expression.free_symbols for other in others for a in other.assignments))
        own = frozenset((*(p.symbol for ps in together.values() for p in ps), *(a.symbol for a in stage.assignments))) - elsewhere
        program = Program(stage.assignments, own)
        return Part(number, together, of_all, known, recurrence.constant, stage.assignments, own, program)

    parts = tuple(part(number, stage) for number, stage in enumerate(every_stage))

    vectors = tuple(sp.Symbol(p.name) for p in plan.recurrence.parameters if not p.is_matrix)
    return Ready(
        parts[: len(plan.prologue)],
        parts[len(plan.prologue) :],
        frozenset(asked(plan.stages).union(*(a.expression.free_symbols for stage in plan.stages for a in stage.assignments))).difference(
            vectors
        ),
        vectors,
        tuple(before(s) for s in plan.recurrence.states),
        tuple(now(s) for s in plan.recurrence.states),
    )


def _alike(products: tuple[Product, ...], weights: Weights) -> list[tuple[Product, ...]]:
    """Products whose matrices can be stacked: convolutions by the size of their kernels."""
    found: dict[tuple[int, ...], list[Product]] = {}
    for product in products:
        found.setdefault(weights.kernel(product.matrix), []).append(product)
    return [tuple(some) for some in found.values()]
