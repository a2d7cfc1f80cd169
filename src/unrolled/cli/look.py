"""`unrolled look`: what `train` would read of files, without training."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unrolled.cli.catalogue import LOOKED_AT, known_groups
from unrolled.cli.flags import as_flags, flags, given
from unrolled.cli.help import GroupedCommand
from unrolled.cli.machine import progress
from unrolled.cli.tasks import TASKS
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled.tasks import looking, places
else:
    looking, places = Later("unrolled.tasks.looking"), Later("unrolled.tasks.places")


@click.command(cls=GroupedCommand)
@click.argument("files", nargs=-1)
@click.option("--task", type=click.Choice(list(TASKS)), help="What is to be learnt.  [default: found out]")
@click.option("--validation", multiple=True, help="Files to measure on, instead of a part of FILES.")
@click.option("--level", help="How texts are read, as in `unrolled train`.")
@click.option("--png", "picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw lengths and labels there (.png, .svg).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def look(files: tuple[str, ...], picture: Path | None, as_json: bool, **options: Any) -> None:
    """Look at FILES as `unrolled train` would read them: their format, their columns with kinds and first values, how many sequences and steps
    there are, how long they are, how often labels come, what is left out, and the command that trains on them.

    Nothing is trained, and nothing is written. Where training would stop, so does this, after it has told what it saw.
    """
    if picture:
        places.require_place(picture, places.PICTURES, "png")
    with progress() as display:
        found = looking.look(files, progress=display.work, **given(options))
    click.echo(json.dumps(found.to_json(), ensure_ascii=False) if as_json else as_flags(found.text))
    if found.problem is not None:
        raise found.problem
    if picture:
        found.draw(picture)


_READING, _PAIRS, _CAPTIONS = (known_groups()[name] for name in LOOKED_AT)
_FOR_ALL = flags([_READING], titles=["Reading"])
_FOR_PAIRS = flags([_PAIRS], [str(flag.name) for flag in _FOR_ALL], ["Pairs"])
_FOR_CAPTIONS = flags([_CAPTIONS], [str(flag.name) for flag in (*_FOR_ALL, *_FOR_PAIRS)], ["Pictures with sentences"])
look.params += _FOR_ALL + _FOR_PAIRS + _FOR_CAPTIONS
