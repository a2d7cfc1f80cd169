"""F8: a task is a reader, a model, a loss, measures and defaults."""

from unrolled.data.text import Source
from unrolled.errors import RunError
from unrolled.tasks import language_model
from unrolled.tasks.language_model import TrainedLanguageModel, train_language_model
from unrolled.training import RunFolder

__all__ = ["load", "train_language_model"]

LOADERS = {language_model.NAME: language_model.load_run}
"""How a run of each task is loaded."""


def load(run: Source) -> TrainedLanguageModel:
    """The trained model of a run folder, ready to use. `RunError` for a folder that is missing, damaged or foreign."""
    folder = RunFolder(run)
    task = folder.read_config().get("task")
    if not isinstance(task, str) or task not in LOADERS:
        raise RunError(f"{folder} says it holds the task {task!r}. This version knows {', '.join(LOADERS)}.")
    return LOADERS[task](folder)
