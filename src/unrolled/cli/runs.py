"""`unrolled runs`: the runs in a folder."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unrolled.cli.flags import as_flags
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled.training import listing
else:
    listing = Later("unrolled.training.listing")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default="runs")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each run, with all its options.")
def runs(folder: Path, as_json: bool) -> None:
    """List the runs in FOLDER and in folders inside: data, the options in which they differ, score, updates and seconds; the last one first.

    FOLDER is runs if nothing is said. `unrolled compare` puts some of them side by side.
    """
    found, broken = listing.list_runs(folder)
    if as_json:
        click.echo("\n".join(json.dumps(run.to_json(), ensure_ascii=False) for run in found))
    else:
        click.echo(listing.table_of(found))
    for told in broken:
        click.secho("warning: ", fg="yellow", nl=False, err=True)
        click.echo(as_flags(told), err=True)
