"""What networks of forecasts refuse, and what they tell of series that are odd."""

import numpy as np
import pytest

import unrolled as un
from small_forecasters import QUIET, H, season
from unrolled.data.panels import PanelOptions
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks.forecasting.options import ForecastDataOptions, ForecastOptions
from unrolled.tasks.forecasting.reading import read_forecast_data
from unrolled.training import Silent

WRONG = [
    ({"horizon": 6, "rivals": "Prophet"}, ConfigError, "`rivals` must be simple, none, or of AutoETS"),
    ({}, ConfigError, "`horizon` must say how many steps"),
    ({"horizon": 0}, ConfigError, "`horizon` must be at least 1"),
    ({"horizon": 70}, ConfigError, "No series has 2 x 70 rows"),
    ({"horizon": 6, "held_out": 3}, ConfigError, "`held_out` must be at least the horizon, 6 rows"),
    ({"horizon": 6, "held_out": 2.5}, ConfigError, "`held_out` must be a fraction"),
    ({"horizon": 6, "leave_out": 120}, ConfigError, "`leave_out=120` leaves nothing"),
    ({"horizon": 6, "method": "magic"}, ConfigError, "`method` must be one of direct, recursive"),
    ({"horizon": 6, "loss": "squared"}, ConfigError, "`loss` must be one of normal"),
    ({"horizon": 6, "quantiles": "0.5,1.5"}, ConfigError, "`quantiles` must be numbers between 0 and 1"),
    ({"horizon": 6, "season": "1"}, ConfigError, "`season` must be whole numbers of at least 2"),
    ({"horizon": 6, "season": 0, "residual_of": "season-mean"}, ConfigError, "needs seasons, and `season=0`"),
    ({"horizon": 6, "loss": "zero-inflated", "residual_of": "last"}, ConfigError, "is for counts as they are"),
    ({"horizon": 6, "context": 0}, ConfigError, "`context` must be at least 1"),
    ({"horizon": 6, "windows": 0}, ConfigError, "`windows` must be at least 1"),
]


@pytest.mark.parametrize(("options", "error", "match"), WRONG)
def test_what_cannot_be_asked_for_is_told_and_nothing_is_written(folder, tmp_path, options, error, match):
    plain = {name: str(value) if name == "season" else value for name, value in options.items()}
    with pytest.raises(error, match=match):
        un.train_forecaster(folder / "plain.csv", out=tmp_path / "run", display=Silent(), **plain)
    assert not (tmp_path / "run").exists()


def test_counts_must_be_whole_and_at_least_0(tmp_path):
    for number in (-1.0, 2.5):
        with pytest.raises(DataError, match="`loss='negative-binomial'` is for counts"):
            un.train_forecaster({"y": np.r_[np.ones(50), number]}, out=tmp_path / "run", horizon=3, loss="negative-binomial", **QUIET)


def test_times_of_another_kind_than_learnt_are_refused(recursive, tmp_path):
    for text, match in (
        ("1,2\n2,3\n", "are numbers here, and dates in what was learnt"),
        ("2008-01Z,2\n2008-02Z,3\n", "have the zone Z here, and none"),
    ):
        (tmp_path / "t.csv").write_text(f"month,sold\n{text}")
        with pytest.raises(DataError, match=match):
            recursive.forecast(tmp_path / "t.csv")


def test_a_future_in_another_zone_or_without_rows_is_refused(direct, folder):
    months = [f"2010-{at % H + 1:02}Z" for at in range(2 * H)]
    future = {"shop": ["a"] * H + ["b"] * H, "month": months, "price": [1.0] * (2 * H)}
    with pytest.raises(DataError, match="the data frame, row 0: the times have the zone Z here, and none in what was learnt"):
        direct.forecast(folder / "all.csv", future=future)
    with pytest.raises(DataError, match="the data frame has no rows"):
        direct.forecast(folder / "all.csv", future={name: cells[:0] for name, cells in future.items()})


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"s": [*"a" * 60, *"b" * 5], "y": [*range(65)]}, "1 series is shorter than a window and used as far as it goes."),
        ({"s": [*"a" * 60, *"b" * 5, *"c" * 5], "y": [*range(70)]}, "2 series are shorter than a window and used as far as they go."),
        ({"s": [*"a" * 60, *"b" * 60], "y": [7, np.nan] * 30 + [*range(60)]}, "1 series is constant: a."),
        ({"s": [*"abcdef"] * 20, "y": [1, 2, 3, 4, 5, 6] * 20}, "6 series are constant."),
        ({"s": [*"ab"] * 30, "y": [1, 2] * 29 + [3, 3], "z": [*range(58), 3, 3]}, "2 series are constant: a (y), b (y)."),
    ],
)
def test_the_summary_counts_series_that_are_short_or_constant(columns, told):
    targets = ",".join([*columns][1:])
    reading = PanelOptions(series="s", target=targets)
    data = read_forecast_data([columns], ForecastDataOptions(held_out=4), reading, ForecastOptions(horizon=4, season="0"))
    assert f". {told} Target: " in data.summary().replace("are missing", "")


def test_series_too_short_to_be_measured_are_counted(recursive, tmp_path):
    (tmp_path / "t.csv").write_text("month,sold\n2008-01,2\n2008-02,3\n")
    with pytest.raises(DataError, match="There is no table to read"):
        recursive.forecast([])
    with pytest.raises(DataError, match="No series has more rows than the horizon, 6: the longest has 2"):
        recursive.evaluate(tmp_path / "t.csv")
    assert np.isfinite(recursive.forecast(tmp_path / "t.csv").points).all()
    y = {"s": ["long"] * 60 + ["short"] * 5, "y": [*season(60), *season(5)]}
    trained = un.train_forecaster(y, out=tmp_path / "run", series="s", horizon=H, **{**QUIET, "epochs": 1})
    with pytest.warns(UnrolledWarning) as told:
        trained.evaluate(y)
    assert any("1 of 2 series have no row before the last 6" in str(warning.message) for warning in told)
