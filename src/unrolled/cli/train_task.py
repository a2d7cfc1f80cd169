"""`unrolled train`: one command for each task."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unrolled.cli.catalogue import SEVERAL, known_groups, known_tasks
from unrolled.cli.compare import FIGURES, compared
from unrolled.cli.flags import as_flags, flags, given, read_options
from unrolled.cli.help import RUNS, TITLES, GroupedCommand
from unrolled.cli.machine import progress
from unrolled.errors import ConfigError, TrainingError
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled import tasks, training
    from unrolled.tasks import studies
    from unrolled.tasks.recipe import AnyRecipe
    from unrolled.training import RunFolder, run_folder
    from unrolled.training import options as limits
else:
    tasks, training, studies = Later("unrolled.tasks"), Later("unrolled.training"), Later("unrolled.tasks.studies")
    run_folder, limits = Later("unrolled.training.run_folder"), Later("unrolled.training.options")

INTERRUPTED = 130


def command_of(task: str) -> click.Command:
    """The command for a task."""
    known = known_tasks()[task]

    @click.command(task, cls=GroupedCommand, no_args_is_help=True, help=as_flags(known.help))
    @click.argument("data", nargs=-1, metavar=f"[{known.data_name}]...")
    @click.option("--out", type=click.Path(path_type=Path), help=f"Folder for the run.  [default: runs/{task}, runs/{task}-2, …]")
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
        folder = training.RunFolder(resumed) if resumed else new_folder(task, out)
        several = studies.asks_for_several(options) or (resumed and studies.is_study(folder))
        (_study if several else _run)(tasks.find_recipe(task), data, folder, options, resume=resumed is not None)

    groups, titles = known.groups, [TITLES[name] for name in known.groups]
    command.params += flags([*groups.values(), known_groups()[SEVERAL]], without=["sources"], titles=[*titles, RUNS])
    return command


def new_folder(name: str, out: Path | None) -> "RunFolder":
    """The folder of a new run: `out`, or the first of `runs/name`, `runs/name-2` … that is free when the run begins."""
    return training.RunFolder(Path("runs", name), numbered=True) if out is None else training.RunFolder(out)


def _run(recipe: "AnyRecipe", data: tuple[str, ...], folder: "RunFolder", options: Mapping[str, Any], *, resume: bool) -> None:
    try:
        outcome = tasks.run_training(recipe, data, folder, options, progress(), resume=resume)
    except TrainingError:
        _tell(folder)
        raise
    _tell(folder)
    where = shlex.quote(str(folder))
    if not outcome.finished:
        click.echo(f"Stopped; everything is saved. Go on with: unrolled train {recipe.name} --resume {where}")
        sys.exit(INTERRUPTED)
    click.echo(f"The run is in {folder}{loss_curve(folder)}. {tasks.next_step(recipe, folder).format(run=where)}")


def _study(recipe: "AnyRecipe", data: tuple[str, ...], folder: "RunFolder", options: Mapping[str, Any], *, resume: bool) -> None:
    display = progress()
    done = (
        studies.resume_study(recipe, data, folder, options, display)
        if resume
        else studies.begin_study(recipe, data, folder, options, display)
    )
    where = shlex.quote(str(folder))
    if not done.finished:
        go_on = f"unrolled train {recipe.name} --resume {where}"
        click.echo(f"Stopped; everything is saved. Go on with: {go_on}. What there is so far: unrolled compare {where}")
        sys.exit(INTERRUPTED)
    for run in studies.runs_in(folder):
        if run.watched.size():
            click.secho(run.path.name, bold=True)
            _tell(run)
    if any(run.has_weights() for run in studies.runs_in(folder)):
        click.echo(as_flags(compared((folder.path,), folder.path).text))
        click.echo(f"The runs are in {folder}, their figures in {folder.path / FIGURES}. See them again: unrolled compare {where}")
    if done.failed:
        raise TrainingError(f"{len(done.failed)} of the runs in {folder} failed: {', '.join(done.failed)}. What they said stands above.")


def loss_curve(folder: "RunFolder") -> str:
    """Where the picture of the losses is, as the end of a sentence; nothing where there is none."""
    picture = folder.path / run_folder.PICTURE
    return f", its loss curve in {picture}" if picture.exists() else ""


def _tell(folder: "RunFolder") -> None:
    """What was seen in a run that was watched."""
    if folder.watched.size():
        click.echo(as_flags(training.report(training.read_watch(folder))))


def _together(typed: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """What is typed and what a file says. What is typed goes first, also where one limit replaces the other."""
    hidden = limits.LIMITS if limits.LIMITS & typed.keys() else set()
    return {**{name: value for name, value in written.items() if name not in hidden}, **typed}
