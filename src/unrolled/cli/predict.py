"""`unrolled predict`: what a trained network says of new sequences."""

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from unrolled.cli.about_runs import RunCommand, open_run, parts_for
from unrolled.cli.flags import as_flags
from unrolled.errors import ConfigError
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled.tasks import places
    from unrolled.tasks import recipe as recipes
    from unrolled.training import checkpoint
else:
    places = Later("unrolled.tasks.places")
    recipes = Later("unrolled.tasks.recipe")
    checkpoint = Later("unrolled.training.checkpoint")


@click.command(cls=RunCommand, ask="predicting", without=["target", "source"])
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write there.  [default: to the terminal]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each sequence.")
def predict(run: Path, files: tuple[str, ...], out: Path | None, as_json: bool, **options: Any) -> None:
    """Predict labels, tags or numbers of the sequences of FILE with the network RUN, and write them as they were with what is predicted added; or
    translate its lines; or forecast its series.

    Several files are heard one after another by a network that writes down sound; any other reads one, or all in a folder.
    Without FILE, or with -, lines of text are read from the terminal or a pipe, or a table if the network learnt from event logs or
    tables of series. Labels and targets that a file already has are left as they are, but in .ts files, whose labels are then
    the predicted ones. For images a new table is written, and for tagged FASTA files a BED file with the regions. Forecasts are a table of times and
    quantiles: without FILE what follows the series that were learnt, and with - the next step after each row of a feed.
    `unrolled predict RUN --help` lists the options that fit RUN.
    """
    recipe, parts = parts_for(run, "predicting", options)
    if out is not None:
        places.require_place(out, name="out")
    trained = open_run(run, "predict")
    files = files or (recipe.without_file,)
    if len(files) > 1 and not recipe.reads_many:
        raise ConfigError(f"{run} holds {recipe.noun}, which reads one FILE at a time, got {len(files)}. Pass one, or a folder of them.")
    typed = files == ("-",) and sys.stdin.isatty()
    how = recipes.Answering(as_json, typed, lambda text: click.echo(as_flags(text), err=True))
    write = recipe.predict_files(trained, files, parts, how)
    if out is None:
        write(sys.stdout)
    else:
        checkpoint.save_whole(out, lambda file: _write_to(file, write))


def _write_to(file: BinaryIO, write: "recipes.Writing") -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    write(text)
    text.detach()
