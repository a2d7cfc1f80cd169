"""Forecasts of public series beside simple methods and AutoETS, and the time that they take.

    python benchmarks/forecasting.py FOLDER [ROW ...]

FOLDER holds m4_hourly/, vic_electricity.csv and the other files of `ROWS`, wherever below it they lie. Of each series the last rows are left
out of the training, and forecast from several origins, and then from all that lie a horizon apart; nothing is tuned on them. AutoETS and AutoARIMA need the extra `rivals`. A series with a season
longer than 24 is given to AutoETS as statsforecast proposes, without its seasons (MSTL). Of hundreds of series they see every twentieth, as they
take seconds for each, and AutoARIMA a minute where a season is 24: then a second table shows all methods on these.
"""

import csv
import json
import random
import tempfile
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

import unrolled as un
from unrolled.errors import UnrolledWarning
from unrolled.extras import is_installed
from unrolled.training import Silent

M4 = "Hourly-train.csv", "Hourly-test.csv"

EACH = 20
"""Of so many series of hundreds one is forecast by statistical rivals."""

MADE = "made"
"""Where a series is made, whose numbers follow the sign of a mark that stands 50 steps before."""


@dataclass(frozen=True)
class Row:
    """What is forecast of which file: `horizon` steps from `origins`, a `step` apart."""

    file: str
    horizon: int
    origins: int
    step: int
    options: Mapping[str, Any] = field(default_factory=dict)


VICTORIA = {"time": "Time", "target": "Demand", "known": "Temperature,Holiday", "zone": "Australia/Melbourne"}
BICYCLES = {"target": "users", "known": "holiday,workingday,weather,temp,atemp,hum,windspeed"}
AIR = {"target": "so2,co,no,no2,pm10,nox,o3,veloc.,direc.,pm2.5"}

ROWS = {
    "m4": Row(M4[0], 48, 1, 48, {"layout": "rows", "frequency": "h"}),
    "electricity-day": Row("vic_electricity.csv", 48, 8, 48 * 15, VICTORIA),
    "electricity-week": Row("vic_electricity.csv", 336, 8, 48 * 15, VICTORIA),
    "bicycles": Row("bike_sharing_dataset_clean.csv", 24, 8, 24 * 15, BICYCLES),
    "air": Row("air_quality_valencia.csv", 24, 8, 24 * 15, AIR),
    "bitcoin": Row("bitcoin.csv", 5, 40, 5, {"target": "close"}),
    "stocks": Row("sp500-2000.csv", 5, 40, 5, {"target": "close", "frequency": "B"}),
    "monthly": Row("stocks.csv", 5, 8, 5, {"series": "symbol", "target": "price"}),
    "airline": Row("airline-passengers.csv", 24, 1, 24, {"target": "Passengers"}),
    "memory": Row(MADE, 6, 100, 6, {"target": "y", "known": "open", "season": "0", "context": 64, "residual_of": "none"}),
}


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("rows", nargs=-1, type=click.Choice([*ROWS]))
@click.option("--seed", type=int, default=0, help="Seed of the training.  [default: 0]")
@click.option("--minutes", type=float, help="Time to train.  [default: the epochs of the task]")
@click.option("--window", type=int, help="Measure a feed-forward network over so many steps, too.")
@click.option("--rivals", default="AutoETS", help="Statistical rivals, with commas between.  [default: AutoETS]")
@click.option("--option", "options", multiple=True, help="Another option of the training, as NAME=VALUE with JSON; several times.")
def main(
    folder: Path, rows: tuple[str, ...], seed: int, minutes: float | None, window: int | None, rivals: str, options: tuple[str, ...]
) -> None:
    """Train, forecast and measure."""
    asked = {name: json.loads(value) for name, value in (option.split("=", 1) for option in options)}
    asked |= {"minutes": minutes} if minutes else {}
    networks: list[dict[str, Any]] = [{}, *([{"layers": 0, "input_window": window}] if window else [])]
    for name in rows or ROWS:
        for network in networks:
            with tempfile.TemporaryDirectory() as place:
                measure(name, folder, Path(place), seed, rivals, {**asked, **network})


def measure(name: str, folder: Path, place: Path, seed: int, rivals: str, asked: Mapping[str, Any]) -> None:
    """One row of the table."""
    row = ROWS[name]
    learnt = made(place / "made.csv") if row.file == MADE else found(folder, row.file)
    table = joined(learnt, found(folder, M4[1]), place / "all.csv") if row.file == M4[0] else learnt
    held = row.horizon if row.file == M4[0] else 0.1
    left = 0 if row.file == M4[0] else row.horizon + (row.origins - 1) * row.step
    options = {"held_out": held, "leave_out": left, "horizon": row.horizon, **row.options, **asked}
    begin = time.perf_counter()
    trained = un.train_forecaster(learnt, out=place / "run", seed=seed, display=Silent(), **options)
    seconds = time.perf_counter() - begin
    tables = {table: "simple" if row.file == M4[0] else rivals}
    if row.file == M4[0] and is_installed("statsforecast"):
        tables[joined(learnt, found(folder, M4[1]), place / "some.csv", EACH)] = rivals
    begin = time.perf_counter()
    windows = trained.backtest(table, row.origins, row.step, rivals="none").scores.windows
    speed = windows / (time.perf_counter() - begin)
    what = f"{name}, a feed-forward network over {asked['input_window']} steps" if "input_window" in asked else name
    click.echo(f"\n## {what}: trained in {seconds:.0f} s, {speed:,.0f} windows of {row.horizon} steps forecast a second")
    for each, methods in tables.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnrolledWarning)
            beside = methods if is_installed("statsforecast") else "simple"
            click.echo(trained.backtest(each, row.origins, row.step, rivals=beside).scores.text)
    if left > row.horizon * row.origins:
        click.echo(f"From all origins: {trained.backtest(table, left // row.horizon).scores.text}")


def made(path: Path, steps: int = 6000) -> Path:
    """Noise with marks of 3 or -3; 50 steps after a mark, while a door is open, numbers have its sign."""
    chance = random.Random(0)
    y, door = [chance.gauss(0, 0.1) for _ in range(steps)], [0] * steps
    begin = 0
    while begin + 60 < steps:
        sign = chance.choice((-1, 1))
        y[begin] += 3 * sign
        for step in range(begin + 50, begin + 56):
            y[step], door[step] = y[step] + sign, 1
        begin += chance.randint(60, 69)
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("y", "open"), *zip(y, door, strict=True)])
    return path


def found(folder: Path, name: str) -> Path:
    """A file of a name, in a folder or below it."""
    path = next(folder.rglob(name), None)
    if path is None:
        raise click.UsageError(f"{folder} has no {name}. Pass the folder that has it.")
    return path


def joined(learnt: Path, test: Path, path: Path, each: int = 1) -> Path:
    """Series in rows, each with its test part at its end; of them one of so many."""
    with open(learnt, newline="", encoding="utf-8") as one, open(test, newline="", encoding="utf-8") as other:
        (_, *begins), (_, *ends) = csv.reader(one), csv.reader(other)
    rows = [[cell for cell in begin if cell] + end[1:] for begin, end in zip(begins, ends, strict=True)][::each]
    width = max(map(len, rows))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([f"V{number + 1}" for number in range(width)])
        writer.writerows(row + [""] * (width - len(row)) for row in rows)
    return path


if __name__ == "__main__":
    main()
