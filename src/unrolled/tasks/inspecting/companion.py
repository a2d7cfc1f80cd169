"""A run that stands beside another one, for comparison."""

from typing import Any

from unrolled.errors import ConfigError
from unrolled.inspect.inspection_input import Beside
from unrolled.tasks import find_recipe, load
from unrolled.tasks.runs import read_codecs
from unrolled.training import RunFolder


def companion(folder: RunFolder, other: RunFolder) -> Beside:
    """What another run learnt. `ConfigError` unless it is of the same task and reads the same symbols, so that both can read one input."""
    task, theirs = (run.read_config().get("task") for run in (folder, other))
    if task != theirs:
        raise ConfigError(f"`beside` must be a run of the task {task!r}, as {folder} is, got {other}, which is one of {theirs!r}.")
    trained, recipe = load(other.path), find_recipe(str(task))
    own, others = (_without_counts(read_codecs(recipe, run).to_json()) for run in (folder, other))
    if own != others:
        cure = "Train it on the same data with the same `seed` and the same options of reading."
        raise ConfigError(f"`beside` must be a run that reads the same symbols and gives the same answers as {folder}, got {other}. {cure}")
    name = other.path.resolve().name
    return Beside(trained.model, name, f"the run {name}")


def _without_counts(stored: Any) -> Any:
    """What is stored of codecs, but for how often each symbol came."""
    return {name: _without_counts(part) for name, part in stored.items() if name != "counts"} if isinstance(stored, dict) else stored
