"""`unrolled score`: which sentence is more likely."""

import json
from pathlib import Path

import click

from unrolled.cli.about_runs import open_run
from unrolled.cli.sample import say_unknown


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("sentences", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list of objects: sentence, log_probability.")
def score(run: Path, sentences: tuple[str, ...], as_json: bool) -> None:
    """Print the natural log-probability of each of SENTENCES, as whole lines, to the language model RUN; the more likely first."""
    trained = open_run(run, "score")
    say_unknown(list(dict.fromkeys(symbol for sentence in sentences for symbol in trained.codec.missing(sentence))))
    scored = sorted(((trained.score(sentence), sentence) for sentence in sentences), key=lambda pair: -pair[0])
    if as_json:
        click.echo(json.dumps([{"sentence": sentence, "log_probability": value} for value, sentence in scored], ensure_ascii=False))
        return
    for value, sentence in scored:
        click.echo(f"{value:10.3f}  {sentence}")
