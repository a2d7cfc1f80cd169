"""`unrolled train`: one command for each task."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from unrolled.cli.flags import flags, given, read_options
from unrolled.errors import ConfigError
from unrolled.tasks.language_model import GROUPS, run_training
from unrolled.training import RunFolder, display_here
from unrolled.training.run_folder import PICTURE, fresh_folder

INTERRUPTED = 130
LIMITS = {"epochs", "minutes"}


@click.group()
def train() -> None:
    """Train a network on files."""


@click.command("lm", no_args_is_help=True)
@click.argument("data", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the run.  [default: runs/lm, runs/lm-2, …]")
@click.option("--resume", "resumed", type=click.Path(path_type=Path), metavar="RUN", help="Go on with a run that was stopped.")
@click.option("--config", type=click.Path(path_type=Path), help="TOML file with any of the options below; what is typed goes first.")
def _language_model(data: tuple[str, ...], out: Path | None, resumed: Path | None, config: Path | None, **values: Any) -> None:
    """Train a language model on DATA: text files, or builtin:python-docs, builtin:python-source.

    The last tenth of the text is held out, unless --validation names another text, and the loss of all of it is measured.
    """
    if resumed and out:
        raise ConfigError("`--resume` goes on in the run's own folder. Leave `--out` out.")
    options = _together(given(values), read_options(config) if config else {})
    if data:
        options.pop("sources", None)
    folder = RunFolder(resumed or out or fresh_folder("lm"))
    outcome = run_training(data, folder, options, display_here(), resume=resumed is not None)
    where = shlex.quote(str(folder))
    if not outcome.finished:
        click.echo(f"Stopped; everything is saved. Go on with: unrolled train lm --resume {where}")
        sys.exit(INTERRUPTED)
    click.echo(f"The run is in {folder}, its loss curve in {folder.path / PICTURE}. Let it write: unrolled sample {where}")


def _together(typed: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
    """What is typed and what a file says. What is typed goes first, also where a limit replaces one of another kind."""
    hidden = LIMITS if LIMITS & typed.keys() else set()
    return {**{name: value for name, value in written.items() if name not in hidden}, **typed}


_language_model.params += flags(GROUPS.values(), without=["sources"])
train.add_command(_language_model)
