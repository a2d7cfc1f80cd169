"""The sections of a report, one for each question, and the report on a network and a sequence."""

from unrolled.cells import Cell
from unrolled.compiler import make_plan, plan_to_svg
from unrolled.errors import ConfigError
from unrolled.inspect.report.backwards import flow_section, maps_section
from unrolled.inspect.report.expecting import prediction_section
from unrolled.inspect.report.inside import gates_section
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import Graph
from unrolled.inspect.report.remembering import forgetting_section, memory_section, untrained_elman
from unrolled.inspect.specimen import Beside, Specimen
from unrolled.inspect.subject import Looked, recurrent_of


def report_on(specimen: Specimen, at: int | None = None, beside: Beside | None = None) -> list[Section]:
    """Everything that an input shows, next to what is `beside` it: an untrained Elman network if nothing is said.

    `at` is the step that is looked at, from the end where negative; the last one if nothing is said, or the middle one of a network that
    reads both ways. Raises `ConfigError` for a step that there is not.
    """
    at = specimen.last if at is None else at
    if not -specimen.steps <= at < specimen.steps:
        raise ConfigError(f"`--at` must lie between {-specimen.steps} and {specimen.steps - 1}, the steps of the input, got {at}.")
    at %= specimen.steps
    beside, expected = beside or untrained_elman(specimen), prediction_section(specimen)
    return [
        memory_section(specimen, beside, at),
        forgetting_section(specimen, beside),
        flow_section(specimen, at),
        gates_section(specimen),
        graph_section(specimen.layer.cell),
        *([expected] if expected else []),
    ]


def report_without_input(model: Looked) -> list[Section]:
    """What needs no input."""
    return [maps_section(model), graph_section(recurrent_of(model).cell)]


def graph_section(cell: Cell) -> Section:
    """The unrolled graph of a cell."""
    svg = plan_to_svg(make_plan(cell.recurrence), cell.name, prefix="graph")
    return Section(
        "unrolled",
        "The unrolled graph",
        "Three steps of the cell side by side. Inputs come from below, states go from left to right; the marked wires are the ways on which the "
        "gradient comes back. Pointing at a box shows its equation.",
        f"The cell {cell.name}: {cell.reference or 'equations of its own'}",
        [Graph("graph", svg, f"The cell {cell.name}, unrolled over three steps")],
        {"cell": cell.name, "equations": cell.equations},
    )
