"""What is said in the generated text to those who read it."""

from textwrap import indent

import sympy as sp

from unrolled.compiler.native.phases import Phase, Term
from unrolled.compiler.native.writing import listed
from unrolled.compiler.plan import Plan
from unrolled.equations.recurrence import OverUnits

_WHEN = {
    "prologue": "Before the loop, for many steps at once",
    "forward": "Every step",
    "backward": "Back through every step",
    "epilogue": "After the loop, for many steps at once",
}

_HEAD = """/* A kernel that was made of these equations, to run them forward and backward over whole sequences:

{equations}

   Here are the parts that are this recurrence's own: tables of what lies where, a function for each stage of a step, the packing of its
   matrices, and the sums of its gradients. The parts that are the same for all lie in unrolled/compiler/native/runtime, and go around them
   when they are compiled: vectors.h (real, vec, load, store, splat, PADDED, LANES), functions.h (v_tanh and its like), memory.h (reserve),
   products.h (FOR_BLOCKS, point), sequences.h (Call, Run, Span), panels.h (lay_panel, pack), tiles.h (rows_times_maps, SUM,
   tape_times_panel, fetch, row_means), gradients.h (outer_products, sum_rows), and passes.h, which calls the stages, step by step. */
"""


def head(plan: Plan) -> str:
    """What the text is, and where the rest of it is."""
    return _HEAD.format(equations=indent(plan.text, "     "))


def title(phase: Phase, count: int) -> str:
    """What a phase does, in a sentence; it has `count` of its kind beside it."""
    kind, number = phase.name.rsplit("_", 1)
    deeds = (_back if phase.transposed else _products)([terms for _, terms in phase.products])
    if phase.assignments:
        deeds.append(f"compute {listed([a.symbol for a in phase.assignments])}")
    if phase.leaving:
        deeds.append(f"hand {listed([f'd({state}[t-1])' for state, _ in phase.leaving])} to the step before")
    if phase.into_input is not None:
        deeds.append("write d(x[t]) where it is wanted")
    order = f", stage {number} of {count}" if count > 1 else ""
    return f"/* {_WHEN[kind]}{order}: {'; '.join(deeds) or 'nothing is left to do'}. */"


def _products(products: list[tuple[Term, ...]]) -> list[str]:
    """Products that read one operand belong together."""
    by_operand: dict[sp.Symbol, list[str]] = {}
    for matrix, operand in (term for terms in products for term in terms):
        if not isinstance(matrix, OverUnits):
            by_operand.setdefault(operand, []).append(matrix)
    return [f"multiply {operand} by {listed(matrices)}" for operand, matrices in by_operand.items()] + _means(products)


def _back(products: list[tuple[Term, ...]]) -> list[str]:
    """What flows back to one value through several matrices is added up."""
    sums = [[f"{matrix}^T @ {delta}" for matrix, delta in terms if not isinstance(matrix, OverUnits)] for terms in products]
    return [f"{'add up' if len(terms) > 1 else 'compute'} {listed(terms)}" for terms in sums if terms] + _means(products)


def _means(products: list[tuple[Term, ...]]) -> list[str]:
    of_all = [(matrix, operand) for terms in products for matrix, operand in terms if isinstance(matrix, OverUnits)]
    kinds = {matrix: [operand for other, operand in of_all if other == matrix] for matrix, _ in of_all}
    words = {OverUnits.MEAN: "mean", OverUnits.SUM: "sum", OverUnits.LARGEST: "largest unit"}
    return [f"take the {words[matrix]}{'s' * (len(found) > 1)} of {listed(found)}" for matrix, found in kinds.items()]
