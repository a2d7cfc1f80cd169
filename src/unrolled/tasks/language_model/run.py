"""A language model's way through a run folder: begun, gone on with, loaded."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from unrolled.cells import Cell, cell_from_text, find_cell
from unrolled.data.corpus import Corpus, Progress, prepare
from unrolled.data.text import Source
from unrolled.data.vocabulary import Vocabulary
from unrolled.errors import ConfigError, RunError
from unrolled.models import LanguageModel
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.language_model.options import GROUPS, NAME, DataOptions, ModelOptions
from unrolled.tasks.language_model.task import LanguageModelTask
from unrolled.tasks.language_model.trained import TrainedLanguageModel
from unrolled.training import Display, Outcome, RunFolder, TrainingOptions, display_here, train

CELL = "recurrence.cell"
VOCABULARY = "vocabulary.json"


def train_language_model(
    data: Source | Sequence[Source] = (), *, out: Source, display: Display | None = None, resume: bool = False, **options: Any
) -> TrainedLanguageModel:
    """Train on text files and give the model, ready to use; everything is kept in the run folder `out`.

    `options` are those of `unrolled train lm`, with underscores: `hidden=256, minutes=3`; `cell` may be a `Cell`. With `resume` the run in
    `out` goes on, and only what does not change its course so far may be told anew, such as `epochs` or `learning_rate`. Ctrl-C saves, and
    what was learnt by then is given.

    Raises `ConfigError`, `DataError`, `RunError` for what is wrong with options, texts and folder, `TrainingError` when learning fails.
    """
    run_training(data, RunFolder(out), options, display or display_here(), resume=resume)
    return load_run(RunFolder(out))


def run_training(
    data: Source | Sequence[Source], folder: RunFolder, options: Mapping[str, Any], display: Display, *, resume: bool = False
) -> Outcome:
    """Begin a run in a new folder, or go on with the one in it."""
    sources = [data] if isinstance(data, (str, os.PathLike)) else list(data)
    return _resume(sources, folder, options, display) if resume else _begin(sources, folder, options, display)


def load_run(folder: RunFolder) -> TrainedLanguageModel:
    """The trained model of a run, in evaluation mode. `RunError` for a folder that is not whole, or whose parts do not belong together."""
    configuration = Configuration.read(NAME, GROUPS, folder)
    vocabulary, cell = _read_parts(folder)
    model = _built(configuration, vocabulary, cell, folder)
    folder.load_weights(model)
    return TrainedLanguageModel(model.to(TrainingOptions().find_device()).eval(), vocabulary)


def _begin(sources: list[Source], folder: RunFolder, options: Mapping[str, Any], display: Display) -> Outcome:
    cell = find_cell(options.get("cell") or ModelOptions.cell)
    configuration = Configuration.from_flat(NAME, GROUPS, {**options, "cell": cell.name, "sources": sources or options.get("sources")})
    configuration["training"].require()
    folder.require_new()
    with display:
        corpus = _prepare(configuration["data"], display.work)
        model = configuration["model"].for_symbols(corpus.vocabulary.size)
        groups = {**configuration.groups, "model": model}
        configuration = dataclasses.replace(configuration, groups=groups, fingerprint=corpus.fingerprint)
        torch.manual_seed(configuration["training"].seed)
        task = _task(model.build(corpus.vocabulary.size, cell), corpus, configuration)
        with folder.hold():
            folder.require_new()
            folder.write_text(CELL, cell.to_file_text())
            folder.write_text(VOCABULARY, corpus.vocabulary.to_json())
            configuration.write(folder)
            return _go(task, configuration, folder, display, resume=False)


def _resume(sources: list[Source], folder: RunFolder, options: Mapping[str, Any], display: Display) -> Outcome:
    stored = Configuration.read(NAME, GROUPS, folder)
    if sources:
        raise ConfigError("A run is resumed with the text it was begun with. Leave DATA out, or begin a new run.")
    configuration = stored.told_anew(options)
    configuration["training"].require()
    with display, folder.hold():
        vocabulary, cell = _read_parts(folder)
        corpus = _prepare(configuration["data"], display.work)
        if (corpus.fingerprint, corpus.vocabulary) != (stored.fingerprint, vocabulary):
            raise RunError(f"The text is not the one that {folder} was begun with: {', '.join(stored['data'].sources)}. Begin a new run.")
        torch.manual_seed(configuration["training"].seed)
        task = _task(_built(configuration, vocabulary, cell, folder), corpus, configuration)
        configuration.write(folder)
        return _go(task, configuration, folder, display, resume=True)


def _task(model: LanguageModel, corpus: Corpus, configuration: Configuration) -> LanguageModelTask:
    """The task, once it is known that its network can run."""
    task = LanguageModelTask(model, corpus, configuration["streams"], configuration["training"].find_device())
    task.try_out()
    return task


def _go(task: LanguageModelTask, configuration: Configuration, folder: RunFolder, display: Display, *, resume: bool) -> Outcome:
    parameters = sum(p.numel() for p in task.model.parameters())
    display.say(
        f"{len(task.corpus.train):,} tokens to learn, {task.held_out_size:,} held out, {task.corpus.vocabulary.size:,} symbols; "
        f"{parameters:,} parameters on {task.device}, {torch.get_num_threads()} threads. Ctrl-C saves and stops."
    )
    return train(task, configuration["training"], folder, display, resume=resume)


def _prepare(options: DataOptions, progress: Progress) -> Corpus:
    if not options.sources:
        raise ConfigError("There is no DATA to train on. Pass a text file, or builtin:python-docs.")
    return prepare(
        options.sources,
        level=options.level or "char",
        size=options.vocabulary,
        encoding=options.encoding,
        validation=options.validation,
        held_out=options.held_out,
        progress=progress,
    )


def _read_parts(folder: RunFolder) -> tuple[Vocabulary, Cell]:
    """What the task keeps in a run folder beside the configuration."""
    vocabulary = Vocabulary.from_json(folder.read_text(VOCABULARY))
    return vocabulary, cell_from_text(folder.read_text(CELL), "recurrence")


def _built(configuration: Configuration, vocabulary: Vocabulary, cell: Cell, folder: RunFolder) -> LanguageModel:
    try:
        return configuration["model"].build(vocabulary.size, cell)
    except ConfigError as error:
        raise RunError(f"The configuration of {folder} describes no network: {error}") from None
