"""Training and forecasting with an LSTM of 64 units, here and in neuralforecast, on the same series in rows, in one process.

    python benchmarks/forecasting_speed.py TABLE [--updates N]

Both read 168 steps and forecast 48, 64 windows an update. Processor seconds are measured, which other programs that run change little; an update costs the difference between a
longer and a shorter run divided by their updates, so that reading and setting up are no part of it.
"""

import csv
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

import unrolled as un
from unrolled.training import Silent

CONTEXT, HORIZON, HIDDEN, BATCH, SEASON = 168, 48, 64, 64, 24


@click.command()
@click.argument("table", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--updates", type=int, default=200, help="Updates by which the longer run is longer.  [default: 200]")
def main(table: Path, updates: int) -> None:
    """Measure both."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        ours = measured(lambda count: train_here(table, Path(place, str(count)), count), forecast_here, updates)
    theirs = measured(lambda count: train_there(table, count), lambda trained: trained.predict(), updates)
    for name, (update, forecasts) in {"unrolled": ours, "neuralforecast": theirs}.items():
        click.echo(f"{name:>14}: {1 / update:6.1f} updates and {forecasts:7.0f} forecasts of {HORIZON} steps in a processor second")


def measured(train: Callable[[int], Any], forecast: Callable[[Any], Any], updates: int) -> tuple[float, float]:
    """Processor seconds of an update, and forecasts in a processor second."""
    short, _ = timed(lambda: train(20))
    long, trained = timed(lambda: train(20 + updates))
    forecast(trained)
    once, found = timed(lambda: forecast(trained))
    return (long - short) / updates, len(found) / (HORIZON if hasattr(found, "columns") else 1) / once


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds, and what came out."""
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found


def train_here(table: Path, run: Path, updates: int) -> Any:
    """A network of this package."""
    options = {"layout": "rows", "frequency": "h", "horizon": HORIZON, "context": CONTEXT, "hidden": HIDDEN, "season": SEASON}
    return un.train_forecaster(table, out=run, held_out=0, epochs=1, windows=updates * BATCH, batch=BATCH, display=Silent(), **options)


def forecast_here(trained: Any) -> Any:
    """What comes after all series that were learnt."""
    return trained.forecast().points


def train_there(table: Path, updates: int) -> Any:
    """The same in neuralforecast."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    import pandas  # noqa: PLC0415
    from neuralforecast import NeuralForecast  # noqa: PLC0415
    from neuralforecast.losses.pytorch import MQLoss  # noqa: PLC0415
    from neuralforecast.models import LSTM  # noqa: PLC0415

    with open(table, newline="", encoding="utf-8") as file:
        (_, *rows) = csv.reader(file)
    series = {name: np.array([float(cell) for cell in cells if cell]) for name, *cells in rows}
    frames = [pandas.DataFrame({"unique_id": name, "ds": np.arange(len(y)), "y": y}) for name, y in series.items()]
    sizes = {"encoder_hidden_size": HIDDEN, "encoder_n_layers": 1, "decoder_hidden_size": HIDDEN, "decoder_layers": 1}
    batches = {"batch_size": BATCH, "windows_batch_size": BATCH, "max_steps": updates, "scaler_type": "standard"}
    quiet = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    model = LSTM(h=HORIZON, input_size=CONTEXT, loss=MQLoss(level=[80, 90]), **sizes, **batches, **quiet)
    trained = NeuralForecast(models=[model], freq=1)
    trained.fit(pandas.concat(frames))
    return trained


if __name__ == "__main__":
    main()
