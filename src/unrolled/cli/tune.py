"""`unrolled tune`: a search for options."""

import click

from unrolled.cli.tasks import Tasks


@click.group(cls=Tasks, home="unrolled.cli.tune_task")
def tune() -> None:
    """Search for the options with which a network has the best score on what is held out."""
