"""`unrolled score`: how likely sentences are."""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from unrolled.cli.about_runs import open_run
from unrolled.cli.sample import say_unknown
from unrolled.errors import DataError

AT_ONCE = 1024
"""Lines that are read before they are scored."""


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("sentences", nargs=-1, required=True, metavar="TEXT... | FILE | -")
@click.option("--tokens", is_flag=True, help="Also print the log-probability of each token.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print a JSON list of objects: sentence, log_probability, perplexity, tokens if wanted."
)
def score(run: Path, sentences: tuple[str, ...], tokens: bool, as_json: bool) -> None:
    """Print the natural log-probability of each TEXT, as a whole line, to the language model RUN, and the perplexity of a token of it; the more likely first.

    Of a FILE, or of the standard input with -, each line is scored, in their order, and all of them together in the end.
    """
    trained = open_run(run, "score")
    file = sentences[0] if len(sentences) == 1 and (sentences[0] == "-" or Path(sentences[0]).is_file()) else None
    chunks = [list(sentences)] if file is None else _chunks(file)
    scored = []
    for lines in chunks:
        say_unknown(list(dict.fromkeys(symbol for line in lines for symbol in trained.missing(line))))
        found = trained.score_lines(lines)
        found = sorted(found, key=lambda line: -line.log_probability) if file is None else found
        scored += [(line.log_probability, len(line.tokens)) for line in found]
        _print(found, tokens, as_json, whole=file is None)
    if file is not None and not as_json:
        total, count = sum(value for value, _ in scored), sum(size for _, size in scored)
        click.echo(
            f"{len(scored):,} lines, {count:,} tokens: log-probability {total:.3f}, perplexity {math.exp(min(-total / count, 700)):.3f}"
        )


def _print(found: Sequence[Any], tokens: bool, as_json: bool, *, whole: bool) -> None:
    """Lines with their scores: as one JSON list if that is all, or an object a line."""
    objects = [line.to_json(tokens=tokens) for line in found] if as_json else []
    if as_json:
        lines = [json.dumps(objects, ensure_ascii=False)] if whole else [json.dumps(each, ensure_ascii=False) for each in objects]
        click.echo("\n".join(lines))
        return
    for line in found:
        click.echo(f"{line.log_probability:10.3f}  {line.perplexity:10.3f}  {line.sentence}")
        if tokens:
            click.echo(
                "".join(f"{value:10.3f}    {token!r}\n" for token, value in zip(line.tokens, line.log_probabilities, strict=True)), nl=False
            )


def _chunks(file: str) -> Iterator[list[str]]:
    """The lines of a file that have something in them, some at a time. `DataError` where there are none, or where it cannot be read."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}. Give a text file.") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{'The standard input' if file == '-' else file} has no line to score. Give some.")
    for first in range(0, len(lines), AT_ONCE):
        yield lines[first : first + AT_ONCE]
