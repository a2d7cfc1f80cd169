"""The sections of a report, one for each question, and the report on a network and a sequence."""

from unrolled.cells import Cell
from unrolled.compiler import make_plan, plan_to_svg
from unrolled.errors import ConfigError
from unrolled.inspect.inspection_input import Beside, InspectionInput
from unrolled.inspect.report.backwards import flow_section, maps_section
from unrolled.inspect.report.expecting import prediction_section
from unrolled.inspect.report.inside import gates_section
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import Graph
from unrolled.inspect.report.remembering import forgetting_section, memory_section, untrained_elman
from unrolled.inspect.report.seeing import pixels_section
from unrolled.inspect.subject import Looked, recurrent_of


def report_on(inspected: InspectionInput, at: int | None = None, beside: Beside | None = None) -> list[Section]:
    """Everything that an input shows, next to what is `beside` it: an untrained Elman network if nothing is said.

    `at` is the step that is looked at, from the end where negative; the last one if nothing is said, or the middle one of a network that
    reads both ways. Raises `ConfigError` for a step that there is not.
    """
    at = inspected.last if at is None else at
    if not -inspected.steps <= at < inspected.steps:
        raise ConfigError(f"`at` must lie between {-inspected.steps} and {inspected.steps - 1}, the steps of the input, got {at}.")
    at %= inspected.steps
    beside, expected, seen = beside or untrained_elman(inspected), prediction_section(inspected), pixels_section(inspected, at)
    return [
        memory_section(inspected, beside, at),
        forgetting_section(inspected, beside),
        flow_section(inspected, at),
        gates_section(inspected),
        graph_section(inspected.layer.cell),
        *([seen] if seen else []),
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
