"""`unrolled sample`: a trained network writes."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from unrolled.cli.about_runs import SAMPLE, RunCommand, open_run, parts_for
from unrolled.cli.flags import as_flags

INTERRUPTED = 130


@click.command(cls=RunCommand, ask="sampling", titles=[SAMPLE])
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each text: prompt, text.")
def sample(run: Path, as_json: bool, **options: Any) -> None:
    """Let the network RUN write: a language model text, a translator what may stand for a source, and a network for music notes, into files.

    A text is seen as it is drawn; Ctrl-C ends it. `unrolled sample RUN --help` lists the options that fit RUN.
    """
    recipe, parts = parts_for(run, "sampling", options)
    trained = open_run(run, "sample")
    try:
        for number, written in enumerate(recipe.sample(trained, parts, lambda told: click.echo(as_flags(told), err=True))):
            if as_json:
                click.echo(json.dumps({"prompt": written.prompt, "text": "".join(written.pieces)}, ensure_ascii=False))
                continue
            if number:
                click.secho("-" * 40, dim=True)
            for piece in written.pieces:
                click.echo(piece, nl=False)
                sys.stdout.flush()
            click.echo()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
