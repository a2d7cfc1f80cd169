"""`unrolled demo`: the main job, on text that every Python has."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unrolled.cli.machine import progress
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled import tasks
    from unrolled.cli import train_task
else:
    tasks, train_task = Later("unrolled.tasks"), Later("unrolled.cli.train_task")

TEXT = "builtin:python-docs"
PROMPT = "The "


@click.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the run.  [default: runs/demo, runs/demo-2, …]")
@click.option("--minutes", type=float, default=1.25, help="Time to learn.  [default: 1.25]")
@click.option("--hidden", type=int, default=384, help="Units of the network.  [default: 384]")
def demo(out: Path | None, minutes: float, hidden: int) -> None:
    """Train an LSTM on Python's own documentation for about a minute, and let it write."""
    folder = train_task.new_folder("demo", out)
    click.echo(f"An LSTM of {hidden} units learns to write like Python's documentation, character by character, for {minutes:g} minutes.")
    click.echo("Watch the held-out bits per character fall: text that it never saw, and how many bits it still needs for each character.\n")
    outcome = tasks.run_training(tasks.find_recipe("lm"), TEXT, folder, {"minutes": minutes, "hidden": hidden}, progress())
    where = shlex.quote(str(folder))
    if not outcome.finished:
        click.echo(f"Stopped; everything is saved. Go on with: unrolled train lm --resume {where}")
        sys.exit(train_task.INTERRUPTED)
    click.secho("\nWhat it writes now:", bold=True)
    for seed in (1, 2):
        click.echo(f"\n{tasks.load(folder.path).sample(PROMPT, 300, temperature=0.7, seed=seed)[0]}")
    click.secho(f"\nThe run is in {folder}{train_task.loss_curve(folder)}. Next:", bold=True)
    for command, effect in (
        (f"sample {where} --prompt 'A class ' --temperature 0.5", "let it write"),
        (f"score {where} 'The class is defined.' 'The defined class the is.'", "which is more likely?"),
        ("show lstm", "the equations that it ran on"),
        ("train lm YOUR.txt --minutes 3", "your own text"),
        ("train lm YOUR.txt --cell YOUR.cell", "your own equations: see docs/language.md"),
    ):
        click.echo(f"  unrolled {command:62} # {effect}")
