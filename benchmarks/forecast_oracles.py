"""Measures of forecasts beside those of utilsforecast and scoringrules: the largest differences, as parts of the measures.

    pip install utilsforecast scoringrules pandas
    python benchmarks/forecast_oracles.py
    python benchmarks/forecast_oracles.py --tables 200 --seed 1

None of these libraries is needed for anything else.
"""

import importlib
from collections.abc import Callable
from typing import Any

import click
import numpy as np

from unrolled.tasks.measures.forecasts import Forecasts, Numbers, measure, naive_errors, pinball

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
SERIES, WINDOWS, HORIZON, SEASON = 5, 3, 6, 4


@click.command()
@click.option("--tables", default=20, help="Random tables that are measured.")
@click.option("--seed", default=0)
def main(tables: int, seed: int) -> None:
    """Compare what is measured with other libraries."""
    losses, rules, pandas = _library("utilsforecast.losses"), _library("scoringrules"), _library("pandas")
    chance = np.random.default_rng(seed)
    apart: dict[str, float] = {}
    for _ in range(tables):
        true, forecasts, histories = _made(chance)
        series = np.repeat(np.arange(SERIES), WINDOWS)
        ours = measure(true, forecasts, naive_errors(histories, SEASON), series)
        theirs = _theirs(losses, pandas, true, forecasts, histories, series)
        theirs["wql"] = _by_rules(rules, true, forecasts)
        found = {**vars(ours), "coverage 0.8": ours.coverage[0.8], "coverage 0.5": ours.coverage[0.5]}
        for name, value in theirs.items():
            apart[name] = max(apart.get(name, 0.0), abs(found[name] - value) / max(abs(value), 1e-9))
        apart["CRPS of quantiles"] = max(apart.get("CRPS of quantiles", 0.0), _crps_apart(rules, true, forecasts))
    for name, largest in apart.items():
        click.echo(f"{name:18} differs by {largest:.1e} at most in {tables} tables")


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        told = f"{name.split('.', maxsplit=1)[0]} is not installed, beside which this is compared."
        raise click.ClickException(f"{told} Run: pip install utilsforecast scoringrules pandas") from None


def _made(chance: np.random.Generator) -> tuple[Numbers, Forecasts, list[Numbers]]:
    """What came in windows, of which some is not known, forecasts of it, and what came before."""
    shape = (SERIES * WINDOWS, HORIZON, 1)
    true = chance.normal(5, 10, shape)
    points = true + chance.normal(0, 3, shape)
    true[chance.random(shape) < 0.1] = np.nan
    quantiles = np.sort(points[..., None] + chance.normal(0, 4, (*shape, len(LEVELS))), -1)
    histories = [chance.normal(5, 10, (int(chance.integers(2 * SEASON, 60)), 1)) for _ in range(len(true))]
    return true, Forecasts(points, quantiles, LEVELS), histories


def _theirs(losses: Any, pandas: Any, true: Numbers, forecasts: Forecasts, histories: list[Numbers], series: Any) -> dict[str, float]:
    """The measures of utilsforecast: of each window, of the windows of a series, or of all rows, as ours take their means."""
    window, step = (part.ravel() for part in np.indices(true.shape[:2]))
    rows = {"unique_id": window, "ds": step, "y": true.ravel(), "ours": forecasts.points.ravel()}
    for at, level in enumerate(LEVELS):
        side = "lo" if level < 0.5 else "hi"
        rows[f"ours-{side}-{round(abs(200 * level - 100))}"] = forecasts.quantiles[..., at].ravel()
    known = pandas.DataFrame(rows).dropna(subset=["y"])
    ids = np.repeat(np.arange(len(histories)), [len(each) for each in histories])
    before = pandas.DataFrame({"unique_id": ids, "ds": np.arange(len(ids)), "y": np.concatenate(histories)[:, 0]})

    def over_series(loss: Callable[..., Any], **more: Any) -> float:
        each = loss(known, ["ours"], **more).set_index("unique_id")["ours"]
        return float(np.mean([each[each.index.isin(np.flatnonzero(series == one))].mean() for one in range(SERIES)]))

    together = known.assign(unique_id=0)
    scaled = {"seasonality": SEASON, "train_df": before}
    return {
        "mae": float(losses.mae(together, ["ours"])["ours"].iloc[0]),
        "rmse": float(losses.rmse(together, ["ours"])["ours"].iloc[0]),
        "mase": over_series(losses.mase, **scaled),
        "rmsse": over_series(losses.rmsse, **scaled),
        # Theirs goes from 0 to 1.
        "smape": 200 * over_series(losses.smape),
        "coverage 0.8": float(losses.coverage(together, ["ours"], level=80)["ours"].iloc[0]),
        "coverage 0.5": float(losses.coverage(together, ["ours"], level=50)["ours"].iloc[0]),
    }


def _by_rules(rules: Any, true: Numbers, forecasts: Forecasts) -> float:
    """The weighted quantile loss of the quantile scores of scoringrules."""
    known = ~np.isnan(true)
    scores = [rules.quantile_score(true[known], forecasts.quantiles[known][:, at], level) for at, level in enumerate(LEVELS)]
    return float(2 * np.mean(np.sum(scores, 1)) / np.abs(true[known]).sum())


def _crps_apart(rules: Any, true: Numbers, forecasts: Forecasts) -> float:
    """How far twice the mean pinball loss lies from the CRPS of quantiles, as a part of it."""
    known = ~np.isnan(true)
    theirs = rules.crps_quantile(true[known], forecasts.quantiles[known], np.array(LEVELS))
    ours = 2 * pinball(true[known], forecasts.quantiles[known], LEVELS).mean(-1)
    return float(np.max(np.abs(ours - theirs) / np.maximum(theirs, 1e-9)))


if __name__ == "__main__":
    main()
