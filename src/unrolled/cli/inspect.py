"""`unrolled inspect`: what a trained network remembers, where its gradient goes, and what its units do."""

import json
import sys
from pathlib import Path

import click

from unrolled.errors import DataError
from unrolled.tasks.inspecting import PAGE, inspect_run
from unrolled.training import RunFolder
from unrolled.training.checkpoint import replace_file


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("given", metavar="[INPUT]", required=False)
@click.option(
    "--at",
    type=int,
    help="The step that is looked at, from the end where negative.  [default: the last; of networks that read both ways the middle]",
)
@click.option("--steps", type=click.IntRange(2), default=1000, show_default=True, help="Most steps of INPUT that are read.")
@click.option(
    "--beside",
    type=click.Path(path_type=Path),
    help="Another run of the same data, such as one with `--cell elman`, to compare with.  [default: an untrained Elman network]",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help=f"Write the page there.  [default: {PAGE} in the run's folder]"
)
@click.option(
    "--png", "pictures", type=click.Path(path_type=Path, file_okay=False), help="Write the pictures into this folder, too, as PNG and SVG."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all numbers.")
def inspect(
    run: Path, given: str | None, at: int | None, steps: int, beside: Path | None, out: Path | None, pictures: Path | None, as_json: bool
) -> None:
    """Look into the network RUN as it reads INPUT: a text, a file of the kind that it learnt from, or - for the standard input.

    Writes one HTML page that needs nothing else: what is left of each symbol, how fast it forgets, where the gradient goes, its gates and units, what
    it expects, and how it was trained. Without INPUT it reads what RUN held out in training, if that can still be read.
    """
    report = inspect_run(RunFolder(run), _read(given), beside=None if beside is None else RunFolder(beside), at=at, most=steps)
    out = out or run / PAGE
    _write(out, report.html())
    written = report.save_pictures(pictures) if pictures else []
    if as_json:
        click.echo(json.dumps(report.numbers(), ensure_ascii=False))
        return
    for section in report.sections:
        click.secho(section.title, bold=True)
        click.echo(f"  {section.verdict}")
    click.echo(f"The page is {out}." + (f" {len(written)} pictures are in {pictures}." if pictures else ""))


def _read(given: str | None) -> str | Path | None:
    """A text as it is, or a file if there is one of that name."""
    if given is None:
        return None
    if given == "-":
        return sys.stdin.read()
    try:
        return Path(given) if Path(given).is_file() else given
    except (OSError, ValueError):  # too long for a name, or with letters that no name has
        return given


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, lambda aside: aside.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be written: {error.strerror}. Give `--out` another place.") from None
