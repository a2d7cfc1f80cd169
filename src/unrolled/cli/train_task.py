"""`unrolled train`: one command for each task."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from unrolled.cli.compare import FIGURES, compared
from unrolled.cli.flags import as_flags, flags, given, read_options
from unrolled.cli.help import SEVERAL, TITLES, GroupedCommand
from unrolled.cli.machine import progress
from unrolled.errors import ConfigError, TrainingError
from unrolled.tasks import find_recipe, next_step, run_training
from unrolled.tasks.configuration import groups_of
from unrolled.tasks.recipe import AnyRecipe
from unrolled.tasks.studies import StudyOptions, asks_for_several, begin_study, is_study, resume_study, runs_in
from unrolled.training import RunFolder, read_watch, report
from unrolled.training.options import LIMITS
from unrolled.training.run_folder import PICTURE

INTERRUPTED = 130


def command_of(task: str) -> click.Command:
    """The command for a task."""
    recipe = find_recipe(task)

    @click.command(recipe.name, cls=GroupedCommand, no_args_is_help=True, help=as_flags(recipe.help))
    @click.argument("data", nargs=-1, metavar=f"[{recipe.data_name}]...")
    @click.option(
        "--out", type=click.Path(path_type=Path), help=f"Folder for the run.  [default: runs/{recipe.name}, runs/{recipe.name}-2, …]"
    )
    @click.option(
        "--resume",
        "resumed",
        type=click.Path(path_type=Path),
        metavar="RUN",
        help="Resume training of a run, or of several, that was stopped.",
    )
    @click.option("--config", type=click.Path(path_type=Path), help="TOML file with any of the options; what is typed goes first.")
    def command(data: tuple[str, ...], out: Path | None, resumed: Path | None, config: Path | None, **values: Any) -> None:
        if resumed and out:
            raise ConfigError("`--resume` goes on in the run's own folder. Leave `--out` out.")
        options = _together(given(values), read_options(config) if config else {})
        if data:
            options.pop("sources", None)
        folder = RunFolder(resumed) if resumed else new_folder(recipe.name, out)
        several = asks_for_several(options) or (resumed and is_study(folder))
        (_study if several else _run)(recipe, data, folder, options, resume=resumed is not None)

    groups = groups_of(recipe.options)
    command.params += flags([*groups.values(), StudyOptions], without=["sources"], titles=[*(TITLES[name] for name in groups), SEVERAL])
    return command


def new_folder(name: str, out: Path | None) -> RunFolder:
    """The folder of a new run: `out`, or the first of `runs/name`, `runs/name-2` … that is free when the run begins."""
    return RunFolder(Path("runs", name), numbered=True) if out is None else RunFolder(out)


def _run(recipe: AnyRecipe, data: tuple[str, ...], folder: RunFolder, options: Mapping[str, Any], *, resume: bool) -> None:
    try:
        outcome = run_training(recipe, data, folder, options, progress(), resume=resume)
    except TrainingError:
        _tell(folder)
        raise
    _tell(folder)
    where = shlex.quote(str(folder))
    if not outcome.finished:
        click.echo(f"Stopped; everything is saved. Go on with: unrolled train {recipe.name} --resume {where}")
        sys.exit(INTERRUPTED)
    click.echo(f"The run is in {folder}{loss_curve(folder)}. {next_step(recipe, folder).format(run=where)}")


def _study(recipe: AnyRecipe, data: tuple[str, ...], folder: RunFolder, options: Mapping[str, Any], *, resume: bool) -> None:
    display = progress()
    done = resume_study(recipe, data, folder, options, display) if resume else begin_study(recipe, data, folder, options, display)
    where = shlex.quote(str(folder))
    if not done.finished:
        go_on = f"unrolled train {recipe.name} --resume {where}"
        click.echo(f"Stopped; everything is saved. Go on with: {go_on}. What there is so far: unrolled compare {where}")
        sys.exit(INTERRUPTED)
    for run in runs_in(folder):
        if run.watched.size():
            click.secho(run.path.name, bold=True)
            _tell(run)
    if any(run.has_weights() for run in runs_in(folder)):
        click.echo(as_flags(compared((folder.path,), folder.path).text))
        click.echo(f"The runs are in {folder}, their figures in {folder.path / FIGURES}. See them again: unrolled compare {where}")
    if done.failed:
        raise TrainingError(f"{len(done.failed)} of the runs in {folder} failed: {', '.join(done.failed)}. What they said stands above.")


def loss_curve(folder: RunFolder) -> str:
    """Where the picture of the losses is, as the end of a sentence; nothing where there is none."""
    picture = folder.path / PICTURE
    return f", its loss curve in {picture}" if picture.exists() else ""


def _tell(folder: RunFolder) -> None:
    """What was seen in a run that was watched."""
    if folder.watched.size():
        click.echo(as_flags(report(read_watch(folder))))


def _together(typed: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """What is typed and what a file says. What is typed goes first, also where one limit replaces the other."""
    hidden = LIMITS if LIMITS & typed.keys() else set()
    return {**{name: value for name, value in written.items() if name not in hidden}, **typed}
