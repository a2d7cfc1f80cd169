"""Commands that have one for each task, made when it is asked for."""

from importlib import import_module
from typing import Any

import click

from unrolled.cli.hints import command_hint
from unrolled.cli.machine import equipped

TASKS = {
    "lm": "The next character or word of a text, or the next event of a case.",
    "classify": "A label for each sequence, or several.",
    "tag": "A tag for each step of a sequence.",
    "regress": "Numbers for each sequence, or for each of its steps.",
    "forecast": "What comes next in series of numbers.",
    "frames": "The next frames of clips.",
    "translate": "One sequence after another one.",
    "transcribe": "What is said in recordings.",
    "caption": "What is seen in pictures, as a text.",
    "music": "What comes next in pieces of music.",
}
"""What a network of each task says."""


class Tasks(click.Group):
    """A command for each task; `home` is the module whose `command_of` makes them."""

    def __init__(self, *arguments: Any, home: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.home = home

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All tasks."""
        return list(TASKS)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """With a guess at what was meant."""
        with command_hint(args, TASKS):
            return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a task."""
        return equipped(import_module(self.home).command_of(cmd_name)) if cmd_name in TASKS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What each task is about, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(TASKS.items()))
