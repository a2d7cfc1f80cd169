"""`unrolled compare`: runs beside each other."""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unrolled.cli.flags import as_flags
from unrolled.cli.machine import progress
from unrolled.errors import ConfigError, RunError, UnrolledWarning
from unrolled.extras import is_installed
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled import training
    from unrolled.tasks import comparing, places, studies
    from unrolled.training import checkpoint
else:
    comparing = Later("unrolled.tasks.comparing")
    places = Later("unrolled.tasks.places")
    studies = Later("unrolled.tasks.studies")
    training = Later("unrolled.training")
    checkpoint = Later("unrolled.training.checkpoint")

PICTURE, FIGURES = "compare.svg", "compare.json"
"""What is written into the folder of a study."""


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"Draw held-out losses against updates and seconds there (.svg, .png).  [default: {PICTURE} in the folder of a study]",
)
@click.option(
    "--memory/--no-memory", default=True, show_default=True, help="Measure how fast each network forgets: a few seconds for each."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all numbers.")
def compare(runs: tuple[Path, ...], picture: Path | None, memory: bool, as_json: bool) -> None:
    """Compare RUNS of one task, or all runs in a folder: those that `train` made with --folds, --seeds or several cells, or the trials of `tune`.

    One table: hidden size, parameters, updates, seconds, the measure that weights were kept by and the loss of what is held out, and in how many
    steps half of what was read is forgotten; means and spreads over runs that differ in nothing but seed and fold.
    """
    if picture:
        places.require_place(picture, places.PICTURES, "picture")
    (study,) = runs if len(runs) == 1 and studies.is_study(training.RunFolder(runs[0])) else (None,)
    found = compared(runs, study, memory=memory)
    if picture and not found.draw(picture):
        raise ConfigError("There is nothing to draw: no loss was measured on the way. Train longer, or leave `picture` out.")
    click.echo(json.dumps(found.to_json(), ensure_ascii=False) if as_json else as_flags(found.text))


def compared(runs: tuple[Path, ...], study: Path | None, *, memory: bool = True) -> "comparing.Comparison":
    """Runs beside each other; what comes out is also written into the folder of a study, if that is what they are, as far as it can be."""
    with progress() as display:
        found = comparing.compare(*runs, memory=memory, progress=display.work)
    if study:
        try:
            checkpoint.save_text(study / FIGURES, json.dumps(found.to_json(), ensure_ascii=False, indent=1) + "\n")
            if is_installed("matplotlib"):
                found.draw(study / PICTURE)
        except (RunError, ConfigError) as error:
            warnings.warn(str(error), UnrolledWarning, stacklevel=2)
    return found
