"""`unrolled score`: how likely sentences or pieces are."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unrolled.cli.about_runs import SCORE, RunCommand, open_run, parts_for
from unrolled.cli.flags import as_flags

if TYPE_CHECKING:
    from unrolled.tasks.recipe import Scored


@click.command(cls=RunCommand, ask="scoring", titles=[SCORE])
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("sentences", nargs=-1, required=True, metavar="TEXT... | FILE | -")
@click.option("--tokens", is_flag=True, help="Also print the log-probability of each token, as far as there are some.")
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print a JSON list of objects: sentence (of music file), log_probability, perplexity, tokens if wanted.",
)
def score(run: Path, sentences: tuple[str, ...], tokens: bool, as_json: bool, **options: Any) -> None:
    """Print the natural log-probability of each TEXT, as a whole line, to the language model RUN, and the perplexity of a token of it; the more likely first.

    Of a FILE, or of the standard input with -, each line is scored, in their order, and all of them together in the end. Of a network for music, files
    have pieces.
    """
    recipe, parts = parts_for(run, "scoring", options)
    trained = open_run(run, "score")
    found, lines = recipe.likelihoods(trained, sentences, parts, lambda told: click.echo(as_flags(told), err=True))
    if not lines:
        found = sorted(found, key=lambda each: -each.log_probability)
    if as_json:
        click.echo(json.dumps([each.to_json(tokens=tokens) for each in found], ensure_ascii=False))
        return
    for each in found:
        perplexity = f"{each.perplexity:12.3f}" if each.tokens else ""
        click.echo(f"{each.log_probability:10.3f}{perplexity}  {each.sentence}")
        if tokens:
            for token, value in zip(each.tokens, each.log_probabilities, strict=True):
                click.echo(f"{value:10.3f}    {token!r}")
    if lines:
        click.echo(_together(found))


def _together(found: Sequence["Scored"]) -> str:
    total, count = sum(each.log_probability for each in found), sum(len(each.tokens) for each in found)
    return f"{len(found):,} lines, {count:,} tokens: log-probability {total:.3f}, perplexity {math.exp(min(-total / count, 700)):.3f}"
