"""The way of every task through a run folder: begun, gone on with, loaded."""

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, Generic

import torch

from unrolled.cells import Cell, cell_from_text, find_cell
from unrolled.data.text import Source
from unrolled.data.vocabulary import damaged
from unrolled.errors import ConfigError, RunError, TrainingError, UnrolledError
from unrolled.plain import from_json
from unrolled.tasks.beginnings import Beginning, freeze
from unrolled.tasks.configuration import Configuration, G, default_cell
from unrolled.tasks.recipe import Recipe, T
from unrolled.tasks.rivals import Learnt, announced, train_rivals
from unrolled.tasks.same_data import other_data, require_there
from unrolled.tasks.task import Task
from unrolled.tasks.telling import told_once
from unrolled.tasks.trained import C, D, M
from unrolled.training import Callback, Display, Outcome, RunFolder, TrainingOptions, train
from unrolled.training.callbacks import callbacks_in
from unrolled.training.run_folder import CELL, CHECKPOINT, CODECS, WEIGHTS


def run_training(
    recipe: Recipe[G, D, C, M, T],
    data: Source | Sequence[Source],
    folder: RunFolder,
    options: Mapping[str, Any],
    display: Display,
    *,
    resume: bool = False,
    fingerprint: str | None = None,
    callbacks: Callback | Sequence[Callback] | None = (),
    rivals: bool = True,
) -> Outcome:
    """Begin a run in a new folder, or go on with the one in it. `fingerprint` is that of the data of a study, in whose folder that of a new run lies.
    After the network its `rivals` learn, if the recipe has some; the outcome is finished when all are.

    Raises `ConfigError`, `DataError`, `RunError` for what is wrong with options, data and folder, `TrainingError` when learning fails.
    """
    sources = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    told = callbacks_in(callbacks)
    with told_once():
        if resume:
            learnt = _resume(recipe, sources, folder, options, display, told, rivals=rivals)
        else:
            learnt = _begin(recipe, ask(recipe, sources, options), folder, display, fingerprint, told, rivals=rivals)
        if not (rivals and learnt.outcome.finished):
            return learnt.outcome
        changes = {**options, **({"sources": sources} if sources else {})} if resume else {}

        def go(run: RunFolder, configuration: Configuration[G]) -> Outcome:
            if run.begun:
                return _resume(recipe, [], run, changes, display, (), learnt.data).outcome
            return _begin(recipe, Asked(configuration, learnt.cell, None), run, display, None, (), learnt.data).outcome

        return train_rivals(recipe, learnt, folder, display, go, changed=bool(changes))


def load_run(recipe: Recipe[G, D, C, M, T], folder: RunFolder) -> T:
    """What a run of this recipe gave, ready to use. `RunError` for a folder that is not whole, or whose parts do not belong together."""
    configuration = Configuration.read(recipe.name, recipe.options, folder)
    codecs, cell = read_codecs(recipe, folder), _read_cell(folder)
    try:
        model = _built(recipe, configuration, codecs, cell, folder, WEIGHTS)
        folder.load_weights(model)
    except RunError as error:
        raise RunError(
            f"{error} Or resume {folder}, which goes on from its checkpoint." if folder.has_checkpoint() else str(error)
        ) from None
    trained = recipe.trained(model.to(TrainingOptions().find_device()).eval(), codecs, configuration)
    trained.folder = folder
    return trained


def read_codecs(recipe: Recipe[G, D, C, M, T], folder: RunFolder) -> C:
    """The codecs of a run. `RunError` for what is none."""
    try:
        return recipe.codecs(from_json(folder.read_text(CODECS)))
    except ValueError as error:
        raise damaged(f"{CODECS} is not JSON ({error})") from None


def next_step(recipe: Recipe[G, D, C, M, T], folder: RunFolder) -> str:
    """What one does with a run, as a sentence in which `{run}` stands for its folder."""
    return recipe.next_step(read_codecs(recipe, folder), Configuration.read(recipe.name, recipe.options, folder))


def _begin(
    recipe: Recipe[G, D, C, M, T],
    asked: "Asked[G]",
    folder: RunFolder,
    display: Display,
    fingerprint: str | None,
    callbacks: Sequence[Callback],
    data: D | None = None,
    *,
    rivals: bool = False,
) -> Learnt[G, D]:
    with display, folder.taken():
        prepared = prepare(recipe, asked, display, data)
        if fingerprint not in (None, prepared.configuration.fingerprint):
            raise other_data(asked.configuration, RunFolder(folder.path.parent))
        with folder.hold():
            folder.require_new()
            folder.write_text(CELL, asked.cell.to_file_text())
            folder.write_text(CODECS, json.dumps(prepared.data.codecs.to_json(), ensure_ascii=False))
            prepared.configuration.write(folder)
            then = announced(recipe, prepared.configuration, prepared.data.codecs, asked.cell) if rivals else ""
            outcome = _go(prepared.task, asked.configuration.options.training, folder, display, callbacks, then, resume=False)
            return Learnt(prepared.configuration, asked.cell, prepared.data, outcome)


@dataclasses.dataclass(frozen=True)
class Asked(Generic[G]):
    """A run that is to be begun, before its data is read: its options, its cell, and the run that it begins from, if there is one."""

    configuration: Configuration[G]
    cell: Cell
    beginning: Beginning | None


@dataclasses.dataclass(frozen=True)
class Prepared(Generic[G, D]):
    """A run that could be trained: its options, none of them open, with the fingerprint of its data; the data, and a task with a fresh network."""

    configuration: Configuration[G]
    data: D
    task: Task


def ask(recipe: Recipe[G, D, C, M, T], sources: list[Source], options: Mapping[str, Any]) -> Asked[G]:
    """A run by its options. `ConfigError` for what cannot be, `RunError` for a run to begin from that is none."""
    beginning, options = _beginning(recipe, options)
    cell = find_cell(options.get("cell") or default_cell(recipe.options))
    values = {**options, "cell": cell.name, "sources": sources or options.get("sources")}
    return Asked(Configuration.from_flat(recipe.name, recipe.options, values), cell, beginning)


def prepare(recipe: Recipe[G, D, C, M, T], asked: Asked[G], display: Display, data: D | None = None) -> Prepared[G, D]:
    """Read its data, unless it is given, and make its network; nothing is written. Errors are those of `run_training`."""
    configuration = asked.configuration
    configuration.options.training.require()
    data = recipe.read(configuration, display.work) if data is None else data
    configuration = dataclasses.replace(recipe.resolve(configuration, data.codecs), fingerprint=data.fingerprint)
    torch.manual_seed(configuration.options.training.seed)
    model = _build(recipe, configuration, data.codecs, asked.cell)
    if asked.beginning:
        recipe.require_known(data.codecs)
        taken = asked.beginning.take(model, recipe.name, widened=recipe.widens)
        display.say(taken.told)
    task = _task(recipe, model, data, configuration, display)
    if asked.beginning and configuration.options.training.freeze:
        taken.notice_frozen(task.model)
    return Prepared(configuration, data, task)


def _beginning(recipe: Recipe[G, D, C, M, T], options: Mapping[str, Any]) -> tuple[Beginning | None, Mapping[str, Any]]:
    """The run that another one begins from, if it does; and the options with those of that run in the place of what is not said."""
    if not options.get("from_run"):
        return None, options
    if not isinstance(options["from_run"], str | os.PathLike):
        raise ConfigError(f"`from_run` must be the folder of a run, or what was trained there, got {options['from_run']!r:.80}.")
    path = os.path.abspath(options["from_run"])
    beginning = Beginning.read(path)
    recipe.known = recipe.known_from(beginning.task, beginning.codecs)
    recipe.widen = options.get("widen") is not False
    cell = {} if options.get("cell") else {"cell": cell_from_text(beginning.cell, "recurrence")}
    said = {name: value for name, value in options.items() if value is not None}
    return beginning, {**beginning.options(recipe, said), **said, **cell, "from_run": path}


def _resume(
    recipe: Recipe[G, D, C, M, T],
    sources: list[Source],
    folder: RunFolder,
    options: Mapping[str, Any],
    display: Display,
    callbacks: Sequence[Callback],
    data: D | None = None,
    *,
    rivals: bool = False,
) -> Learnt[G, D]:
    stored = Configuration.read(recipe.name, recipe.options, folder)
    configuration = stored.changed({**options, **({"sources": sources} if sources else {})})
    configuration.options.training.require()
    require_there(configuration, folder, recipe.data_name)
    with display, folder.hold():
        codecs, cell = read_codecs(recipe, folder), _read_cell(folder)
        if configuration.options.training.from_run:
            recipe.known, recipe.widen = codecs, configuration.options.training.widen
        data = recipe.read(configuration, display.work) if data is None else data
        if (data.fingerprint, _plain(data.codecs)) != (stored.fingerprint, _plain(codecs)):
            raise other_data(configuration, folder)
        torch.manual_seed(configuration.options.training.seed)
        task = _task(recipe, _built(recipe, configuration, codecs, cell, folder, CHECKPOINT), data, configuration, display)
        configuration.write(folder)
        then = announced(recipe, configuration, codecs, cell) if rivals else ""
        training, before = configuration.options.training, stored.options.training
        outcome = _go(task, training, folder, display, callbacks, then, resume=True, before=before)
        return Learnt(configuration, cell, data, outcome)


def _plain(codecs: Any) -> Any:
    return json.loads(json.dumps(codecs.to_json()))


def _task(recipe: Recipe[G, D, C, M, T], model: M, data: D, configuration: Configuration[G], display: Display) -> Task:
    """The task, once it is known that its network can run."""
    training = configuration.options.training
    task = recipe.task(model.to(training.find_device()), data, configuration)
    if (training.best_by or training.patience) and not task.held_out_size:
        raise ConfigError(
            "`best_by` and `patience` go by the held-out part, and nothing is held out. Leave them out, or hold something out."
        )
    task.try_out()
    if told := freeze(task.model, training.freeze):
        display.say(told)
    return task


def _go(
    task: Task,
    training: TrainingOptions,
    folder: RunFolder,
    display: Display,
    callbacks: Sequence[Callback],
    then: str,
    *,
    resume: bool,
    before: TrainingOptions | None = None,
) -> Outcome:
    parameters = sum(p.numel() for p in task.model.parameters())
    device = next(task.model.parameters()).device
    threads = torch.get_num_threads()
    display.say(f"{task.summary}")
    display.say(f"{parameters:,} parameters on {device}, {threads} thread{'' if threads == 1 else 's'}. Ctrl-C saves and stops.")
    if training.minutes:
        display.say(
            "`minutes` decides when it ends, so that what is learnt depends on the machine; `epochs` or `updates` give the same twice."
        )
    if then:
        display.say(then)
    try:
        return train(task, training, folder, display, resume=resume, before=before, callbacks=callbacks)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, UnrolledError) or not _lacks_memory(error):
            raise
        cure = "Take a smaller `batch`, `hidden`, `vocabulary` or `input_window`."
        raise TrainingError(f"Training does not fit in memory: {str(error).splitlines()[0]} {cure}") from None


def _lacks_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "allocate" in str(error) or "out of memory" in str(error)


def _read_cell(folder: RunFolder) -> Cell:
    return cell_from_text(folder.read_text(CELL), "recurrence")


def _build(recipe: Recipe[G, D, C, M, T], configuration: Configuration[G], codecs: C, cell: Cell) -> M:
    try:
        return recipe.build(configuration, codecs, cell)
    except UnrolledError:
        raise
    except (RuntimeError, MemoryError) as error:
        if not _lacks_memory(error):
            raise
        model: Any = getattr(configuration.options, "model", None)
        raise ConfigError(f"A network with `hidden={model.hidden}` and `layers={model.layers}` does not fit in memory.") from None


def _built(recipe: Recipe[G, D, C, M, T], configuration: Configuration[G], codecs: C, cell: Cell, folder: RunFolder, name: str) -> M:
    """The network of a run, which is to have the weights in one of its files."""
    if not recipe.agree(configuration, codecs):
        raise RunError(f"The configuration of {folder} and its {CODECS} do not belong together. Take both from one copy of the run.")
    try:
        # Sizes are compared before memory is taken for them, and before it takes time to fill it.
        with torch.device("meta"):
            folder.require_same(_build(recipe, configuration, codecs, cell), name)
        return _build(recipe, configuration, codecs, cell)
    except ConfigError as error:
        raise RunError(f"The configuration of {folder} describes no network: {error}") from None
