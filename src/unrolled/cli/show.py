"""`unrolled show`: a cell, printed."""

from importlib import import_module
from pathlib import Path

import click

from unrolled.cells import BUILT_IN, Cell, find_cell
from unrolled.errors import DataError
from unrolled.files import write_file

MOST_STEPS = 15
"""Most steps of a graph, as `unrolled.compiler.drawing` has it."""


@click.command()
@click.argument("cell", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(["text", "latex", "plan", "c", "graph"]),
    default="text",
    help="Equations, LaTeX, the plan with its derivative, its C code, or the unrolled graph as SVG.",
)
@click.option("--steps", type=click.IntRange(1, MOST_STEPS), default=3, show_default=True, help="Steps of the graph, side by side.")
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
        write_file(out, f"{text}\n".encode())
    except OSError as error:
        raise DataError(f"{str(out)!r} cannot be written: {error.strerror}. Give `--out` another place.") from None


def _find(name: str) -> Cell:
    try:
        return find_cell(name)
    except DataError as error:
        raise DataError(f"{error} The built-in cells are {', '.join(BUILT_IN)}.") from None


def _forms(cell: Cell, form: str, steps: int) -> str:
    """The cell in a form; what that needs is loaded only where it is asked for."""
    if form == "text":
        return cell.equations
    if form == "latex":
        return str(import_module("unrolled.equations").to_latex(cell.recurrence))
    compiler = import_module("unrolled.compiler")
    plan = compiler.make_plan(cell.recurrence)
    if form == "plan":
        return str(compiler.plan_to_text(plan))
    if form == "c":
        return str(import_module("unrolled.compiler.native").make_kernel(plan).text)
    return str(compiler.plan_to_svg(plan, cell.name, steps))
