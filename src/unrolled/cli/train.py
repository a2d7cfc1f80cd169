"""`unrolled train`: one command for each kind of task."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from unrolled.cli.flags import flags, given, read_options
from unrolled.errors import ConfigError, TrainingError
from unrolled.tasks import KINDS, find_kind, run_training
from unrolled.tasks.kind import Kind
from unrolled.training import RunFolder, display_here, read_watch, report
from unrolled.training.run_folder import PICTURE, fresh_folder

INTERRUPTED = 130
LIMITS = {"epochs", "minutes"}

HELP = {
    "lm": """Train a language model on DATA: text files, or builtin:python-docs, builtin:python-source; or a model of the next
    event on event logs, with --case and --activity.

    The last tenth of the text, or of the cases, is held out, unless --validation names another one, and the loss of all of it is measured.
    """,
    "classify": """Train a network that labels sequences on DATA: tables (--input, --target), JSON Lines, a file or folder for each label,
    time series, images, event logs, or builtin:intents and the like; see docs/data.md.

    A tenth, drawn at random, is held out, unless --validation names other files; the weights with the best accuracy on it are kept.
    """,
    "tag": """Train a network that tags every step of a sequence on DATA: files with a step on each line and its tag in a --column,
    CoNLL-U, tables with as many tags as steps, FASTA with --regions, or builtin:python-tokens and the like; see docs/data.md.

    A tenth, drawn at random, is held out, unless --validation names other files; the weights with the best accuracy on it, or the best F1
    of entities if tags are BIO, are kept.
    """,
    "translate": """Train a network that writes one sequence after reading another one, on PAIRS: a source, a tab and a target on each
    line, JSON Lines, --source FILE beside --target FILE, or builtin:dates and the like; see docs/data.md.

    A twentieth of the sources, drawn at random, is held out with all their targets, unless --validation names other pairs; the weights
    with the lowest loss on it are kept. To learn the other direction, exchange the two sides: sources are always written first.
    """,
}

METAVARS = {"translate": "[PAIRS]..."}
"""What the data of a task is called where that is not DATA."""

NEXT = {
    "lm": "Let it write: unrolled sample {run}",
    "classify": "Let it label what you type: unrolled predict {run}",
    "tag": "Let it tag what you type: unrolled predict {run}",
    "translate": "Let it answer what you type: unrolled predict {run}",
}
"""What one does with a run of each kind."""

WITH_FILES = "Let it label another file of the kind: unrolled predict {run} FILE"
"""The same if a run learnt from what is not typed."""


class _Kinds(click.Group):
    """A command for each kind of task, made when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(KINDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _command(find_kind(cmd_name)) if cmd_name in KINDS else None


@click.group(cls=_Kinds)
def train() -> None:
    """Train a network on files."""


def _command(kind: Kind) -> click.Command:
    @click.command(kind.name, no_args_is_help=True, help=HELP[kind.name])
    @click.argument("data", nargs=-1, metavar=METAVARS.get(kind.name))
    @click.option("--out", type=click.Path(path_type=Path), help=f"Folder for the run.  [default: runs/{kind.name}, runs/{kind.name}-2, …]")
    @click.option("--resume", "resumed", type=click.Path(path_type=Path), metavar="RUN", help="Go on with a run that was stopped.")
    @click.option("--config", type=click.Path(path_type=Path), help="TOML file with any of the options below; what is typed goes first.")
    def command(data: tuple[str, ...], out: Path | None, resumed: Path | None, config: Path | None, **values: Any) -> None:
        if resumed and out:
            raise ConfigError("`--resume` goes on in the run's own folder. Leave `--out` out.")
        options = _together(given(values), read_options(config) if config else {})
        if data:
            options.pop("sources", None)
        _run(kind, data, RunFolder(resumed or out or fresh_folder(kind.name)), options, resume=resumed is not None)

    command.params += flags(kind.groups.values(), without=["sources"])
    return command


def _run(kind: Kind, data: tuple[str, ...], folder: RunFolder, options: Mapping[str, Any], *, resume: bool) -> None:
    try:
        outcome = run_training(kind, data, folder, options, display_here(), resume=resume)
    except TrainingError:
        _tell(folder)
        raise
    _tell(folder)
    where = shlex.quote(str(folder))
    if not outcome.finished:
        click.echo(f"Stopped; everything is saved. Go on with: unrolled train {kind.name} --resume {where}")
        sys.exit(INTERRUPTED)
    click.echo(f"The run is in {folder}, its loss curve in {folder.path / PICTURE}. {_next(kind, folder).format(run=where)}")


def _next(kind: Kind, folder: RunFolder) -> str:
    """What one does with a run: event logs and numbers are not typed at a terminal."""
    numbers = getattr(kind.recall(folder.read_text(kind.file)), "numbers", None)
    return WITH_FILES if numbers or folder.read_config().get("reading", {}).get("case") else NEXT[kind.name]


def _tell(folder: RunFolder) -> None:
    """What was seen in a run that was watched."""
    if folder.watched.size():
        click.echo(report(read_watch(folder)))


def _together(typed: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """What is typed and what a file says. What is typed goes first, also where a limit replaces one of another kind."""
    hidden = LIMITS if LIMITS & typed.keys() else set()
    return {**{name: value for name, value in written.items() if name not in hidden}, **typed}
