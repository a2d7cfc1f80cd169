"""`unrolled sample`: a language model writes."""

from pathlib import Path
from typing import Any

import click

from unrolled.cli.about_runs import open_run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--prompt", default="", help=r"How the text begins; \n is a line end, \t a tab, \\ a backslash.")
@click.option("--length", type=int, default=500, help="Characters or words to write.  [default: 500]")
@click.option("--temperature", type=float, default=1.0, help="Below 1 safer, above 1 bolder, 0 always the likeliest.  [default: 1]")
@click.option("--top-k", type=int, default=0, help="Choose among the k likeliest only.  [default: all]")
@click.option("--top-p", type=float, default=1.0, help="Choose among the likeliest that together reach p.  [default: 1]")
@click.option("--count", type=int, default=1, help="How many texts.  [default: 1]")
@click.option("--lines", type=int, default=None, help="Stop after so many lines.")
@click.option("--seed", type=int, default=None, help="The same seed writes the same text.")
def sample(run: Path, prompt: str, **options: Any) -> None:
    """Let the language model RUN write."""
    trained = open_run(run, "sample")
    say_unknown(trained.codec.missing(prompt))
    for number, text in enumerate(trained.sample(prompt, **options)):
        if number:
            click.secho("-" * 40, dim=True)
        click.echo(text)


def say_unknown(missing: list[str]) -> None:
    """Tell what the model does not know, on the standard error."""
    if missing:
        shown = ", ".join(map(repr, missing[:10])) + (", …" if len(missing) > 10 else "")
        click.echo(f"The model does not know {shown}: read as <UNK>.", err=True)
