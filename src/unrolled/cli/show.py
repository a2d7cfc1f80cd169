"""`unrolled show`: a cell, printed."""

from pathlib import Path

import click

from unrolled.cells import BUILT_IN, Cell, find_cell
from unrolled.compiler import make_plan, plan_to_svg, plan_to_text
from unrolled.compiler.drawing import MOST
from unrolled.compiler.native import make_kernel
from unrolled.equations import to_latex
from unrolled.errors import DataError


@click.command()
@click.argument("cell", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(["text", "latex", "plan", "c", "graph"]),
    default="text",
    help="Equations, LaTeX, the plan with its derivative, its C code, or the unrolled graph as SVG.",
)
@click.option("--steps", type=click.IntRange(1, MOST), default=3, show_default=True, help="Steps of the graph, side by side.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write there.  [default: to the terminal]")
def show(cell: str | None, form: str, steps: int, out: Path | None) -> None:
    """Print CELL, a built-in cell's name or a file of equations; without CELL, list the built-in cells."""
    if cell is None:
        for name, known in BUILT_IN.items():
            click.echo(f"{name:18} {known.reference}")
        return
    text = _forms(_find(cell), form, steps).rstrip("\n")
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{str(out)!r} cannot be written: {error.strerror}. Give `--out` another place.") from None


def _find(name: str) -> Cell:
    try:
        return find_cell(name)
    except DataError as error:
        raise DataError(f"{error} The built-in cells are {', '.join(BUILT_IN)}.") from None


def _forms(cell: Cell, form: str, steps: int) -> str:
    if form == "latex":
        return to_latex(cell.recurrence)
    if form == "plan":
        return plan_to_text(make_plan(cell.recurrence))
    if form == "c":
        return make_kernel(make_plan(cell.recurrence)).text
    if form == "graph":
        return plan_to_svg(make_plan(cell.recurrence), cell.name, steps)
    return cell.equations
