"""F9: the command `unrolled`. A command's module is loaded when the command is used, so that help is instant."""

import gc
import os
import sys
import warnings
from importlib import import_module
from typing import Any

import click

from unrolled.cli.flags import as_flags
from unrolled.cli.hints import command_hint
from unrolled.cli.machine import equipped
from unrolled.cli.terminal import prepare
from unrolled.errors import EquationError, UnrolledError, UnrolledWarning

COMMANDS = {
    "train": "unrolled.cli.train:train",
    "look": "unrolled.cli.look:look",
    "evaluate": "unrolled.cli.evaluate:evaluate",
    "predict": "unrolled.cli.predict:predict",
    "backtest": "unrolled.cli.backtest:backtest",
    "chat": "unrolled.cli.chat:chat",
    "sample": "unrolled.cli.sample:sample",
    "score": "unrolled.cli.score:score",
    "inspect": "unrolled.cli.inspect:inspect",
    "compare": "unrolled.cli.compare:compare",
    "runs": "unrolled.cli.runs:runs",
    "tune": "unrolled.cli.tune:tune",
    "formats": "unrolled.cli.formats:formats",
    "show": "unrolled.cli.show:show",
    "doctor": "unrolled.cli.doctor:doctor",
    "completion": "unrolled.cli.completion:completion",
    "demo": "unrolled.cli.demo:demo",
}

SUMMARIES = {
    "train": "Train a network on files.",
    "look": "See what would be read of files, without training.",
    "evaluate": "Measure a trained network on a file.",
    "predict": "Label new sequences, predict numbers, forecast, or translate.",
    "backtest": "Measure forecasts from many origins.",
    "chat": "Talk with a network that learnt replies.",
    "sample": "Let a language model write.",
    "score": "Which sentence is more likely?",
    "inspect": "See what a trained network remembers, as a page.",
    "compare": "Runs beside each other, in one table and one picture.",
    "runs": "List the runs in a folder, with their scores.",
    "tune": "Search for the options with the best score.",
    "formats": "List the formats of files, with samples and options.",
    "show": "Print a cell: its equations, mathematics, plan or graph.",
    "doctor": "What is installed, and what can run here.",
    "completion": "Let bash, zsh or fish complete commands and options.",
    "demo": "Train on text that ships with Python, and see it write.",
}

COLLECT_AFTER = 20_000
"""Objects after which garbage is collected: a stream of sequences makes many, and hardly any cycles among them."""


class _Commands(click.Group):
    """The commands of the table, each loaded when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        # Collecting garbage while hundreds of modules are loaded finds none, and takes a sixth of the time.
        gc.disable()
        command: click.Command = getattr(import_module(module), name)
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        gc.enable()
        return equipped(command)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """With a guess at what was meant."""
        with command_hint(args, COMMANDS):
            return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="unrolled")
def cli() -> None:
    """Recurrent networks written as their equations: train, sample, score, look."""


def _show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """The toolkit's own warnings in one line, without the place in its code; others as usual."""
    if issubclass(category, UnrolledWarning):
        click.secho("warning: ", fg="yellow", nl=False, err=True)
        click.echo(as_flags(str(message)), err=True)
    else:
        click.echo(warnings.formatwarning(message, category, *where[:2]), nl=False, err=True)


def shown(error: UnrolledError) -> str:
    """The message of an error in the words of the command line; that of a cell is about the names in its equations."""
    return str(error) if isinstance(error, EquationError) else as_flags(str(error))


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; the toolkit's own errors are printed as one message, without a traceback, and end with status 1."""
    # OpenMP reads this when torch is loaded. Threads that wait busily slow each other down many times over as soon as another
    # program wants a core, and gain nothing that could be measured where none does.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    prepare()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show
            return cli.main(arguments, standalone_mode=True)
    except UnrolledError as error:
        click.secho("error: ", fg="red", nl=False, err=True)
        click.echo(shown(error), err=True)
        sys.exit(1)
