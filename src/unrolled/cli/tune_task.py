"""`unrolled tune`: a search for options."""

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unrolled.cli.catalogue import known_tasks
from unrolled.cli.flags import as_flags, flags, given
from unrolled.cli.help import TITLES, GroupedCommand
from unrolled.cli.machine import progress
from unrolled.later import Later

if TYPE_CHECKING:
    from unrolled.tasks import tuning
else:
    tuning = Later("unrolled.tasks.tuning")

_HELP = """Train networks on DATA with other options each, drawn where good ones were (TPE, by Optuna), and list them, the best first.

Each trial is a run in a folder inside --out; one that is worse than the median of the others at the same update is pruned. The same command goes on with a
search that was stopped, and may run several times at once. All options of `unrolled train` are those of every trial; --updates or --epochs say how long
each takes."""


def command_of(task: str) -> click.Command:
    """The command for a task."""
    known = known_tasks()[task]

    @click.command(task, cls=GroupedCommand, no_args_is_help=True, help=as_flags(_HELP))
    @click.argument("data", nargs=-1, metavar=f"[{known.data_name}]...")
    @click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=Path("runs", f"tune-{task}"),
        show_default=True,
        help="Folder for the search.",
    )
    @click.option("--trials", type=int, default=20, show_default=True, help="How many trials there are to be in the folder.")
    @click.option(
        "--space",
        multiple=True,
        metavar="OPTION=VALUES",
        help="What is searched: hidden=32..512, cell=lstm,gru; several times.  [default: learning rate, hidden size and dropout]",
    )
    @click.option("--prune/--no-prune", default=True, show_default=True, help="End trials early that are worse than others were.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all trials.")
    def command(data: tuple[str, ...], out: Path, trials: int, space: tuple[str, ...], prune: bool, as_json: bool, **values: Any) -> None:
        display = progress()
        found = tuning.tune(task, data, out=out, trials=trials, space=space, prune=prune, display=display, **given(values))
        click.echo(json.dumps(found.to_json()) if as_json else found.text)
        if found.ranked and not as_json:
            click.echo(f"The best run is in {shlex.quote(found.ranked[0].folder)}. See several side by side: unrolled compare RUNS")

    command.params += flags(known.groups.values(), without=["sources"], titles=[TITLES[name] for name in known.groups])
    return command
