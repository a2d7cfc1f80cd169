"""`unrolled score`: which sentence, or which piece, is more likely."""

import json
from pathlib import Path
from typing import Any

import click

from unrolled.cli.about_runs import SCORE, RunCommand, open_run, parts_for
from unrolled.cli.flags import as_flags


@click.command(cls=RunCommand, ask="scoring", titles=[SCORE])
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("sentences", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects: sentence, log_probability.")
def score(run: Path, sentences: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Print the natural log-probability of each of SENTENCES, as whole lines, to the language model RUN; the more likely first. Of a network for music,
    SENTENCES are files with pieces.
    """
    recipe, parts = parts_for(run, "scoring", options)
    trained = open_run(run, "score")
    values = recipe.log_probabilities(trained, sentences, parts, lambda told: click.echo(as_flags(told), err=True))
    scored = sorted(zip(values, sentences, strict=True), key=lambda pair: -pair[0])
    if as_json:
        click.echo(json.dumps([{"sentence": sentence, "log_probability": value} for value, sentence in scored], ensure_ascii=False))
        return
    for value, sentence in scored:
        click.echo(f"{value:10.3f}  {sentence}")
