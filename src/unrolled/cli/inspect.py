"""`unrolled inspect`: what a trained network remembers, where its gradient goes, and what its units do."""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unrolled.errors import DataError
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled import training
    from unrolled.data import builtin
    from unrolled.data.formats import known
    from unrolled.data.pictures import clips
    from unrolled.tasks import inspecting
    from unrolled.training import checkpoint
else:
    builtin, known = Later("unrolled.data.builtin"), Later("unrolled.data.formats.known")
    clips = Later("unrolled.data.pictures.clips")
    inspecting, training, checkpoint = Later("unrolled.tasks.inspecting"), Later("unrolled.training"), Later("unrolled.training.checkpoint")

PAGE = "report.html"
"""What the page is called in the folder of a run."""


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
    "--png",
    "pictures",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the pictures into this folder, too, as PNG and SVG, the graph as SVG alone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all numbers.")
def inspect(
    run: Path, given: str | None, at: int | None, steps: int, beside: Path | None, out: Path | None, pictures: Path | None, as_json: bool
) -> None:
    """Look into the network RUN as it reads INPUT: a text, a file of the kind that it learnt from, or - for the standard input.

    Writes one HTML page that needs nothing else: what is left of each symbol, how fast it forgets, where the gradient goes, its gates and units, what
    it expects, and how it was trained. Without INPUT it reads what RUN held out in training, if that can still be read.
    """
    given_input, folder, out = _read(given), training.RunFolder(run), out or run / PAGE
    folder.read_config()
    _require_folder(out.parent, "--out")
    if pictures:
        _require_folder(next(place for place in (pictures, *pictures.parents) if place.exists()), "--png")
    report = inspecting.inspect_run(folder, given_input, beside=None if beside is None else training.RunFolder(beside), at=at, most=steps)
    checkpoint.save_text(out, report.html())
    written = report.save_pictures(pictures) if pictures else []
    if as_json:
        click.echo(json.dumps(report.numbers(), ensure_ascii=False))
        return
    for section in report.sections:
        click.secho(section.title, bold=True)
        click.echo(f"  {section.verdict}")
    click.echo(f"The page is {out}." + (f" {len(written)} pictures are in {pictures}." if pictures else ""))


def _read(given: str | None) -> str | Path | None:
    """A text as it is, or a file or folder of frames if there is one of that name, or a built-in source. `DataError` for another folder, and for the name of a
    file that there is not."""
    if given is None:
        return None
    if given == "-":
        return sys.stdin.read()
    as_text = "To inspect this as text, pass it through the standard input, with - as INPUT."
    if os.path.isdir(given) and not clips.frames_in(Path(given)):
        raise DataError(f"{given!r} is a folder. Pass a file. {as_text}")
    if os.path.exists(given) or (given.startswith(builtin.PREFIX) and given.split() == [given]):
        return Path(given)
    if known.looks_like_a_file(given):
        raise DataError(f"There is no file {given!r}. {as_text}")
    return given


def _require_folder(folder: Path, flag: str) -> None:
    """Before the work, as it may take minutes."""
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        reason = "may not be written" if folder.is_dir() else "is not a folder that exists"
        raise DataError(f"{str(folder)!r} {reason}. Give `{flag}` another place.")
