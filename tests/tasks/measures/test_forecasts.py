"""Measures of forecasts beside loops over single numbers."""

import math
import re

import numpy as np
import pytest

from unrolled.tasks.measures.forecast_scores import score_forecasts
from unrolled.tasks.measures.forecasts import Forecasts, NaiveErrors, intervals, measure, naive_errors, shares

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
SERIES = np.array([0, 0, 1, 2])


def made(numbers=1, seed=0, missing=0.2):
    generator = np.random.default_rng(seed)
    true = generator.normal(size=(4, 6, numbers)) * 10 + 3
    points = true + generator.normal(size=true.shape) * [1, 2, 3, 1, 2, 3][seed % 6]
    quantiles = points[..., None] + np.sort(generator.normal(size=(*true.shape, len(LEVELS))), -1) * 3
    true[generator.random(true.shape) < missing] = np.nan
    naive = NaiveErrors(generator.random((4, numbers)) + 0.5, generator.random((4, numbers)) + 1)
    return true, Forecasts(points, quantiles, LEVELS), naive


def by_hand(true, forecasts, naive):
    """The measures of one number, one after the other."""
    cells = [(n, h) for n, h in np.ndindex(true.shape[:2]) if not math.isnan(true[n, h, 0])]
    y = {cell: true[(*cell, 0)] for cell in cells}
    f = {cell: forecasts.points[(*cell, 0)] for cell in cells}
    size = sum(abs(y[cell]) for cell in cells)
    losses = 0.0
    for cell in cells:
        for level, quantile in zip(LEVELS, forecasts.quantiles[(*cell, 0)], strict=True):
            over = y[cell] - quantile
            losses += 2 * (level * over if over > 0 else (level - 1) * over) / len(LEVELS)
    windows = {n: [cell for cell in cells if cell[0] == n] for n in range(4)}
    mase = {n: np.mean([abs(y[c] - f[c]) for c in own]) / naive.absolute[n, 0] for n, own in windows.items()}
    rmsse = {n: math.sqrt(np.mean([(y[c] - f[c]) ** 2 for c in own]) / naive.squared[n, 0]) for n, own in windows.items()}
    smape = {n: np.mean([200 * abs(y[c] - f[c]) / (abs(y[c]) + abs(f[c])) for c in own]) for n, own in windows.items()}

    def over_series(each):
        return np.mean([np.mean([each[n] for n in range(4) if SERIES[n] == series]) for series in range(3)])

    return {
        "mae": np.mean([abs(y[c] - f[c]) for c in cells]),
        "rmse": math.sqrt(np.mean([(y[c] - f[c]) ** 2 for c in cells])),
        "mase": over_series(mase),
        "rmsse": over_series(rmsse),
        "smape": over_series(smape),
        "wql": losses / size,
        "coverage": {
            share: np.mean([forecasts.quantiles[(*c, 0, low)] <= y[c] <= forecasts.quantiles[(*c, 0, -1 - low)] for c in cells])
            for share, low in ((0.5, 1), (0.8, 0))
        },
        "width": {
            share: np.mean([forecasts.quantiles[(*c, 0, -1 - low)] - forecasts.quantiles[(*c, 0, low)] for c in cells])
            for share, low in ((0.5, 1), (0.8, 0))
        },
    }


@pytest.mark.parametrize("seed", range(3))
def test_measures_are_those_counted_by_hand(seed):
    true, forecasts, naive = made(seed=seed)
    found = measure(true, forecasts, naive, SERIES)
    for name, expected in by_hand(true, forecasts, naive).items():
        assert getattr(found, name) == pytest.approx(expected), name
    for step in range(6):
        errors = abs(true - forecasts.points)[:, step, 0]
        assert found.by_horizon["mae"][step] == pytest.approx(np.mean(errors[~np.isnan(errors)]))
        over = true[:, step, 0, None] - forecasts.quantiles[:, step, 0]
        losses = 2 * np.where(over > 0, over * LEVELS, over * (np.array(LEVELS) - 1)).mean(1)
        assert found.by_horizon["wql"][step] == pytest.approx(np.nansum(losses) / np.nansum(abs(true[:, step, 0])))
    assert found.by_horizon["coverage 0.8"].shape == (6,)


def test_several_numbers_have_the_mean_of_their_measures():
    true, forecasts, naive = made(numbers=2)
    parts = []
    for number in range(2):
        at = slice(number, number + 1)
        alone = Forecasts(forecasts.points[..., at], forecasts.quantiles[:, :, at], LEVELS)
        parts.append(measure(true[..., at], alone, NaiveErrors(naive.absolute[:, at], naive.squared[:, at]), SERIES))
    found = score_forecasts(true, forecasts, naive, {}, series=SERIES, names=("one", "other"))
    for name in ("mae", "rmse", "mase", "rmsse", "smape", "wql"):
        assert getattr(found, name) == pytest.approx(np.mean([getattr(part, name) for part in parts]))
    assert found.coverage[0.8] == pytest.approx(np.mean([part.coverage[0.8] for part in parts]))
    assert found.targets["other"].mae == pytest.approx(parts[1].mae)
    assert [*found.to_json()["targets"]] == ["one", "other"] and found.series == 3 and found.windows == 4


def test_the_errors_of_the_season_before():
    histories = [np.array([[1.0], [5], [2], [np.nan], [4]]), np.array([[3.0], [7]]), np.full((4, 1), 2.0), np.array([[np.nan], [1.0]])]
    found = naive_errors(histories, 2)
    np.testing.assert_allclose(found.absolute[:, 0], [1.5, 4, 0, np.nan])
    np.testing.assert_allclose(found.squared[:, 0], [2.5, 16, 0, np.nan])


def test_what_cannot_be_measured_is_left_out():
    true, forecasts, naive = made(missing=0)
    full = measure(true, forecasts, naive, SERIES)
    # A constant history has no scale; its series says nothing about scaled errors, and everything about others.
    naive.absolute[3] = 0
    some = measure(true, forecasts, naive, SERIES)
    scaled = np.abs(true - forecasts.points)[..., 0].mean(1) / naive.absolute[:, 0].clip(1e-9)
    assert some.mase == pytest.approx((scaled[:2].mean() + scaled[2]) / 2) and some.mae == full.mae
    nothing = measure(np.full_like(true, np.nan), forecasts, naive, SERIES)
    assert math.isnan(nothing.mae) and math.isnan(nothing.wql) and math.isnan(nothing.coverage[0.8]) and nothing.to_json()["mase"] is None
    both = measure(
        np.zeros((1, 2, 1)), Forecasts(np.zeros((1, 2, 1)), np.zeros((1, 2, 1, 1)), (0.5,)), NaiveErrors(*np.ones((2, 1, 1))), SERIES[:1]
    )
    assert both.smape == 0 and math.isnan(both.wql) and both.coverage == {}


@pytest.mark.parametrize("lost", [slice(None), slice(3, None)])
def test_a_number_that_cannot_be_measured_is_left_out_of_the_mean(lost):
    true, forecasts, naive = made(numbers=2, missing=0)
    true[:, lost, 1] = np.nan
    rival = Forecasts(forecasts.points + 0.5, forecasts.quantiles + 0.5, LEVELS)
    naive.absolute[:, 1] = 0
    found = score_forecasts(true, forecasts, naive, {"drift": rival}, series=SERIES, names=("no", "co"))
    for each in (found, found.rivals["drift"]):
        assert all(np.isfinite([each.mae, each.rmse, each.mase, each.wql, each.coverage[0.8], *each.by_horizon["wql"]]))
    assert found.mase == found.targets["no"].mase and ("nan" in str(found)) is False
    if lost.start is None:
        assert (
            found.mae == found.targets["no"].mae and np.isnan(found.targets["co"].mae) and found.to_json()["targets"]["co"]["mae"] is None
        )
        assert found.verdict[0] == "Nothing is known of co in these windows: what is measured is the mean of the others."
    else:
        assert found.by_horizon["mae"][4] == found.targets["no"].by_horizon["mae"][4]
        assert found.verdict[0] == "MASE cannot be known of co, and is the mean of the others."


def test_where_nothing_is_known_no_one_wins():
    true, forecasts, naive = made()
    nothing = score_forecasts(np.full_like(true, np.nan), forecasts, naive, {"drift": forecasts}, series=SERIES, names=("y",))
    assert nothing.verdict == ["Nothing is known of what came in these windows, so that nothing is measured."]
    assert "MASE –, sMAPE –, MAE –, WQL –, 80% interval covers –" in str(nothing) and "nan" not in nothing.text


def test_shares_are_those_between_levels_that_mirror_each_other():
    assert shares((0.05, 0.1, 0.5, 0.9, 0.95)) == (0.8, 0.9)
    assert shares((0.1, 0.5, 0.8)) == () and intervals((1 / 6, 5 / 6)) == {0.6667: (0, 1)}


def duel(own_error, rival_errors, windows=40):
    """Scores of a network whose absolute errors are about `own_error`, beside rivals."""
    generator = np.random.default_rng(0)
    true = generator.normal(size=(windows, 3, 1))

    def off(error):
        points = true + error * (1 + 0.3 * generator.normal(size=true.shape))
        return Forecasts(points, points[..., None] + np.array([-1.0, 0, 1]), (0.1, 0.5, 0.9))

    naive = NaiveErrors(*np.ones((2, windows, 1)))
    return score_forecasts(true, off(own_error), naive, {name: off(error) for name, error in rival_errors.items()})


def test_a_network_that_loses_says_so():
    found = duel(1.0, {"last value": 0.5, "seasonal naive": 1.01, "drift": 2.0})
    assert found.points["last value"].lost and found.points["last value"].gain == pytest.approx(-1, abs=0.1)
    assert found.points["drift"].won and found.points["drift"].gain == pytest.approx(0.5, abs=0.05)
    near = found.points["seasonal naive"]
    assert not near.won and not near.lost and abs(near.errors) < 2
    text = found.text
    assert "The network's scaled absolute error (as in MASE) is HIGHER than that of last value (9" in text
    assert "The network's scaled absolute error (as in MASE) is not lower than that of seasonal naive by more than accident." in text
    assert found.spread["last value"].lost and "The network's scaled quantile loss is HIGHER than that of last value (" in text
    assert "drift" not in text.split("steps ahead")[1].split("HIGHER")[1].split("\n")[0]
    assert "Try a longer `context`" in text and "there may be nothing to learn" in text
    (line,) = (line for line in text.splitlines() if line.startswith("last value"))
    assert line.count("*") == 6 and "*" not in next(line for line in text.splitlines() if line.startswith("drift"))


def test_a_network_that_wins_says_so():
    found = duel(0.5, {"seasonal naive": 1.0})
    assert found.verdict == ["The network beats all rivals in scaled absolute error (as in MASE) and in scaled quantile loss."]
    assert found.to_json()["rivals"]["seasonal naive"]["mae"] == found.rivals["seasonal naive"].mae
    assert {"mae", "rmse", "mase", "rmsse", "smape", "wql", "coverage_80"} == {*found.measures()}


def test_of_few_windows_nothing_is_said_for_sure():
    found = duel(0.5, {"seasonal naive": 2.0}, windows=3)
    assert not found.points["seasonal naive"].won and found.points["seasonal naive"].gain > 0.5
    assert found.verdict[0].startswith("On 3 windows, too few to tell from accident, the network beats all rivals in ")
    behind = duel(2.0, {"seasonal naive": 0.5}, windows=1)
    assert not behind.points["seasonal naive"].lost
    assert behind.verdict[0].startswith(
        "On 1 window, too few to tell from accident, the network's scaled absolute error (as in MASE) is HIGHER"
    )


def test_a_rival_without_any_error_is_better():
    true = np.full((9, 2, 1), 5.0)
    exact = Forecasts(true, true[..., None].repeat(3, -1), (0.1, 0.5, 0.9))
    near = Forecasts(true + 0.01, exact.quantiles + 0.01, exact.levels)
    found = score_forecasts(true, near, NaiveErrors(*np.zeros((2, 9, 1))), {"last value": exact})
    assert found.points["last value"].lost and found.verdict[0].endswith("is HIGHER than that of last value.")
    assert found.verdict[-1] == "last value is exact, as where numbers never change: there is nothing to learn. Take it."
    same = score_forecasts(true, exact, NaiveErrors(*np.zeros((2, 9, 1))), {"last value": exact})
    assert same.verdict[0].endswith("is not lower than that of last value by more than accident.")


def test_where_large_series_decide_otherwise_that_is_said():
    true = np.zeros((40, 1, 1))
    size = np.where(np.arange(40) < 2, 1000.0, 1.0)[:, None, None]
    own, rival = (np.where(size > 1, a, b) * size + np.linspace(0, 0.01, 40)[:, None, None] for a, b in ((0.5, 0.1), (0.4, 0.9)))
    both = [Forecasts(p, p[..., None].repeat(3, -1), (0.1, 0.5, 0.9)) for p in (own, rival)]
    found = score_forecasts(true, both[0], NaiveErrors(size[:, 0], size[:, 0] ** 2), {"last value": both[1]})
    assert found.verdict[0].startswith("The network beats all rivals")
    assert found.verdict[1] == "Where large series count for more, in MAE or WQL, these are better: last value."


def test_errors_by_horizon_are_drawn(tmp_path):
    duel(1.0, {"last value": 0.5}).draw(tmp_path / "scores.png")
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("step", [1, 8])
def test_windows_that_overlap_are_no_more_evidence_than_those_beside_each_other(step):
    """Two methods that are equally good on random walks: one is a step too high, the other one as much too low."""
    chance, horizon, runs, sure = np.random.default_rng(0), 8, 40, 0
    origins = 1 + step * np.arange(120 // step)
    naive, series = NaiveErrors(*np.ones((2, len(origins), 1))), np.zeros(len(origins), np.int64)
    for _ in range(runs):
        walk = chance.normal(size=origins[-1] + horizon).cumsum()
        true, last = walk[origins[:, None] + np.arange(horizon), None], np.repeat(walk[origins - 1, None], horizon, 1)[..., None]
        high, low = (Forecasts(last + off, (last + off)[..., None], (0.5,)) for off in (1, -1))
        found = score_forecasts(true, high, naive, {"low": low}, series=series, origins=origins)
        sure += found.points["low"].won or found.points["low"].lost
    assert found.apart == 15 and sure / runs < 0.2


def test_few_windows_that_do_not_overlap_are_told():
    true = np.zeros((20, 6, 1))
    own, rival = (Forecasts(true + off, np.full((20, 6, 1, 1), off), (0.5,)) for off in (1.0, 2.0))
    naive, series = NaiveErrors(*np.ones((2, 20, 1))), np.repeat([0, 1], 10)
    found = score_forecasts(true, own, naive, {"drift": rival}, series=series, origins=np.tile(50 + np.arange(10), 2))
    assert found.apart == 4 and not found.points["drift"].won
    assert found.verdict[0].startswith(
        "On 20 windows, of which 4 do not overlap, too few to tell from accident, the network beats all rivals"
    )


def test_a_loss_that_is_much_higher_is_told_in_times():
    found = duel(1.0, {"last value": 0.02, "seasonal naive": 1e-9, "drift": 0.5}).verdict[0]
    assert re.search(
        r"last value \(\d\d times as high\), seasonal naive \(more than 1,000 times as high\), drift \(\d\d\.\d% higher\)", found
    )


def test_intervals_are_compared_by_their_own_losses():
    points = np.random.default_rng(0).normal(size=(20, 2, 1))
    narrow, wide = (Forecasts(points, points[..., None] + width * np.array([-1.0, 0, 1]), (0.1, 0.5, 0.9)) for width in (1, 20))
    found = score_forecasts(points + 0.1, wide, NaiveErrors(*np.ones((2, 20, 1))), {"last value": narrow})
    assert not found.points["last value"].lost and found.spread["last value"].lost
