"""`unrolled evaluate`: a trained network measured on files."""

import json
from pathlib import Path

import click

from unrolled.tasks import load
from unrolled.tasks.language_model import describe
from unrolled.training import display_here


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", nargs=-1, required=True)
@click.option("--encoding", default="utf-8", help="How the files are encoded.  [default: utf-8]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: nats, bits, perplexity, tokens.")
def evaluate(run: Path, data: tuple[str, ...], encoding: str, as_json: bool) -> None:
    """Measure the language model RUN on all of DATA, text files or builtin:… texts."""
    trained = load(run)
    with display_here() as display:
        found = trained.evaluate(data, encoding=encoding, progress=display.work)
    if as_json:
        click.echo(json.dumps({"nats": found.nats, "bits": found.bits, "perplexity": found.perplexity, "tokens": found.tokens}))
    else:
        click.echo(f"{describe(found, trained.vocabulary)}, perplexity {found.perplexity:.3f}, over {found.tokens:,} tokens")
