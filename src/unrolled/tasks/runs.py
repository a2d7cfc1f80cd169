"""The way of every task through a run folder: begun, gone on with, loaded."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from unrolled.cells import Cell, cell_from_text, find_cell
from unrolled.data.text import Source
from unrolled.errors import ConfigError, RunError
from unrolled.options import options_of
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.recipe import ReadyTask, Recipe
from unrolled.training import Display, Outcome, RunFolder, TrainingOptions, train

CELL = "recurrence.cell"


def run_training(
    recipe: Recipe,
    data: Source | Sequence[Source],
    folder: RunFolder,
    options: Mapping[str, Any],
    display: Display,
    *,
    resume: bool = False,
) -> Outcome:
    """Begin a run in a new folder, or go on with the one in it.

    Raises `ConfigError`, `DataError`, `RunError` for what is wrong with options, data and folder, `TrainingError` when learning fails.
    """
    sources = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    return _resume(recipe, sources, folder, options, display) if resume else _begin(recipe, sources, folder, options, display)


def load_run(recipe: Recipe, folder: RunFolder) -> Any:
    """What a run of this recipe gave, ready to use. `RunError` for a folder that is not whole, or whose parts do not belong together."""
    configuration = Configuration.read(recipe.name, recipe.groups, folder)
    knowledge, cell = _read_parts(recipe, folder)
    model = _built(recipe, configuration, knowledge, cell, folder)
    folder.load_weights(model)
    return recipe.trained(model.to(TrainingOptions().find_device()).eval(), knowledge, configuration)


def next_step(recipe: Recipe, folder: RunFolder) -> str:
    """What one does with a run, as a sentence in which `{run}` stands for its folder."""
    configuration = Configuration.read(recipe.name, recipe.groups, folder)
    return recipe.next_step(recipe.from_json(folder.read_text(recipe.file)), configuration)


def _begin(recipe: Recipe, sources: list[Source], folder: RunFolder, options: Mapping[str, Any], display: Display) -> Outcome:
    cell = find_cell(options.get("cell") or _default_cell(recipe))
    values = {**options, "cell": cell.name, "sources": sources or options.get("sources")}
    configuration = Configuration.from_flat(recipe.name, recipe.groups, values)
    configuration["training"].require()
    folder.require_new()
    with display:
        material = recipe.read(configuration, display.work)
        configuration = dataclasses.replace(recipe.resolve(configuration, material.knowledge), fingerprint=material.fingerprint)
        torch.manual_seed(configuration["training"].seed)
        task = _task(recipe, recipe.build(configuration, material.knowledge, cell), material, configuration)
        with folder.hold():
            folder.require_new()
            folder.write_text(CELL, cell.to_file_text())
            folder.write_text(recipe.file, material.knowledge.to_json())
            configuration.write(folder)
            return _go(task, configuration, folder, display, resume=False)


def _default_cell(recipe: Recipe) -> str:
    (default,) = (o.default for o in options_of(recipe.groups["model"]) if o.name == "cell")
    return str(default)


def _resume(recipe: Recipe, sources: list[Source], folder: RunFolder, options: Mapping[str, Any], display: Display) -> Outcome:
    stored = Configuration.read(recipe.name, recipe.groups, folder)
    if sources:
        raise ConfigError("A run is resumed with the data it was begun with. Leave DATA out, or begin a new run.")
    configuration = stored.told_anew(options)
    configuration["training"].require()
    with display, folder.hold():
        knowledge, cell = _read_parts(recipe, folder)
        material = recipe.read(configuration, display.work)
        if (material.fingerprint, material.knowledge.to_json()) != (stored.fingerprint, knowledge.to_json()):
            raise RunError(f"The data is not the one that {folder} was begun with: {', '.join(stored['data'].sources)}. Begin a new run.")
        torch.manual_seed(configuration["training"].seed)
        task = _task(recipe, _built(recipe, configuration, knowledge, cell, folder), material, configuration)
        configuration.write(folder)
        return _go(task, configuration, folder, display, resume=True)


def _task(recipe: Recipe, model: nn.Module, material: Any, configuration: Configuration) -> ReadyTask:
    """The task, once it is known that its network can run."""
    task = recipe.task(model, material, configuration)
    task.try_out()
    return task


def _go(task: ReadyTask, configuration: Configuration, folder: RunFolder, display: Display, *, resume: bool) -> Outcome:
    parameters = sum(p.numel() for p in task.model.parameters())
    device = next(task.model.parameters()).device
    display.say(f"{task.summary()}; {parameters:,} parameters on {device}, {torch.get_num_threads()} threads. Ctrl-C saves and stops.")
    return train(task, configuration["training"], folder, display, resume=resume)


def _read_parts(recipe: Recipe, folder: RunFolder) -> tuple[Any, Cell]:
    """What a task keeps in a run folder beside the configuration."""
    return recipe.from_json(folder.read_text(recipe.file)), cell_from_text(folder.read_text(CELL), "recurrence")


def _built(recipe: Recipe, configuration: Configuration, knowledge: Any, cell: Cell, folder: RunFolder) -> nn.Module:
    try:
        return recipe.build(configuration, knowledge, cell)
    except ConfigError as error:
        raise RunError(f"The configuration of {folder} describes no network: {error}") from None
