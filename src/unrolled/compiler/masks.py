"""Variational dropout as equations: what recurrent maps read is multiplied by a vector that differs from sequence to sequence."""

from dataclasses import replace
from functools import cache

import sympy as sp

from unrolled.compiler.plan import Plan
from unrolled.equations import Parameter, Product, Recurrence
from unrolled.equations.recurrence import VECTOR, OverUnits


@cache
def with_masks(plan: Plan) -> tuple[Recurrence, tuple[str, ...]]:
    """The recurrence in which every product of the loop reads its operand times a mask, and the masks' names, one for each size read."""
    recurrence = plan.recurrence
    inside = {p.symbol for stage in plan.stages for p in stage.products if is_masked(recurrence, p)}
    labels = dict.fromkeys(recurrence.parameter(p.matrix).columns for p in recurrence.products if p.symbol in inside)
    # No name of the language has brackets, so that none is taken.
    masks = {label: Parameter(f"mask({label})", VECTOR, label) for label in labels}

    def masked(product: Product) -> Product:
        if product.symbol not in inside:
            return product
        mask = masks[recurrence.parameter(product.matrix).columns]
        return replace(product, operand=product.operand * sp.Symbol(mask.name))

    products = tuple(masked(p) for p in recurrence.products)
    return replace(recurrence, products=products, parameters=(*recurrence.parameters, *masks.values())), tuple(
        m.name for m in masks.values()
    )


def is_masked(recurrence: Recurrence, product: Product) -> bool:
    """Whether dropout is applied to what a product of the loop reads: where the map is learnt."""
    return not isinstance(product.matrix, OverUnits) and product.matrix not in recurrence.constant
