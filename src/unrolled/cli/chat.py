"""`unrolled chat`: a talk with a network that learnt replies."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unrolled.cli.about_runs import open_run
from unrolled.cli.catalogue import SEARCH, known_groups
from unrolled.cli.flags import flags, given
from unrolled.errors import ConfigError
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled.tasks.translation import options as translation
else:
    translation = Later("unrolled.tasks.translation.options")


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--temperature", type=float, help="Draw answers: below 1 safer, above 1 bolder.  [default: the best one is searched for]")
@click.option("--seed", type=int, help="The same seed draws the same.")
def chat(run: Path, temperature: float | None, seed: int | None, **search: Any) -> None:
    """Talk with the network RUN, which was trained on texts and replies (`unrolled train translate`); an empty line begins anew.

    A network of one direction (--no-bidirectional) remembers what was said before; any other answers each line by itself.
    """
    options = translation.SearchOptions(**given(search))
    searching = [f"--{name.replace('_', '-')}" for name in given(search) if name != "limit"]
    if temperature is not None and searching:
        raise ConfigError(f"`--temperature` draws answers, and `{searching[0]}` is about searching for them. Leave one of them out.")
    trained = open_run(run, "chat")
    talk = trained.converse(options, temperature=temperature, seed=seed)
    typed = sys.stdin.isatty()
    if typed:
        memory = "An empty line begins anew" if talk.remembers else "It was trained to read both ways, so it answers each line by itself"
        click.echo(f"Type and press Enter; end with Ctrl-D. {memory}.", err=True)
    while (line := _next(typed)) is not None:
        if line:
            click.echo(talk.reply(line))
        else:
            talk.begin_anew()


def _next(typed: bool) -> str | None:
    """The next line without blanks around it, or None after the last one."""
    if typed:
        click.echo("> ", nl=False, err=True)
    line = sys.stdin.readline()
    return line.strip() if line else None


chat.params += flags([known_groups()[SEARCH]], without=["nbest", "prefix"])
