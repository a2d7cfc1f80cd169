"""F8: a task is fields, a codec for each field, an arrangement, a head and measures; a recipe names them."""

import os
import weakref
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkdtemp
from typing import TYPE_CHECKING, Any

from unrolled.data.memory import are_files
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError, RunError
from unrolled.files import write_file
from unrolled.tasks.recipe import AnyRecipe
from unrolled.tasks.runs import load_run, next_step, run_training
from unrolled.tasks.studies import asks_for_several
from unrolled.training import Callback, Display, RunFolder, display_here

if TYPE_CHECKING:
    from unrolled.data.codecs import LabelCodec, ValueCodec
    from unrolled.tasks.captioning.trained import TrainedCaptioner
    from unrolled.tasks.forecasting.trained import TrainedForecaster
    from unrolled.tasks.music.trained import TrainedMusician
    from unrolled.tasks.sequences.trained import TrainedPredictor
    from unrolled.tasks.texts.trained import TrainedLanguageModel
    from unrolled.tasks.transcription.trained import TrainedTranscriber
    from unrolled.tasks.translation.trained import TrainedTranslator

__all__ = [
    "RECIPES",
    "find_recipe",
    "load",
    "next_step",
    "recipe_of",
    "run_training",
    "train_captioner",
    "train_classifier",
    "train_forecaster",
    "train_language_model",
    "train_musician",
    "train_regressor",
    "train_tagger",
    "train_transcriber",
    "train_translator",
]

RECIPES = {
    "lm": "unrolled.tasks.recipes.lm:LanguageModelling",
    "classify": "unrolled.tasks.recipes.classify:Classifying",
    "tag": "unrolled.tasks.recipes.tag:Tagging",
    "regress": "unrolled.tasks.recipes.regress:Regressing",
    "forecast": "unrolled.tasks.recipes.forecast:Forecasting",
    "frames": "unrolled.tasks.recipes.frames:FilmMaking",
    "translate": "unrolled.tasks.recipes.translate:Translating",
    "transcribe": "unrolled.tasks.recipes.transcribe:Transcribing",
    "caption": "unrolled.tasks.recipes.caption:Captioning",
    "music": "unrolled.tasks.recipes.music:Music",
}
"""Where the recipe of every task is, by the name that a run folder has of it."""


def find_recipe(name: str, **about: Any) -> AnyRecipe:
    """The recipe of a task, made of what it takes. What it needs, such as libraries for measures, is loaded only when it is asked for."""
    module, recipe = RECIPES[name].split(":")
    found: AnyRecipe = getattr(import_module(module), recipe)(**about)
    return found


def recipe_of(run: Source) -> AnyRecipe:
    """The recipe of the task that a run folder holds. `RunError` for a folder that is missing, damaged or foreign."""
    folder = RunFolder(run)
    task = folder.read_config().get("task")
    if not isinstance(task, str) or task not in RECIPES:
        raise RunError(f"{folder} says it holds the task {task!r}. This version knows {', '.join(RECIPES)}.")
    return find_recipe(task)


def load(run: Source) -> Any:
    """The trained model of a run folder, ready to use. `RunError` for a folder that is missing, damaged or foreign."""
    return load_run(recipe_of(run), RunFolder(run))


def train(
    task: str,
    data: Any = (),
    targets: Any = None,
    *,
    out: Source | None = None,
    display: Display | None = None,
    resume: bool = False,
    callbacks: Callback | Sequence[Callback] | None = (),
    **options: Any,
) -> Any:
    """Train a network for a `task`, one of `RECIPES`, and give it, ready to use; everything is kept in the run folder `out`, or without one in a
    temporary folder, which goes with what is given (`save` keeps it).

    `data` are files; to classify, tag and regress also sequences in memory with their `targets`, or what has columns: see `unrolled.data.memory.in_memory`.

    `options` are those of `unrolled train TASK`, with underscores: `hidden=256, minutes=3`; `cell` may be a `Cell`. With `resume` the run in
    `out` goes on, and only what does not change its course so far may be said anew, such as `epochs` or `learning_rate`. Ctrl-C saves, and
    what was learnt by then is given. `callbacks`, one or several, are told what happens (`unrolled.Callback`). A trained network stands for the folder of
    its run: `from_run=model`.

    Raises `ConfigError`, `DataError`, `RunError` for what is wrong with options, data and folder, `TrainingError` when learning fails.
    """
    recipe = find_recipe(task)
    if not are_files(data, targets):
        if not hasattr(recipe, "memory"):
            got = f"{type(data).__name__}{'' if targets is None else f' with targets in {type(targets).__name__}'}"
            cure = "Write a file, such as a table with both," if targets is not None else "Write it to a file,"
            raise ConfigError(f"`data` must be files for the task {task!r}, got {got}. {cure} and pass the path of that.")
        recipe.memory, data = (data, targets), ()
    return _train(recipe, data, out, options, display, callbacks, resume=resume)


def _train(
    recipe: AnyRecipe,
    data: Source | Sequence[Source],
    out: Source | None,
    options: Mapping[str, Any],
    display: Display | None,
    callbacks: Callback | Sequence[Callback] | None,
    *,
    resume: bool,
) -> Any:
    if asks_for_several(options):
        raise ConfigError(
            "`folds`, `seeds`, `match` and several cells make several runs, and this trains one. Call `unrolled.study` instead."
        )
    display = display or display_here()
    if out is not None:
        run_training(recipe, data, RunFolder(out), options, display, resume=resume, callbacks=callbacks)
        return load_run(recipe, RunFolder(out))
    place = mkdtemp(prefix="unrolled-")
    try:
        folder = RunFolder(Path(place, "run"))
        run_training(recipe, data, folder, options, display, resume=resume, callbacks=callbacks)
        trained = load_run(recipe, folder)
    except BaseException:
        rmtree(place, ignore_errors=True)
        raise
    weakref.finalize(trained, rmtree, place, ignore_errors=True)
    return trained


def train_language_model(data: Source | Sequence[Source] = (), *, out: Source | None = None, **options: Any) -> "TrainedLanguageModel":
    """Train on text files, on event logs, or on a text itself: a string with a line break in it is a text, and any other the path of a file.

    What learnt from a text is resumed with the same one. See `unrolled.tasks.train`.
    """
    trained: TrainedLanguageModel
    if not (isinstance(data, str) and "\n" in data):
        trained = train("lm", data, out=out, **options)
        return trained
    if options.get("encoding") is not None:
        raise ConfigError("`encoding` is that of files, and a text was given. Leave it out.")
    with TemporaryDirectory(prefix="unrolled-") as folder:
        file = Path(folder, "text.txt")
        write_file(file, _encoded(data))
        trained = train("lm", file, out=out, **options)
    return trained


def _encoded(text: str) -> bytes:
    """A text in UTF-8. `DataError` for half of a character."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(f"The text has half of a character at {error.start:,}, which nothing can be learnt of. Take it out.") from None


def train_classifier(data: Any = (), targets: Any = None, *, out: Source | None = None, **options: Any) -> "TrainedPredictor[LabelCodec]":
    """Train on sequences with one label each, or with several, in files or in memory; see `unrolled.tasks.train`."""
    trained: TrainedPredictor[LabelCodec] = train("classify", data, targets, out=out, **options)
    return trained


def train_tagger(data: Any = (), targets: Any = None, *, out: Source | None = None, **options: Any) -> "TrainedPredictor[LabelCodec]":
    """Train on sequences with a tag for each step, in files or in memory; see `unrolled.tasks.train`."""
    trained: TrainedPredictor[LabelCodec] = train("tag", data, targets, out=out, **options)
    return trained


def train_regressor(data: Any = (), targets: Any = None, *, out: Source | None = None, **options: Any) -> "TrainedPredictor[ValueCodec]":
    """Train on sequences with numbers to predict, for each or for each of its steps; `target` may name several columns. See `unrolled.tasks.train`."""
    if isinstance(options.get("target"), list | tuple):
        options["target"] = ",".join(options["target"])
    trained: TrainedPredictor[ValueCodec] = train("regress", data, targets, out=out, **options)
    return trained


def train_forecaster(
    data: Any = (),
    *,
    out: Source | None = None,
    display: Display | None = None,
    resume: bool = False,
    callbacks: Callback | Sequence[Callback] | None = (),
    **options: Any,
) -> "TrainedForecaster":
    """Train on series in a data frame of pandas, polars or pyarrow, in a mapping of columns, or in files; see `unrolled.tasks.train`.

    Options that take several names or numbers with commas between take a list, too: `target=["a", "b"]`, `season=[24, 168]`. A run that learnt
    from a data frame is resumed with the same one.
    """
    plain = {name: _listed(value) if name in LISTED else value for name, value in options.items()}
    parts = data if isinstance(data, list | tuple) else [data]
    named = all(isinstance(part, str | os.PathLike) for part in parts)
    recipe = find_recipe("forecast") if named else find_recipe("forecast", frames=parts)
    trained: TrainedForecaster = _train(recipe, parts if named else (), out, plain, display, callbacks, resume=resume)
    return trained


LISTED = {"target", "known", "past", "static", "season", "quantiles", "holidays"}
"""Options of forecasts that take several values with commas between, or a list."""


def _listed(value: Any) -> Any:
    """One value or several as text with commas between."""
    return value if value is None else ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def train_translator(
    data: Source | Sequence[Source] = (), targets: Any = None, *, out: Source | None = None, **options: Any
) -> "TrainedTranslator":
    """Train on pairs of sequences; `targets` stand in the files, too. See `unrolled.tasks.train`."""
    trained: TrainedTranslator = train("translate", data, targets, out=out, **options)
    return trained


def train_transcriber(
    data: Source | Sequence[Source] = (), targets: Any = None, *, out: Source | None = None, **options: Any
) -> "TrainedTranscriber":
    """Train on recordings with what is said in them; `targets` stand in the files, too. See `unrolled.tasks.train`."""
    trained: TrainedTranscriber = train("transcribe", data, targets, out=out, **options)
    return trained


def train_captioner(
    data: Source | Sequence[Source] = (), targets: Any = None, *, out: Source | None = None, **options: Any
) -> "TrainedCaptioner":
    """Train on pictures or videos with sentences; `targets` stand in the files, too. See `unrolled.tasks.train`."""
    trained: TrainedCaptioner = train("caption", data, targets, out=out, **options)
    return trained


def train_musician(
    data: Source | Sequence[Source] = (), targets: Any = None, *, out: Source | None = None, **options: Any
) -> "TrainedMusician":
    """Train on MIDI, ABC tunes and piano rolls; `targets` stand in the files, too. See `unrolled.tasks.train`."""
    trained: TrainedMusician = train("music", data, targets, out=out, **options)
    return trained
