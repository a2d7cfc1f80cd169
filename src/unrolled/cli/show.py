"""`unrolled show`: a cell, printed."""

import click

from unrolled.cells import BUILT_IN, Cell, find_cell
from unrolled.compiler import make_plan, plan_to_text
from unrolled.compiler.native import make_kernel
from unrolled.equations import to_latex
from unrolled.errors import DataError


@click.command()
@click.argument("cell", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(["text", "latex", "plan", "c"]),
    default="text",
    help="Equations, LaTeX, the plan with its derivative, or its C code.",
)
def show(cell: str | None, form: str) -> None:
    """Print CELL, a built-in cell's name or a file of equations; without CELL, list the built-in cells."""
    if cell is None:
        for name, known in BUILT_IN.items():
            click.echo(f"{name:18} {known.reference}")
        return
    click.echo(_forms(_find(cell), form))


def _find(name: str) -> Cell:
    try:
        return find_cell(name)
    except DataError as error:
        raise DataError(f"{error} The built-in cells are {', '.join(BUILT_IN)}.") from None


def _forms(cell: Cell, form: str) -> str:
    if form == "latex":
        return to_latex(cell.recurrence)
    if form == "plan":
        return plan_to_text(make_plan(cell.recurrence))
    if form == "c":
        return make_kernel(make_plan(cell.recurrence)).text
    return cell.equations
