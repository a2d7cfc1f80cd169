"""Rivals beside loops over their definitions, and AutoETS where statsforecast is installed."""

from types import SimpleNamespace

import numpy as np
import pytest

from unrolled.errors import ConfigError, UnrolledWarning
from unrolled.extras import is_installed
from unrolled.tasks.forecasting import rivals, statistical
from unrolled.tasks.forecasting.rivals import quantiles_of, simple_rivals
from unrolled.tasks.forecasting.statistical import statistical_rivals

NAN = np.nan
LEVELS = (0.1, 0.5, 0.9)


def last_known(values, places):
    return next((values[place] for place in places if 0 <= place < len(values) and not np.isnan(values[place])), NAN)


def last(values, ahead):
    return last_known(values, range(len(values) - 1, -1, -1))


def drift(values, ahead):
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return NAN
    passed = len(values) - 1 - known[0]
    return values[known[-1]] + ahead * ((values[known[-1]] - values[known[0]]) / passed if passed else 0)


def naive(values, ahead, season=3):
    place = len(values) - 1 + ahead
    return last_known(values, [place - back * season for back in range(1, 50) if place - back * season < len(values)])


def season_mean(values, ahead, season=3):
    first = len(values) - 1 + ahead - -(-ahead // season) * season
    same = [values[first - back * season] for back in range(4) if first - back * season >= 0]
    known = [value for value in same if not np.isnan(value)]
    return np.mean(known) if known else naive(values, ahead)


def errors_of(method, values, ahead):
    """The errors of a method at every origin of a history."""
    origins = range(1, len(values) - ahead + 1)
    errors = np.array([values[origin + ahead - 1] - method(values[:origin], ahead) for origin in origins])
    return errors[~np.isnan(errors)]


METHODS = {"last value": last, "drift": drift, "seasonal naive": naive, "mean of 4 seasons": season_mean}


def histories():
    generator = np.random.default_rng(3)
    made = [generator.normal(size=(length, 2)).cumsum(0) for length in (40, 17, 2, 25)]
    for history in (made[0], made[3]):
        history[generator.random(history.shape) < 0.3] = NAN
    made[3][-3:] = NAN
    return made


@pytest.mark.parametrize("name", METHODS)
def test_rivals_are_what_their_names_say(name, monkeypatch):
    monkeypatch.setattr(rivals, "_AT_ONCE", 3)
    found = simple_rivals(histories(), 5, (3,), LEVELS)[name]
    assert found.points.shape == (4, 5, 2) and found.quantiles.shape == (4, 5, 2, 3)
    for at, history in enumerate(histories()):
        for number, values in enumerate(history.T):
            for ahead in range(1, 6):
                expected = METHODS[name](values, ahead)
                expected = last(values, ahead) if np.isnan(expected) else expected
                assert found.points[at, ahead - 1, number] == pytest.approx(expected)
                errors = errors_of(METHODS[name], values, ahead)
                errors = errors if len(errors) else errors_of(last, values, ahead)
                offsets = found.quantiles[at, ahead - 1, number] - expected
                np.testing.assert_allclose(offsets, np.quantile(errors, LEVELS) if len(errors) else 0, atol=1e-12)


def test_only_the_last_errors_count(monkeypatch):
    monkeypatch.setattr(rivals, "FEWEST", 20)
    values = np.concatenate([np.zeros(50), np.resize([0.0, 1], 40)])[:, None]
    assert simple_rivals([values], 1, (), (0.5,))["last value"].quantiles[0, 0, 0].tolist() == [1.0]
    assert [*simple_rivals([values], 1, (2, 4), (0.5,))] == [
        "last value",
        "drift",
        "seasonal naive 2",
        "mean of 4 seasons 2",
        "seasonal naive 4",
        "mean of 4 seasons 4",
    ]


def test_where_a_level_explodes_intervals_are_as_wide_as_errors_are_now():
    """Errors of the last 250 steps are a hundred times those before; of long seasons as many as 20 of them count, up to 1000 errors."""
    noise = np.random.default_rng(0).normal(size=1600)[:, None]
    grown = noise * np.r_[np.ones(1300), np.full(300, 100.0)][:, None]
    found = simple_rivals([grown], 1, (7,), (0.1, 0.9))
    for name in ("last value", "drift", "seasonal naive", "mean of 4 seasons"):
        low, high = found[name].quantiles[0, 0, 0]
        assert 200 < high - low < 450, name
    of_all = np.quantile((grown - np.roll(grown, 7))[-1000:], (0.1, 0.9))
    found = simple_rivals([grown], 1, (7, 200), (0.1, 0.9))["seasonal naive 7"]
    np.testing.assert_allclose(np.diff(found.quantiles[0, 0, 0]), np.diff(of_all))


def test_where_nothing_is_known_nothing_is_said():
    found = simple_rivals([np.full((6, 1), NAN)], 2, (2,), LEVELS)
    assert all(np.isnan(each.points).all() for each in found.values())
    np.testing.assert_allclose(quantiles_of(np.array([[NAN, 3, 1], [NAN, NAN, NAN]]), (0.25,)), [[1.5], [NAN]])


@pytest.mark.skipif(is_installed("statsforecast"), reason="statsforecast is installed")
def test_what_is_missing_is_named():
    with pytest.raises(ConfigError, match=r"needs the package statsforecast.*pip install 'unrolled\[rivals\]'"):
        statistical_rivals(histories(), 2, (3,), LEVELS)


def test_quantiles_of_statistical_rivals_are_the_ends_of_their_intervals(monkeypatch):
    class Model:
        def __init__(self, season_length):
            self.season = season_length

        def forecast(self, values, horizon, level):
            mean = np.full(horizon, values[-1])
            return {"mean": mean, **{f"{side}-{part}": mean + sign * part for part in level for side, sign in (("lo", -1), ("hi", 1))}}

    monkeypatch.setattr(statistical, "extra", lambda name: SimpleNamespace(AutoETS=Model))
    found = statistical_rivals([np.array([[1.0], [3.0]])], 2, (), (0.05, 0.1, 0.5, 0.9))["AutoETS"]
    np.testing.assert_allclose(found.quantiles[0, :, 0] - 3, [[-90, -80, 0, 80]] * 2)


@pytest.mark.skipif(not is_installed("statsforecast"), reason="statsforecast is not installed")
def test_exponential_smoothing_follows_a_season():
    wave = np.resize([1.0, 5, 2, 8], 60)[:, None] + 0.01 * np.random.default_rng(0).normal(size=(60, 1))
    wave[31] = NAN
    with pytest.warns(UnrolledWarning, match="AutoETS failed for 1 of 2 series"):
        found = statistical_rivals([wave, wave[:1]], 4, (4,), LEVELS)["AutoETS"]
    np.testing.assert_allclose(found.points[0, :, 0], [1, 5, 2, 8], atol=0.2)
    assert (np.diff(found.quantiles[0]) > 0).all()
    with pytest.raises(ConfigError, match="one of AutoETS, AutoARIMA, MSTL, got 'ets'"):
        statistical_rivals([wave], 4, (4,), LEVELS, ("ets",))
