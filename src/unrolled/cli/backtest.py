"""`unrolled backtest`: forecasts of a trained network from many origins, measured."""

import json
from pathlib import Path
from typing import Any

import click

from unrolled.cli.about_runs import RunCommand, open_run, parts_for
from unrolled.cli.flags import as_flags
from unrolled.cli.machine import progress


@click.command(cls=RunCommand, ask="backtesting")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", nargs=-1, required=True, metavar="TABLE...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def backtest(run: Path, data: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Measure forecasts of the network RUN from several origins in each series of TABLE, beside simple methods, and by steps ahead.

    The network stays as it is: pass rows that it did not learn from, or train with --leave-out.
    """
    recipe, parts = parts_for(run, "backtesting", options)
    trained = open_run(run, "backtest")
    with progress() as display:
        found = recipe.backtest(trained, data, parts, display.work)
    click.echo(json.dumps(found.to_json()) if as_json else as_flags(found.text))
