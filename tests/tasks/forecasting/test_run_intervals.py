"""Intervals of networks, calibrated by what is held out and by what came before each origin."""

from types import SimpleNamespace

import numpy as np
import pytest

from small_forecasters import H
from unrolled.data.panels import Windows
from unrolled.tasks.forecasting.conformal import RENEWED, Calibration
from unrolled.tasks.forecasting.learning import ForecastMeasuring
from unrolled.tasks.forecasting.predicting import truth_of
from unrolled.tasks.forecasting.reading import HeldOut, shape_of
from unrolled.tasks.measures.forecasts import Forecasts


def test_calibration_widens_what_is_written_and_what_is_measured(recursive, folder):
    def said():
        return recursive.forecast(samples=50).forecasts, recursive.backtest(folder / "plain.csv", 1).forecasts

    plain = said()
    factors = recursive.model.calibration.clone()
    try:
        recursive.model.calibration.mul_(2)
        wider = said()
    finally:
        recursive.model.calibration.copy_(factors)
    assert (factors != 1).any()
    # Three windows that do not overlap lie between what was learnt and the origin of the backtest, and say as much as there are of them.
    for before, after, factor in zip(plain, wider, (2, 2 ** (RENEWED / (RENEWED + 3))), strict=True):
        apart = before.quantiles - before.points[..., None]
        np.testing.assert_allclose(after.quantiles - after.points[..., None], factor * apart, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["direct", "recursive"])
def test_intervals_are_calibrated_anew_by_what_came_before_each_origin(name, request, folder, tmp_path):
    """Whatever comes after an origin, its intervals are those of a table that ends there; and how they were is told."""
    trained = request.getfixturevalue(name)
    lines = (folder / ("one.csv" if name == "direct" else "plain.csv")).read_text().splitlines()
    at = lines[0].split(",").index("sold")
    late = [line.split(",") for line in lines[115:]]
    (tmp_path / "poisoned.csv").write_text(
        "\n".join([*lines[:115], *(",".join([*cells[:at], "1e9", *cells[at + 1 :]]) for cells in late)]) + "\n"
    )
    (tmp_path / "short.csv").write_text("\n".join(lines[:115]) + "\n")
    clean = trained.backtest(folder / ("one.csv" if name == "direct" else "plain.csv"), 2, 5, rivals="none")
    poisoned = trained.backtest(tmp_path / "poisoned.csv", 2, 5, rivals="none")
    np.testing.assert_array_equal(clean.forecasts.quantiles[1], poisoned.forecasts.quantiles[1])
    assert clean.scores.to_json()["coverage_as_trained"].keys() == {"0.8"}
    assert "Calibrated anew at each origin by the windows before it, 80% intervals cover" in clean.text
    if name == "direct":
        future = {"shop": ["a"] * H, "month": [cells[1] for cells in late], "price": [cells[3] for cells in late]}
        found = trained.forecast(tmp_path / "short.csv", future=future)
        np.testing.assert_allclose(found.quantiles[0], clean.forecasts.quantiles[1], rtol=1e-5)


def test_windows_between_those_that_are_held_out_calibrate_too(recursive):
    """Two windows are held out of a series of 36 rows, and three begin between them; the numbers lie so that only the ones of these lie outside."""
    panel = recursive.series.tail.with_future(H)
    held = HeldOut(panel, np.zeros(2, np.int64), panel.ends[0] - np.array([2 * H, H]))
    measuring = ForecastMeasuring(recursive.model, Windows(panel, recursive.series, shape_of(recursive.options)), held, (), 0)
    assert (measuring._between.origins - held.origins[0]).tolist() == [1, 3, 4]
    before = recursive.model.calibration.clone()
    asked = []
    forecaster = measuring.forecaster
    measuring.forecaster = SimpleNamespace(forecast=lambda *args: (asked.append(args), forecaster.forecast(*args))[1])
    try:
        measuring._calibrate(np.zeros((2, H, 1)), Forecasts(np.zeros((2, H, 1)), np.full((2, H, 1, 3), [-1.0, 0, 1]), (0.1, 0.5, 0.9)))
        found = recursive.model.calibration.clone()
    finally:
        recursive.model.calibration.copy_(before)
    ((_, series, origins),) = asked
    said = forecaster.forecast(measuring.windows, series, origins)[0]
    true = np.concatenate([np.zeros((2, H, 1)), truth_of(measuring.windows, series, origins)])
    points, quantiles = (
        np.concatenate([np.zeros((2, H, 1)), said.points]),
        np.concatenate([np.full((2, H, 1, 3), [-1.0, 0, 1]), said.quantiles]),
    )
    np.testing.assert_allclose(found, Calibration.fit(true, Forecasts(points, quantiles, said.levels), 2).factors, rtol=1e-6)
