"""F8: a task is a reader, a model, a loss, measures and defaults."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from unrolled.data.text import Source
from unrolled.errors import RunError
from unrolled.tasks.recipe import Recipe
from unrolled.tasks.runs import load_run, next_step, run_training
from unrolled.training import Display, RunFolder, display_here

if TYPE_CHECKING:
    from unrolled.tasks.labelling import TrainedLabeller
    from unrolled.tasks.language_model import TrainedLanguageModel
    from unrolled.tasks.translation import TrainedTranslator

__all__ = [
    "RECIPES",
    "find_recipe",
    "load",
    "next_step",
    "recipe_of",
    "run_training",
    "train_classifier",
    "train_language_model",
    "train_tagger",
    "train_translator",
]

RECIPES = {
    "lm": "unrolled.tasks.recipes.lm:LanguageModelling",
    "classify": "unrolled.tasks.recipes.classify:Classifying",
    "tag": "unrolled.tasks.recipes.tag:Tagging",
    "translate": "unrolled.tasks.recipes.translate:Translating",
}
"""Where the recipe of every task is, by the name that a run folder has of it."""


def find_recipe(name: str) -> Recipe:
    """The recipe of a task. What it needs, such as libraries for measures, is loaded only when it is asked for."""
    module, recipe = RECIPES[name].split(":")
    found: Recipe = getattr(import_module(module), recipe)()
    return found


def recipe_of(run: Source) -> Recipe:
    """The recipe of the task that a run folder holds. `RunError` for a folder that is missing, damaged or foreign."""
    folder = RunFolder(run)
    task = folder.read_config().get("task")
    if not isinstance(task, str) or task not in RECIPES:
        raise RunError(f"{folder} says it holds the task {task!r}. This version knows {', '.join(RECIPES)}.")
    return find_recipe(task)


def load(run: Source) -> Any:
    """The trained model of a run folder, ready to use. `RunError` for a folder that is missing, damaged or foreign."""
    return load_run(recipe_of(run), RunFolder(run))


def train_language_model(
    data: Source | Sequence[Source] = (), *, out: Source, display: Display | None = None, resume: bool = False, **options: Any
) -> "TrainedLanguageModel":
    """Train on text files and give the model, ready to use; everything is kept in the run folder `out`.

    `options` are those of `unrolled train lm`, with underscores: `hidden=256, minutes=3`; `cell` may be a `Cell`. With `resume` the run in
    `out` goes on, and only what does not change its course so far may be told anew, such as `epochs` or `learning_rate`. Ctrl-C saves, and
    what was learnt by then is given.

    Raises `ConfigError`, `DataError`, `RunError` for what is wrong with options, texts and folder, `TrainingError` when learning fails.
    """
    trained: TrainedLanguageModel = _train("lm", data, out, display, resume, options)
    return trained


def train_classifier(
    data: Source | Sequence[Source] = (), *, out: Source, display: Display | None = None, resume: bool = False, **options: Any
) -> "TrainedLabeller":
    """Train on sequences with one label each, or with several.

    The same as `train_language_model`, with the options of `unrolled train classify`.
    """
    trained: TrainedLabeller = _train("classify", data, out, display, resume, options)
    return trained


def train_tagger(
    data: Source | Sequence[Source] = (), *, out: Source, display: Display | None = None, resume: bool = False, **options: Any
) -> "TrainedLabeller":
    """Train on sequences with a tag for each step; the same as `train_language_model` with the options of `unrolled train tag`."""
    trained: TrainedLabeller = _train("tag", data, out, display, resume, options)
    return trained


def train_translator(
    data: Source | Sequence[Source] = (), *, out: Source, display: Display | None = None, resume: bool = False, **options: Any
) -> "TrainedTranslator":
    """Train on pairs of sequences; the same as `train_language_model` with the options of `unrolled train translate`."""
    trained: TrainedTranslator = _train("translate", data, out, display, resume, options)
    return trained


def _train(name: str, data: Source | Sequence[Source], out: Source, display: Display | None, resume: bool, options: dict[str, Any]) -> Any:
    folder = RunFolder(out)
    recipe = find_recipe(name)
    run_training(recipe, data, folder, options, display or display_here(), resume=resume)
    return load_run(recipe, folder)
