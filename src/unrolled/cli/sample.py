"""`unrolled sample`: a trained network writes."""

from pathlib import Path
from typing import Any

import click

from unrolled.cli.about_runs import SAMPLE, RunCommand, open_run, parts_for
from unrolled.cli.flags import as_flags


@click.command(cls=RunCommand, ask="sampling", titles=[SAMPLE])
@click.argument("run", type=click.Path(path_type=Path))
def sample(run: Path, **options: Any) -> None:
    """Let the network RUN write: a language model text, and a network for music notes, into files.

    `unrolled sample RUN --help` lists the options that fit RUN.
    """
    recipe, parts = parts_for(run, "sampling", options)
    trained = open_run(run, "sample")
    for number, text in enumerate(recipe.sample(trained, parts, lambda told: click.echo(as_flags(told), err=True))):
        if number:
            click.secho("-" * 40, dim=True)
        click.echo(text)
