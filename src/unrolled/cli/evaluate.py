"""`unrolled evaluate`: a trained network measured on files."""

import json
from pathlib import Path
from typing import Any

import click

from unrolled.cli.about_runs import RunCommand, open_run, parts_for
from unrolled.cli.flags import as_flags
from unrolled.cli.machine import progress
from unrolled.errors import ConfigError


@click.command(cls=RunCommand, ask="evaluating", without=["nbest"])
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def evaluate(run: Path, data: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Measure the network RUN on all of DATA: files of the kind that it was trained on, or builtin:… texts, examples and pairs.

    A language model gives nats, bits, perplexity, accuracy and tokens; a classifier or tagger accuracy, macro F1, the F1 of entities where tags are
    BIO, and the scores of every label; a network of numbers R², MAE and RMSE; a network of forecasts MAE, MASE, sMAPE,
    quantile loss and coverage for the last rows of each series; a network of next frames MSE, MAE, SSIM and PSNR; a translator BLEU, chrF, exact matches and perplexity; each beside what one would say without reading.
    `unrolled evaluate RUN --help` lists the options that fit RUN.
    """
    if not data and options.get("source") is None:
        raise ConfigError("There is no DATA to measure. Pass files, or builtin:… data.")
    recipe, parts = parts_for(run, "evaluating", options)
    trained = open_run(run, "evaluate")
    with progress() as display:
        found = recipe.evaluate(trained, data, parts, display.work)
    click.echo(json.dumps(found.to_json()) if as_json else as_flags(found.text))
