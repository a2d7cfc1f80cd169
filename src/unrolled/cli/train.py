"""`unrolled train`: one command for each task."""

import click

from unrolled.cli.tasks import Tasks


@click.group(cls=Tasks, home="unrolled.cli.train_task")
def train() -> None:
    """Train a network on files."""
