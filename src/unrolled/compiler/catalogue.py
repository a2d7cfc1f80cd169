"""Cells as a page of Markdown: what each is for, its equations, what it costs, its picture."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from unrolled.cells import Cell
from unrolled.compiler.plan import Plan, Stage
from unrolled.equations import Along, Made, Parameter, Recurrence, to_latex
from unrolled.equations.recurrence import OverUnits

SIZE = 128
"""The units and inputs for which a page says what a cell costs."""
DIMENSIONS = 2
"""Those of the planes of a cell that convolves; it is said what a place costs."""


@dataclass(frozen=True)
class Costs:
    """What a cell costs: the numbers that it learns, and how many numbers its matrix products multiply at a step, and those inside the loop.

    What is outside reads the input alone and is computed for all steps at once.
    """

    parameters: int
    products: int
    in_loop: int


@dataclass(frozen=True)
class Shown:
    """A cell as a page shows it; `picture` is the address of its graph, empty if there is none."""

    cell: Cell
    costs: Costs
    picture: str


def inputs_of(recurrence: Recurrence) -> int:
    """The inputs for which a page says what a cell costs: of parts of an input, so many for each whose size is not declared."""
    given = dict(recurrence.given)
    parts = [int(given[label].units(SIZE, SIZE)) if label in given else SIZE for _, label in recurrence.parts]
    return sum(parts) or SIZE


def costs_of(plan: Plan, sizes: Mapping[str, int]) -> Costs:
    """What a plan's cell costs where its size labels have so many units."""
    recurrence = plan.recurrence

    def numbers(parameter: Parameter) -> int:
        rows, columns = (sizes[label] if label else 1 for label in (parameter.rows, parameter.columns))
        read = [recurrence.parameter(name).form for name in parameter.made.names] if parameter.made else [parameter.form]
        return rows * columns // parameter.form.blocks * max([1, *(form.kernel for form in read)]) ** DIMENSIONS

    def multiplied(matrix: str) -> int:
        if isinstance(matrix, OverUnits):
            return 0
        parameter = recurrence.parameter(matrix)
        match parameter.made:
            case Along(role):  # A matrix that is a state, read by rows or columns.
                return sizes[parameter.columns] if role.startswith("add") else 0
            case Made("blocks", (str(name),)):
                return numbers(recurrence.parameter(name))
        return 0 if recurrence.is_implied(matrix) else numbers(parameter)  # Sums and parts of the input are no products.

    def of(stages: Iterable[Stage]) -> int:
        return sum(multiplied(product.matrix) for stage in stages for product in stage.products)

    in_loop = of(plan.stages)
    return Costs(sum(map(numbers, recurrence.learned)), of(plan.prologue) + in_loop, in_loop)


def card(shown: Shown) -> str:
    """One cell as Markdown, below a heading of the third order."""
    cell, costs = shown.cell, shown.costs
    names = [f"`{state}`" for state in cell.states if state not in cell.recurrence.counters]
    states = f"{len(names)} states, {', '.join(names)}, the output first" if len(names) > 1 else f"One state, {names[0]}"
    return "\n\n".join(filter(None, [
        f"### {cell.name}",
        cell.about,
        f"{cell.reference}." if cell.reference else "",
        f"```cell\n{cell.to_bare_text()}```",
        f"```math\n{to_latex(cell.recurrence)}\n```",
        f"{states}. {costs.parameters:,} parameters and {costs.products:,} products a step, {costs.in_loop:,} of them in the loop.",
        f"![The unrolled graph of {cell.name}]({shown.picture})" if shown.picture else "",
    ]))  # fmt: skip


def catalogue(families: Mapping[str, Sequence[Shown]]) -> str:
    """A page of cells by family."""
    parts = [_INTRODUCTION]
    for family, cells in families.items():
        rows = "\n".join(map(_row, cells))
        parts += [f"## {family}", f"{_TABLE}\n{rows}", *map(card, cells)]
    return "\n\n".join(parts)


def _row(shown: Shown) -> str:
    cell, costs = shown.cell, shown.costs
    numbers = f"{len(cell.states)} | {costs.parameters:,} | {costs.products:,} | {costs.in_loop:,}"
    return f"| [{cell.name}](#{cell.name}) | {cell.year} | {cell.about} | {numbers} |"


_TABLE = "| cell | year | what it is for | states | parameters | products | in the loop |\n|---|---|---|---|---|---|---|"
_INTRODUCTION = f"""\
# The cells

Every built-in cell, the oldest first in each family. A name is what `--cell` and `un.Recurrent` take; `unrolled show NAME` prints the equations,
which are in the language of [language.md](language.md), and a good place to start a cell of your own. What stands above a line `---` belongs to
the cell: constants, sizes, how parameters begin; vectors begin with 0 unless something else is said.

Costs are for {SIZE} inputs (in each part, where the input has several) and {SIZE} units: the numbers that are learnt, and how many numbers the
matrix products of a step multiply. Those that are not in the loop read the input alone, and are computed for all steps at once. In the pictures,
thick wires are where the gradient goes straight back in time ([how to read them](inspect.md#the-unrolled-graph-of-a-cell)).

This page is made of the cells by `make docs`."""
