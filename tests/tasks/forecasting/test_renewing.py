"""Intervals that are calibrated anew at each origin."""

from types import SimpleNamespace

import numpy as np
import pytest

from unrolled.data.panels import PanelOptions, WindowShape, read_panel, table_of_frame
from unrolled.tasks.forecasting.conformal import Calibration, coverage_of
from unrolled.tasks.forecasting.predicting import truth_of
from unrolled.tasks.forecasting.reading import HeldOut
from unrolled.tasks.forecasting.renewing import RECENT, renewed
from unrolled.tasks.measures.forecasts import Forecasts

H, CONTEXT, LEVELS = 4, 8, (0.1, 0.5, 0.9)
TRAINED = np.array([[1.2, 1, 1.2]])


class Naive:
    """Says 0, and an interval of 80 % for numbers with a deviation of 1; it keeps which windows it was asked for."""

    factors, levels = TRAINED, LEVELS

    def __init__(self):
        self.asked = []

    def forecast(self, windows, series, origins):
        self.asked.append((series, origins))
        return self.of(len(series)), 0.0, 0

    def of(self, count):
        return Forecasts(np.zeros((count, H, 1)), np.broadcast_to([-1.2816, 0, 1.2816], (count, H, 1, 3)), LEVELS)


def panel_of(y, series=None, times=None):
    columns = {"y": y, **({} if series is None else {"s": series}), **({} if times is None else {"t": times})}
    reading = PanelOptions(target="y", series=None if series is None else "s", time=None if times is None else "t")
    return read_panel([table_of_frame(columns)], reading)[0]


def calibrated(panel, learnt, origins, series=None, recursive=False):
    """Factors `[W, K, Q]` of windows where so many rows of each series were learnt, and what the forecaster was asked for."""
    naive = Naive()
    panel = panel.with_future(H)
    windows = SimpleNamespace(panel=panel, shape=WindowShape(CONTEXT, H, recursive=recursive))
    asked = HeldOut(panel, np.zeros(len(origins), np.int64) if series is None else np.array(series), np.array(origins))
    return renewed(naive, windows, asked, panel.cut(int(panel.ends[0]) - learnt)).factors[:, 0], naive.asked


def test_factors_are_those_of_the_windows_that_were_known_then():
    y = np.random.default_rng(0).normal(size=100) * np.r_[np.ones(60), np.full(40, 4)]
    factors, ((series, asked),) = calibrated(panel_of(y), 60, [60, 63, 64, 80])
    np.testing.assert_array_equal(factors[:2], np.repeat(TRAINED[None], 2, 0))
    assert asked.tolist() == [*range(60, 77)] and not series.any()
    for at, origin, count in ((2, 64, 1), (3, 80, 5)):
        begins = np.arange(60, origin - H + 1)
        true = y[begins[:, None] + np.arange(H)][..., None]
        expected = Calibration.fit(true, Naive().of(len(begins)), count, TRAINED)
        np.testing.assert_allclose(factors[at], expected.factors)
    assert factors[3, 0, 0] > 1.5 * TRAINED[0, 0]


def test_intervals_hold_what_they_say_where_times_have_changed():
    y = np.random.default_rng(0).normal(size=1200) * np.r_[np.ones(400), np.full(800, 2)]
    panel, origins = panel_of(y), np.arange(600, 1190, 7)
    factors, _ = calibrated(panel, 400, origins)
    true = truth_of(SimpleNamespace(panel=panel, shape=WindowShape(CONTEXT, H)), np.zeros(len(origins), np.int64), origins)
    said = Naive().of(len(origins))
    assert coverage_of(true, Calibration(LEVELS, TRAINED).apply(said))[0.8] < 0.6
    assert coverage_of(true, Calibration(LEVELS, factors[:, None]).apply(said))[0.8] > 0.69


@pytest.mark.parametrize("recursive", [False, True])
def test_what_comes_after_an_origin_changes_nothing(recursive):
    y = np.random.default_rng(0).normal(size=120)
    clean, _ = calibrated(panel_of(y), 60, [70, 90], recursive=recursive)
    for poison in (np.nan, 1e9):
        y[90:-1] = poison
        other, _ = calibrated(panel_of(y), 60, [70, 90, 110], recursive=recursive)
        np.testing.assert_array_equal(other[:2], clean)
    assert (clean[1] != TRAINED).any()


def test_other_series_say_what_was_known_at_the_same_time():
    """The second series begins 30 steps later; its rows from 40 on come after the origin of the first one, 70."""
    times, y = np.r_[np.arange(100), np.arange(30, 130)], np.random.default_rng(0).normal(size=200)
    names = [*"a" * 100, *"b" * 100]
    before, ((series, _),) = calibrated(panel_of(y, names, times), 20, [70, 90])
    assert (series == 0).all()
    both, ((series, _),) = calibrated(panel_of(y, names, times), 20, [70, 60], [0, 1])
    assert {*series.tolist()} == {0, 1} and (both[0] != before[0]).any()
    y[140:160] = 1e9
    poisoned, _ = calibrated(panel_of(y, names, times), 20, [70, 60], [0, 1])
    np.testing.assert_array_equal(poisoned[0], both[0])
    assert (poisoned[1] != both[1]).any()


def test_old_windows_are_forgotten():
    y = np.random.default_rng(0).normal(size=400)
    factors, _ = calibrated(panel_of(y), 60, [200, 390])
    y[: 390 - (RECENT + 1) * H] = 1e6
    early, late = calibrated(panel_of(y), 60, [200, 390])[0]
    np.testing.assert_array_equal(late, factors[1])
    assert (early != factors[0]).any()


def test_of_many_series_some_calibrate_and_of_unknown_ones_all_that_have_a_context():
    names, rows = np.repeat(np.arange(300), 40), np.tile(np.arange(40), 300)
    y = np.random.default_rng(0).normal(size=len(names))
    _, ((series, origins),) = calibrated(panel_of(y, names, rows), 20, np.full(300, 36), np.arange(300))
    assert 20 < len({*series.tolist()}) <= 50 and {*origins.tolist()} == {20, 24, 28, 32}
    naive, panel = Naive(), panel_of(y[:40]).with_future(H)
    windows = SimpleNamespace(panel=panel, shape=WindowShape(CONTEXT, H))
    learnt = panel_of(y[40:120], names[40:120], rows[40:120])
    renewed(naive, windows, HeldOut(panel, np.zeros(1, np.int64), np.array([20])), learnt)
    assert naive.asked[0][1].tolist() == [*range(CONTEXT, 17)]


def test_windows_of_which_nothing_is_known_do_not_count():
    y = np.random.default_rng(0).normal(size=100)
    y[60:-1] = np.nan
    factors, asked = calibrated(panel_of(y), 60, [90])
    assert not asked and (factors == TRAINED).all()
