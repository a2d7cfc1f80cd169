"""Cells as a page of Markdown: what each is for, its equations, what it costs, its picture."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from unrolled.cells import Cell
from unrolled.compiler.plan import Plan, Stage
from unrolled.equations import to_latex
from unrolled.equations.recurrence import MEAN

SIZE = 128
"""The units and inputs for which a page says what a cell costs."""


@dataclass(frozen=True)
class Costs:
    """What a cell costs: the numbers that it learns, and how many numbers its matrix products multiply at a step, and those inside the loop.

    What is outside reads the input alone and is computed for all steps at once.
    """

    parameters: int
    products: int
    in_loop: int


def costs_of(plan: Plan, inputs: int = SIZE, units: int = SIZE) -> Costs:
    """What a plan's cell costs with `inputs` columns and `units` units in every state."""
    recurrence = plan.recurrence
    sizes = {**dict.fromkeys(recurrence.labels, units), "x": inputs}
    numbers = {p.name: sizes[p.rows] * (sizes[p.columns] if p.is_matrix else 1) for p in recurrence.parameters}

    def multiplied(stages: Iterable[Stage]) -> int:
        return sum(numbers[product.matrix] for stage in stages for product in stage.products if product.matrix != MEAN)

    in_loop = multiplied(plan.stages)
    return Costs(sum(numbers.values()), multiplied(plan.prologue) + in_loop, in_loop)


def card(cell: Cell, plan: Plan, picture: str = "") -> str:
    """One cell as Markdown, below a heading of the third order; `picture` is the address of its graph, which is left out if there is none."""
    begun = [f"`{name}` at {value:g}" for name, value in cell.init.items()]
    vectors = any(not p.is_matrix for p in cell.recurrence.parameters)
    states = f"{_count(len(cell.states), 'state')}, {', '.join(f'`{s}`' for s in cell.states)}, of which `{cell.states[0]}` is the output"
    costs = costs_of(plan)
    return "\n\n".join(filter(None, [
        f"### {cell.name}",
        cell.about,
        f"{cell.reference}." if cell.reference else "",
        f"```cell\n{cell.equations}\n```",
        f"```math\n{to_latex(cell.recurrence)}\n```",
        f"{states if len(cell.states) > 1 else f'One state, `{cell.states[0]}`'}. {costs.parameters:,} parameters and {costs.products:,} products a step, "
        f"{costs.in_loop:,} of them in the loop." + (f" Vectors start at 0{', but ' * bool(begun)}{', '.join(begun)}." if vectors else ""),
        f"![The unrolled graph of {cell.name}]({picture})" if picture else "",
    ]))  # fmt: skip


def catalogue(families: Mapping[str, Mapping[str, tuple[Cell, Plan]]], pictures: Mapping[str, str]) -> str:
    """A page of cells by family; `pictures` are addresses of graphs by the cells' names."""
    parts = [_INTRODUCTION]
    for family, cells in families.items():
        rows = "\n".join(_row(cell, plan) for cell, plan in cells.values())
        parts += [f"## {family}", f"{_TABLE}\n{rows}", *(card(cell, plan, pictures.get(name, "")) for name, (cell, plan) in cells.items())]
    return "\n\n".join(parts)


def _row(cell: Cell, plan: Plan) -> str:
    costs = costs_of(plan)
    numbers = f"{len(cell.states)} | {costs.parameters:,} | {costs.products:,} | {costs.in_loop:,}"
    return f"| [{cell.name}](#{cell.name}) | {cell.year or ''} | {cell.about} | {numbers} |"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


_TABLE = "| cell | year | what it is for | states | parameters | products | in the loop |\n|---|---|---|---|---|---|---|"
_INTRODUCTION = f"""\
# The cells

Every built-in cell, the oldest first in each family. A name is what `--cell` and `un.Recurrent` take; `unrolled show NAME` prints the equations,
which are in the language of [language.md](language.md), and a good place to start a cell of your own.

Costs are for {SIZE} inputs and {SIZE} units: the numbers that are learnt, and how many numbers the matrix products of a step multiply. Those that are
not in the loop read the input alone, and are computed for all steps at once. In the pictures, thick wires are where the gradient goes straight back
in time ([how to read them](language.md#the-unrolled-graph)).

This page is made of the cells by `make docs`."""
