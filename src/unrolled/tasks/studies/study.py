"""The way of a study through its folder: begun, and gone on with, run by run."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from unrolled.cells import Cell, find_cell
from unrolled.data.text import Source
from unrolled.errors import ConfigError, RunError, TrainingError
from unrolled.options import LARGEST, build, options_of, table
from unrolled.tasks.configuration import Configuration, default_cell, groups_of
from unrolled.tasks.folds import FoldOptions
from unrolled.tasks.recipe import AnyRecipe
from unrolled.tasks.runs import run_training
from unrolled.tasks.same_data import other_data
from unrolled.tasks.studies.matching import NEAR, check_states, match_parameters
from unrolled.tasks.studies.options import StudyOptions
from unrolled.tasks.studies.plan import Plan, Settings, is_study, runs_of
from unrolled.tasks.telling import told_once
from unrolled.training import Display, RunFolder
from unrolled.training.options import CHANGEABLE, LIMITS

_WITH_PATHS = ("data", "reading")
"""The groups of options that may name files, which are to be found wherever one stands."""


@dataclass(frozen=True)
class Done:
    """How a call ended: whether every run is finished or `failed`, by name with what was wrong."""

    finished: bool
    failed: Mapping[str, str]


def asks_for_several(options: Mapping[str, Any]) -> bool:
    """Whether options are those of a study, and not of one run."""
    several = any(options.get(option.name) is not None for option in options_of(StudyOptions))
    return several or len(_named_cells(options.get("cell"))) > 1


def begin_study(
    recipe: AnyRecipe, data: Source | Sequence[Source], folder: RunFolder, options: Mapping[str, Any], display: Display
) -> Done:
    """Train every run that the options name, in a new folder: `folds`, `seeds`, and of `cell` several, in a list or with commas between.

    Errors are those of `run_training`, and `ConfigError` where runs could not be compared.
    """
    sources = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    names = [option.name for option in options_of(StudyOptions)]
    asked = build(StudyOptions, {name: options[name] for name in names if name in options})
    common = {name: value for name, value in options.items() if name not in (*names, "cell", "seed") and value is not None}
    common["sources"] = sources or common.get("sources", ())
    cells = [find_cell(cell) for cell in _named_cells(options.get("cell")) or [default_cell(recipe.options)]]
    _require_comparable(recipe, asked, common, cells)
    first = options.get("seed") or 0
    with told_once(), folder.taken():
        common, hidden, fingerprint = _looked_into(recipe, asked, common, cells, first, display)
        seeds = range(first, min(first + (asked.seeds or 1), LARGEST))
        runs = runs_of(cells, hidden, seeds, asked.folds, bool(asked.seeds))
        plan = Plan(recipe.name, common, {cell.name: cell for cell in cells}, runs, fingerprint)
        with folder.hold():
            plan.write(folder)
            return _train(recipe, plan, folder, display)


def resume_study(
    recipe: AnyRecipe, data: Source | Sequence[Source], folder: RunFolder, options: Mapping[str, Any], display: Display
) -> Done:
    """Go on with a study, whose data it knows: finished runs stay as they are, unless `options` let them go on, too.

    `RunError` if the data has changed, or something foreign lies in the place of a run; nothing is written then.
    """
    if not is_study(folder):
        folder.read_config()
        raise ConfigError(f"{folder} holds one run, which is resumed without `folds`, `seeds`, `match` and several cells. Leave them out.")
    plan = Plan.read(folder)
    if plan.task != recipe.name:
        raise RunError(
            f"{folder} holds runs of the task {plan.task!r}, not of {recipe.name!r}. Go on with them as `unrolled train {plan.task}`."
        )
    for name in [*(["sources"] if data else []), *options]:
        if name not in CHANGEABLE:
            told = recipe.data_name if name == "sources" else f"`{name}`"
            raise ConfigError(f"{told} cannot change when a study is resumed. Leave it out, or begin a new one.")
    if options:
        dropped = LIMITS if LIMITS & options.keys() else set()
        plan = dataclasses.replace(plan, options={**{n: v for n, v in plan.options.items() if n not in dropped}, **options})
    with told_once(), folder.hold():
        _require_ready(recipe, plan, folder, display)
        if options:
            plan.write(folder)
        return _train(recipe, plan, folder, display)


def _require_ready(recipe: AnyRecipe, plan: Plan, folder: RunFolder, display: Display) -> None:
    """An error if what is left of a study cannot be trained, as far as that is seen before it is begun."""
    left = [name for name in plan.runs if _left(recipe, plan, folder, name) is not None]
    for name in left:
        configuration = _configuration(recipe, plan.of(name))
        configuration.options.training.require()
    if left:
        with display:
            if recipe.read(configuration, display.work).fingerprint != plan.fingerprint:
                raise other_data(configuration, folder)


def _named_cells(cell: Any) -> list[str | Cell]:
    """What is meant by a cell, several, or a text with several names: none where nothing is said."""
    if isinstance(cell, list | tuple):
        return [found for each in cell for found in _named_cells(each)]
    if not isinstance(cell, str) or os.path.exists(cell):
        return [] if cell is None else [cell]
    return [name for part in cell.split(",") if (name := part.strip())]


def _require_comparable(recipe: AnyRecipe, asked: StudyOptions, options: Settings, cells: Sequence[Cell]) -> None:
    """`ConfigError` for options that cannot be together."""
    if asked.folds is None and asked.seeds is None and len(cells) < 2:
        several = "`match` is for several cells" if asked.match else "A study has several runs"
        raise ConfigError(f"{several}. Give `folds`, `seeds`, or cells with commas between them, as in `cell='lstm,gru'`.")
    if asked.match and len(cells) < 2:
        raise ConfigError("`match` gives several cells as many parameters, and there is one. Name more, as in `cell='lstm,gru'`.")
    if asked.match and options.get("layers") == 0:
        raise ConfigError("`match` chooses hidden sizes, which `layers=0` has none of. Leave one of them out.")
    if asked.folds is None:
        if options.get("held_out") == 0 and not options.get("validation"):
            raise ConfigError("Several runs are compared on what is held out, which with `held_out=0` is nothing. Hold something out.")
    elif not issubclass(groups_of(recipe.options)["data"], FoldOptions):
        raise ConfigError(
            f"`folds` divides examples, and {recipe.noun} learns what comes first, of which the end is held out. Leave it out; `seeds` "
            "trains several on the same data."
        )
    elif "held_out" in options:
        raise ConfigError(
            "`folds` says how much each run holds out, one part of as many, and `held_out` says it too. Leave one of them out."
        )


def _looked_into(
    recipe: AnyRecipe, asked: StudyOptions, options: Settings, cells: Sequence[Cell], seed: int, display: Display
) -> tuple[dict[str, Any], Mapping[str, int], str]:
    """The options with paths that hold wherever one stands, the hidden sizes that were chosen, and the fingerprint of the data; what cannot be is an error before any run begins."""
    part = {"fold": [1, asked.folds]} if asked.folds else {}
    configuration = _configuration(recipe, {**options, **part, "cell": cells[0], "seed": seed})
    configuration.options.training.require()
    with display:
        data = recipe.read(configuration, display.work)
    by_name = {cell.name: cell for cell in cells}

    def network(name: str, hidden: int) -> torch.nn.Module:
        sized = _configuration(recipe, {**options, **part, "cell": by_name[name], "seed": seed, "hidden": hidden})
        with torch.device("meta"):
            return recipe.build(recipe.resolve(sized, data.codecs), data.codecs, by_name[name])

    def count(name: str, hidden: int) -> int:
        return sum(p.numel() for p in network(name, hidden).parameters())

    model: Any = configuration.options.model
    sizes = match_parameters(count, list(by_name), model.hidden) if asked.match else {}
    for cell in cells[1:] if sizes else ():
        check_states(cell.name, sizes[cell.name], network(cell.name, sizes[cell.name]))
    counts = {name: count(name, sizes.get(name, model.hidden)) for name in by_name}
    for name, found in counts.items():
        apart = found / counts[cells[0].name] - 1
        told = f" That is {apart:+.1%}: no hidden size comes nearer." if sizes and abs(apart) > NEAR else ""
        display.say(f"{name}: hidden size {sizes.get(name, model.hidden):,}, {found:,} parameters.{told}")
    return _absolute(configuration, options), sizes, data.fingerprint


def _configuration(recipe: AnyRecipe, options: Settings) -> Configuration[Any]:
    return Configuration.from_flat(recipe.name, recipe.options, {**options, "cell": find_cell(options["cell"]).name})


def _absolute(configuration: Configuration[Any], options: Settings) -> dict[str, Any]:
    """Those of the options that were given, ready for TOML."""
    resolved: dict[str, Any] = {}
    for group in _WITH_PATHS:
        resolved |= table(getattr(configuration.options, group)) if hasattr(configuration.options, group) else {}
    return {name: resolved.get(name, value) for name, value in options.items()}


def _train(recipe: AnyRecipe, plan: Plan, folder: RunFolder, display: Display) -> Done:
    failed: dict[str, str] = {}
    for number, name in enumerate(plan.runs, 1):
        run, changes = folder.inside(name), _left(recipe, plan, folder, name)
        if changes is None:
            continue
        display.say(f"Run {number} of {len(plan.runs)}: {run}")
        begun = run.begun
        try:
            outcome = run_training(recipe, (), run, changes, display, resume=begun, fingerprint=plan.fingerprint, rivals=False)
        except TrainingError as error:
            failed[name] = str(error)
            display.say(f"{name} failed: {error}")
            continue
        except KeyboardInterrupt:
            return Done(False, failed)
        if not outcome.finished:
            return Done(False, failed)
    return Done(True, failed)


def _left(recipe: AnyRecipe, plan: Plan, folder: RunFolder, name: str) -> dict[str, Any] | None:
    """The options with which a run is still to be begun or gone on with; None if nothing is left to do."""
    run = folder.inside(name)
    if run.begun:
        changes = _changes(recipe, plan.of(name), run)
        return changes if changes or not run.finished else None
    if not run.new:
        raise RunError(f"{run} holds other files, and no run of the study {folder}. Move them away; `resume` then trains this run anew.")
    return plan.of(name)


def _changes(recipe: AnyRecipe, options: Settings, run: RunFolder) -> dict[str, Any]:
    """What the study says of a run that was begun, and the run does not know yet."""
    wanted, stored = (
        table(c.options.training) for c in (_configuration(recipe, options), Configuration.read(recipe.name, recipe.options, run))
    )
    return {name: value for name, value in wanted.items() if name in CHANGEABLE and stored.get(name) != value}
