"""`unrolled show`: a cell, or all of them, printed."""

import difflib
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any

import click

from unrolled.cells import BUILT_IN, Cell, find_cell
from unrolled.errors import ConfigError, DataError
from unrolled.files import write_file

MOST_STEPS = 15
"""Most steps of a graph, as `unrolled.compiler.drawing` has it."""


@click.command()
@click.argument("cell", required=False)
@click.option(
    "--as",
    "form",
    type=click.Choice(["text", "latex", "plan", "c", "graph", "markdown"]),
    default="text",
    help="Equations, LaTeX, the plan with its derivative, its C code, the unrolled graph as SVG, or a page with equations, costs and graph.",
)
@click.option("--steps", type=click.IntRange(1, MOST_STEPS), default=3, show_default=True, help="Steps of the graph, side by side.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: equations, initial values, source.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write there.  [default: to the terminal]")
def show(cell: str | None, form: str, steps: int, as_json: bool, out: Path | None) -> None:
    """Print CELL, a built-in cell's name or a file of equations; without CELL, list the built-in cells.

    A page (`--as markdown`) without CELL has all of them. Written to a file, it has its graphs in a folder beside it.
    """
    if cell is None and form not in ("text", "markdown"):
        raise ConfigError(f"`--as {form}` is for one cell. Name a CELL; `unrolled show` lists them.")
    if as_json:
        text = json.dumps(
            _object(_find(cell)) if cell else [_object(each) for each in BUILT_IN.values()], ensure_ascii=False, allow_nan=False
        )
    elif form == "markdown":
        text = _page(_families() if cell is None else _find(cell), steps, out)
    else:
        text = _list() if cell is None else _forms(cell, form, steps)
    text = text.rstrip("\n")
    if out is None:
        click.echo(text)
    else:
        _write(out, text)


def _write(path: Path, text: str, *, into_new: bool = False) -> None:
    """Write a text, `into_new` into a folder that need not be there."""
    try:
        if into_new:
            path.parent.mkdir(exist_ok=True)
        write_file(path, f"{text}\n".encode())
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be written: {error.strerror}. Give `--out` another place.") from None


def _find(name: str) -> Cell:
    try:
        return find_cell(name)
    except DataError as error:
        close = difflib.get_close_matches(name, BUILT_IN, n=3)
        meant = f" Did you mean {' or '.join(close)}?" if close else ""
        raise DataError(f"{error}{meant} `unrolled show` lists the built-in cells.") from None


def _list() -> str:
    """The built-in cells by family, from the headers of their files alone."""
    lines = []
    for family, cells in BUILT_IN.families().items():
        lines += ["", click.style(family, bold=True)]
        for name, told in cells.items():
            lines += [f"  {name:20} {told['year']}  {told['about']}", f"{'':29}{told['reference']}"]
    return "\n".join([*lines[1:], "", "unrolled show NAME prints the equations of one."])


def _object(cell: Cell) -> dict[str, Any]:
    """What JSON has of a cell; it knows no infinite numbers, which are texts."""
    begin = {state: value if isfinite(value) else str(value) for state, value in cell.begin.items()}
    return {**cell.header, **({"begin": begin} if begin else {}), "states": cell.states, "equations": cell.equations.splitlines()}


def _families() -> dict[str, list[Cell]]:
    return {family: [BUILT_IN[name] for name in names] for family, names in BUILT_IN.families().items()}


def _page(cells: Cell | Mapping[str, Sequence[Cell]], steps: int, out: Path | None) -> str:
    """A page of one cell or of families of them; what is written to a file has its graphs beside it."""
    compiler, pages, layers = map(import_module, ("unrolled.compiler", "unrolled.compiler.catalogue", "unrolled.layers.sizes"))

    def shown(cell: Cell) -> Any:
        plan, file = compiler.make_plan(cell.recurrence), out and out.with_suffix("") / f"{cell.name}.svg"
        if file:
            _write(file, compiler.plan_to_svg(plan, cell.name, steps), into_new=True)
        usual = {**dict.fromkeys(cell.recurrence.labels, pages.SIZE), "x": pages.inputs_of(cell.recurrence)}
        costs = pages.costs_of(plan, layers.sizes_in_layer(cell, usual, pages.SIZE, ()))
        return pages.Shown(cell, costs, f"{file.parent.name}/{file.name}" if file else "")

    if isinstance(cells, Cell):
        return str(pages.card(shown(cells)))
    return str(pages.catalogue({family: [shown(cell) for cell in some] for family, some in cells.items()}))


def _forms(name: str, form: str, steps: int) -> str:
    """The cell in a form; what that needs is loaded only where it is asked for."""
    if form == "text" and name in BUILT_IN:
        return BUILT_IN.written(name)
    cell = _find(name)
    if form == "text":
        return cell.equations
    if form == "latex":
        return str(import_module("unrolled.equations").to_latex(cell.recurrence))
    if form == "c" and cell.recurrence.convolves:
        raise ConfigError(f"The cell {cell.name!r} names convolutions, for which there is no C: torch computes them.")
    compiler = import_module("unrolled.compiler")
    plan = compiler.make_plan(cell.recurrence)
    if form == "plan":
        return str(compiler.plan_to_text(plan))
    if form == "c":
        return str(import_module("unrolled.compiler.native").make_kernel(plan).text)
    return str(compiler.plan_to_svg(plan, cell.name, steps))
