"""A report on a run."""

from pathlib import Path
from typing import Any

from unrolled.inspect.report import Report, graph_section, report_on
from unrolled.inspect.report.wording import counted, excerpt
from unrolled.inspect.specimen import Specimen
from unrolled.inspect.subject import recurrent_of
from unrolled.tasks import load
from unrolled.tasks.inspecting.trained import training_section
from unrolled.training import RunFolder

PAGE = "report.html"
"""The page in a run's folder if no other place is named."""


def inspect_run(folder: RunFolder, given: str | Path | None = None, *, at: int | None = None, most: int = 1000) -> Report:
    """A report on a run and what it makes of an input: a text, or a file of the kind that it learnt from, of which `most` steps are read.

    `at` is the step that is looked at; see `report_on`. Without an input the report has what needs none. Raises `RunError` for a folder that
    holds no whole run, `DataError` for an input that cannot be read, `ConfigError` for a step that there is not.
    """
    trained = load(folder.path)
    training = training_section(folder)
    title = f"Inside {folder.path.resolve().name}"
    if given is None:
        cell = recurrent_of(trained.model).cell
        return Report(
            title, [_network(trained), "No input was given, so that this page has only what needs none."], [graph_section(cell), training]
        )
    specimen = trained.specimen(given, most)
    about = [_network(trained), _input(specimen)]
    return Report(title, about, [*report_on(specimen, at), training])


def _network(trained: Any) -> str:
    """The network in a sentence."""
    layer = recurrent_of(trained.model)
    parameters = sum(p.numel() for p in trained.model.parameters())
    ways = ", reading both ways" if layer.bidirectional else ""
    return f"{type(trained.model).__name__}: {layer.cell.name}, {counted(layer.num_layers, 'layer')} of {layer.hidden_size} units{ways}, {parameters:,} parameters."


def _input(specimen: Specimen) -> str:
    text = excerpt(specimen.symbols[specimen.first :], specimen.level)
    note = f" {specimen.note}." if specimen.note else ""
    return f"It reads {counted(specimen.steps - specimen.first, specimen.unit)}: {text}{note}"
