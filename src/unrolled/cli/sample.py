"""`unrolled sample`: a language model writes, or a translator."""

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from unrolled.cli.about_runs import open_run
from unrolled.errors import ConfigError, DataError

INTERRUPTED = 130

AT_ONCE = 64
"""Prompts of a file that are gone on with side by side."""

_TYPED = {"n": "\n", "t": "\t", "\\": "\\"}


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--prompt", help="How the text begins, or what is translated; \\n is a line end, \\t a tab, \\\\ a backslash.")
@click.option("--prompts", metavar="FILE", help="A prompt on each line of this file, or of the standard input with -; side by side.")
@click.option("--length", type=int, help="Characters or words to write, at most.  [default: 500; of a translation as its source asks for]")
@click.option("--stop", help="Stop before this text, which is read as a prompt is.")
@click.option("--lines", type=int, help="Stop after so many lines.")
@click.option("--temperature", type=float, default=1.0, help="Below 1 safer, above 1 bolder, 0 always the likeliest.  [default: 1]")
@click.option("--top-k", type=int, default=0, help="Choose among the k likeliest only.  [default: all]")
@click.option("--top-p", type=float, default=1.0, help="Choose among the likeliest that together reach p.  [default: 1]")
@click.option("--repetition-penalty", type=float, default=1.0, help="Above 1: what was written becomes less likely.  [default: 1]")
@click.option("--count", type=int, default=1, help="How many texts for each prompt.  [default: 1]")
@click.option("--seed", type=int, help="The same seed writes the same text.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each text: prompt, text.")
def sample(run: Path, prompt: str | None, prompts: str | None, as_json: bool, **options: Any) -> None:
    """Let the network RUN write: a language model goes on with what --prompt says, and a translator draws texts for it.

    A text is seen as it is drawn; Ctrl-C ends it.
    """
    if prompt is not None and prompts is not None:
        raise ConfigError("`--prompt` and `--prompts` both say how texts begin. Give one of them.")
    trained = open_run(run, "sample")
    begins = [_typed(prompt or "")] if prompts is None else _lines(prompts)
    asked = {name: value for name, value in options.items() if value is not None}
    if "stop" in asked:
        asked["stop"] = _typed(asked["stop"])
    say_unknown(list(dict.fromkeys(symbol for begin in begins for symbol in trained.missing(begin))))
    for first in range(0, len(begins), AT_ONCE):
        some = begins[first : first + AT_ONCE]
        own = {**asked, "seed": asked["seed"] + first} if "seed" in asked else asked
        pieces = trained.sample_stream(some, **own)
        written = _json(pieces, some, asked["count"]) if as_json else _texts(pieces, len(some) * asked["count"], first > 0)
        for piece in written:
            click.echo(piece, nl=False)
            sys.stdout.flush()


def _texts(pieces: Iterator[list[str]], count: int, divided: bool) -> Iterator[str]:
    """The first text as it is drawn, then the others, with lines between them; all that there is when it is interrupted."""
    texts, line = [""] * count, click.style("-" * 40, dim=True) + "\n"
    yield line if divided else ""
    try:
        for new in pieces:
            texts = [text + more for text, more in zip(texts, new, strict=True)]
            yield new[0]
    except KeyboardInterrupt:
        yield "".join(["\n", *(f"{line}{text}\n" for text in texts[1:])])
        sys.exit(INTERRUPTED)
    yield "".join(["\n", *(f"{line}{text}\n" for text in texts[1:])])


def _json(pieces: Iterator[list[str]], prompts: Sequence[str], count: int) -> Iterator[str]:
    texts = ["".join(parts) for parts in zip(*pieces, strict=True)]
    for number, text in enumerate(texts):
        yield json.dumps({"prompt": prompts[number // count], "text": text}, ensure_ascii=False) + "\n"


def _typed(text: str) -> str:
    """A text with line ends and tabs where they were typed as such."""
    return re.sub(r"\\([nt\\])", lambda found: _TYPED[found[1]], text)


def _lines(file: str) -> list[str]:
    """The lines of a file, or of the standard input. `DataError` where there are none."""
    try:
        found = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}. Give a text file.") from None
    lines = found.splitlines()
    if not lines:
        raise DataError(f"{'The standard input' if file == '-' else file} has no line. Give a prompt on each.")
    return lines


def say_unknown(missing: list[str]) -> None:
    """Tell what the model does not know, on the standard error."""
    if missing:
        shown = ", ".join(map(repr, missing[:10])) + (", …" if len(missing) > 10 else "")
        click.echo(f"The model does not know {shown}: read as <UNK>.", err=True)
