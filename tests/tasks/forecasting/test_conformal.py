"""Calibrated quantiles."""

import numpy as np
import pytest
from scipy import stats

from unrolled.tasks.forecasting.conformal import Calibration, coverage_of, crossed_coverage
from unrolled.tasks.measures.forecasts import Forecasts

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def made(windows, seed=0):
    """Truth with deviations that differ from window to window, and quantiles that are half as far from the points as they should be."""
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(windows, 3, 2)) * 10
    deviations = np.exp(generator.normal(size=points.shape)) * [1, 100]
    true = points + deviations * generator.normal(size=points.shape)
    quantiles = points[..., None] + 0.5 * deviations[..., None] * stats.norm.ppf(LEVELS)
    return true, Forecasts(points, quantiles, LEVELS)


def test_intervals_hold_what_they_say_of_windows_that_were_not_seen():
    calibration = Calibration.fit(*made(2000))
    assert calibration.factors.shape == (2, 5)
    np.testing.assert_allclose(calibration.factors[:, [0, 1, 3, 4]], 2, rtol=0.1)
    np.testing.assert_array_equal(calibration.factors, calibration.factors[:, ::-1])
    assert (calibration.factors[..., 2] == 1).all()
    true, forecasts = made(2000, seed=1)
    assert coverage_of(true, forecasts)[0.9] == pytest.approx(2 * stats.norm.cdf(stats.norm.ppf(0.95) / 2) - 1, abs=0.01)
    after = calibration.apply(forecasts)
    assert coverage_of(true, after) == {0.5: pytest.approx(0.5, abs=0.015), 0.9: pytest.approx(0.9, abs=0.01)}
    assert after.points is forecasts.points and (np.diff(after.quantiles) >= 0).all()


@pytest.mark.parametrize(("windows", "place"), [(2, 9), (4, 8), (None, 7), (1000, 7)])
def test_factors_are_order_statistics_with_one_window_more(windows, place):
    true = np.array([1.0, -2, 3, -4, 5, -6, 7, -8, 9, -10])[:, None, None] / 5
    forecasts = Forecasts(np.zeros((10, 1, 1)), np.broadcast_to([-1.0, 0.0, 1.0], (10, 1, 1, 3)), (0.2, 0.5, 0.8))
    # Six of ten numbers shall lie inside, or with n windows (n + 1) / n as many.
    factor = (place / 5) ** ((windows or 10) / ((windows or 10) + 10))
    np.testing.assert_allclose(Calibration.fit(true, forecasts, windows).factors, [[factor, 1, factor]])


def test_a_level_without_another_end_is_calibrated_by_itself():
    true = np.arange(1.0, 10)[:, None, None] / 5
    forecasts = Forecasts(np.zeros((9, 1, 1)), np.broadcast_to([-1.0, 0.0, 1.0], (9, 1, 1, 3)), (0.1, 0.5, 0.8))
    # Nothing lies below: the factor is the least one. Of 9 · 0.8 · 10/9 = 8 numbers the largest is 1.6.
    np.testing.assert_allclose(Calibration.fit(true, forecasts).factors, [[(1 / 5) ** (9 / 19), 1, 1.6 ** (9 / 19)]])


def test_missing_numbers_change_nothing():
    true, forecasts = made(300)
    longer = Forecasts(*(np.concatenate([part, part]) for part in (forecasts.points, forecasts.quantiles)), LEVELS)
    with_gaps = Calibration.fit(np.concatenate([true, np.full_like(true, np.nan)]), longer)
    np.testing.assert_array_equal(with_gaps.factors, Calibration.fit(true, forecasts, 600).factors)


def test_a_number_of_which_nothing_is_known_is_not_calibrated():
    true, forecasts = made(300)
    both = Calibration.fit(true, forecasts).factors
    true[..., 1] = np.nan
    found = Calibration.fit(true, forecasts).factors
    np.testing.assert_array_equal(found[0], both[0])
    np.testing.assert_array_equal(found[1], 1)


def test_coverage_leaves_out_what_one_half_alone_knows():
    true, forecasts = made(40)
    true[::2, :, 1] = np.nan
    before, after = crossed_coverage(true, forecasts)
    alone = crossed_coverage(true[..., :1], Forecasts(forecasts.points[..., :1], forecasts.quantiles[:, :, :1], LEVELS))
    assert after == alone[1] and before == coverage_of(true, forecasts)
    assert crossed_coverage(np.full_like(true, np.nan), forecasts) == ({}, {})


def test_quantiles_that_lie_on_the_point_stay_there():
    true, forecasts = made(50)
    flat = Forecasts(forecasts.points, np.repeat(forecasts.points[..., None], 5, -1), LEVELS)
    calibration = Calibration.fit(true, flat)
    assert (calibration.factors == 1).all() and (calibration.apply(flat).quantiles == flat.quantiles).all()


def test_coverage_is_told_of_halves_that_were_not_seen():
    true, forecasts = made(400)
    before, after = crossed_coverage(true, forecasts)
    assert before == coverage_of(true, forecasts) and before[0.9] < 0.7
    halves = [slice(0, None, 2), slice(1, None, 2)]
    inside = []
    for own, other in (halves, halves[::-1]):
        parts = [Forecasts(forecasts.points[half], forecasts.quantiles[half], LEVELS) for half in (own, other)]
        inside.append(coverage_of(true[own], Calibration.fit(true[other], parts[1]).apply(parts[0]))[0.9])
    assert after[0.9] == pytest.approx(np.mean(inside))
    assert crossed_coverage(true[:1], Forecasts(forecasts.points[:1], forecasts.quantiles[:1], LEVELS))[1] == {}
