"""F8: a task is a reader, a model, a loss, measures and defaults."""

from collections.abc import Sequence
from typing import Any

from unrolled.data.text import Source
from unrolled.errors import RunError
from unrolled.tasks.kind import Kind
from unrolled.tasks.language_model import LanguageModelling, TrainedLanguageModel
from unrolled.tasks.runs import load_run, run_training
from unrolled.training import Display, RunFolder, display_here

__all__ = ["KINDS", "load", "run_training", "train_language_model"]

KINDS: dict[str, Kind] = {kind.name: kind for kind in (LanguageModelling(),)}
"""Every kind of task, by the name that a run folder has of it."""


def load(run: Source) -> Any:
    """The trained model of a run folder, ready to use. `RunError` for a folder that is missing, damaged or foreign."""
    folder = RunFolder(run)
    task = folder.read_config().get("task")
    if not isinstance(task, str) or task not in KINDS:
        raise RunError(f"{folder} says it holds the task {task!r}. This version knows {', '.join(KINDS)}.")
    return load_run(KINDS[task], folder)


def train_language_model(
    data: Source | Sequence[Source] = (), *, out: Source, display: Display | None = None, resume: bool = False, **options: Any
) -> TrainedLanguageModel:
    """Train on text files and give the model, ready to use; everything is kept in the run folder `out`.

    `options` are those of `unrolled train lm`, with underscores: `hidden=256, minutes=3`; `cell` may be a `Cell`. With `resume` the run in
    `out` goes on, and only what does not change its course so far may be told anew, such as `epochs` or `learning_rate`. Ctrl-C saves, and
    what was learnt by then is given.

    Raises `ConfigError`, `DataError`, `RunError` for what is wrong with options, texts and folder, `TrainingError` when learning fails.
    """
    trained: TrainedLanguageModel = _train("lm", data, out, display, resume, options)
    return trained


def _train(name: str, data: Source | Sequence[Source], out: Source, display: Display | None, resume: bool, options: dict[str, Any]) -> Any:
    folder = RunFolder(out)
    run_training(KINDS[name], data, folder, options, display or display_here(), resume=resume)
    return load_run(KINDS[name], folder)
