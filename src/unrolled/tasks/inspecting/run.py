"""A report on a run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from unrolled.data.formats.bad_rows import none_left_out
from unrolled.data.vocabulary import END
from unrolled.errors import ConfigError
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.inspect.report import Report, report_on, report_without_input
from unrolled.inspect.report.wording import counted, excerpt, network_name
from unrolled.inspect.subject import recurrent_of
from unrolled.tasks import load, recipe_of
from unrolled.tasks.inspecting.companion import companion
from unrolled.tasks.inspecting.source import held_out, read_again
from unrolled.tasks.inspecting.training import training_section
from unrolled.training import RunFolder

ENCODER = " What is looked into here is its encoder, which reads the source: memory, gradients and gates are those of the encoder."

NO_INPUT = (
    "No input was given, and what the run held out in training cannot be read again: it is gone, is not what it was, or is large. So this page has only "
    "what needs no input."
)

WITH_INPUT = (
    "`at` and `beside` need an input: none was given, and what the run held out in training cannot be read again, as it is gone, is not what it was, or "
    "is large. Pass an INPUT."
)


def inspect_run(
    folder: RunFolder, given: str | Path | None = None, *, beside: RunFolder | None = None, at: int | None = None, most: int = 1000
) -> Report:
    """A report on a run and what it makes of an input: a text, or a file of the kind that it learnt from, of which `most` steps are read.

    Without an input what the run held out stands for it, and where that cannot be read again the report has what needs none. `beside` is
    another run of the same data, for comparison; `at` is the step that is looked at; see `report_on`. Raises `RunError` for a folder that
    holds no whole run, `DataError` for an input that cannot be read, `ConfigError` for a step that there is not, for a run that cannot
    stand beside this one, and for either of them where there is no input.
    """
    trained = load(folder.path)
    if trained.looks_itself:
        return _looked_itself(folder, trained, given, asked=at is not None or beside is not None)
    other = None if beside is None else companion(folder, beside)
    known = held_out(folder, trained, most)
    with none_left_out():
        inspected = known if given is None else trained.inspection_input(given, most)
    title, training = f"Inside {folder.path.resolve().name}", training_section(folder)
    about = [
        _network(trained, recipe_of(folder.path).noun),
        *([] if other is None else [f"Beside it stands {other.phrase}: {network_name(recurrent_of(other.model))}."]),
    ]
    if inspected is None and (at is not None or beside is not None):
        raise ConfigError(WITH_INPUT)
    if inspected is None:
        return Report(title, [*about, NO_INPUT], [*report_without_input(trained.model), training])
    if inspected.sample is None and known is not None:
        inspected = replace(inspected, sample=known.sample)
    return Report(title, [*about, _input(inspected)], [*report_on(inspected, at, other), training])


def _looked_itself(folder: RunFolder, trained: Any, given: str | Path | None, *, asked: bool) -> Report:
    """A report of sections that a network has itself."""
    noun = recipe_of(folder.path).noun
    if asked:
        raise ConfigError(f"`at` and `beside` look into what is read step by step, and {folder} holds {noun}. Leave them out.")
    with none_left_out():
        found = trained.sections(given, read_again(folder) if given is None else None)
    parameters = sum(p.numel() for p in trained.model.parameters())
    about = [f"{noun[0].upper()}{noun[1:]}: {parameters:,} parameters.", *([] if found else [NO_INPUT])]
    return Report(f"Inside {folder.path.resolve().name}", about, [*(found or ()), training_section(folder)])


def _network(trained: Any, noun: str) -> str:
    """The network in a sentence."""
    layer = recurrent_of(trained.model)
    parameters = sum(p.numel() for p in trained.model.parameters())
    of_encoder = ENCODER if trained.model.writes else ""
    return f"{noun[0].upper()}{noun[1:]}: {network_name(layer)}, {parameters:,} parameters.{of_encoder}"


def _input(inspected: InspectionInput) -> str:
    symbols, end = inspected.symbols[inspected.first :], ""
    if inspected.writes and symbols[-1] == END:
        symbols, end = symbols[:-1], f", and {END} at the end"
    text = "numbers." if inspected.level == "step" else excerpt(symbols, inspected.level)
    note = f" {inspected.note}." if inspected.note else ""
    return f"It reads {counted(len(symbols), inspected.unit)}{end}: {text}{note}"
