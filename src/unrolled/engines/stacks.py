"""Which products an engine computes as one, with their matrices one below the other."""

import sympy as sp

from unrolled.compiler import Plan, Stage
from unrolled.engines.fused import kernel_for
from unrolled.equations import Product
from unrolled.equations.recurrence import OverUnits

Together = dict[sp.Expr, tuple[Product, ...]]


def products_by_operand(plan: Plan, stage: Stage) -> Together:
    """A stage's products of each operand, in torch's order where torch has a kernel, so that all engines read the same stacks.

    Means are not among them: they have no matrix to be stored.
    """
    kernel = kernel_for(plan)
    order = (*kernel.input_maps, *kernel.recurrent_maps) if kernel else ()
    together: dict[sp.Expr, list[Product]] = {}
    stored = (p for p in stage.products if not isinstance(p.matrix, OverUnits))
    for product in sorted(stored, key=lambda p: order.index(p.matrix) if p.matrix in order else 0):
        together.setdefault(product.operand, []).append(product)
    return {operand: tuple(products) for operand, products in together.items()}


def stacks(plan: Plan) -> list[tuple[str, ...]]:
    """The blocks that are best stored one below the other."""
    kernel = kernel_for(plan)
    stages = (*plan.prologue, *plan.stages)
    groups = [tuple(p.matrix for p in products) for stage in stages for products in products_by_operand(plan, stage).values()]
    return [*groups, kernel.input_biases] if kernel else groups
