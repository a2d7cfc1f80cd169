"""Fan charts and pictures of backtests."""

import numpy as np

from unrolled.tasks.forecasting.figures import MOST_PANELS, Fan, Origins, draw_backtest, draw_fans

DATES = np.arange(np.datetime64("2024-01-01", "us"), np.datetime64("2024-02-10"), np.timedelta64(1, "D"))
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def fan(times=DATES, true=True, past=30):
    quantiles = np.linspace(-2, 2, 5) + np.arange(5.0)[:, None]
    return Fan(
        "a_$series",
        times[:past],
        np.arange(float(past)),
        times[past : past + 5],
        np.arange(5.0),
        quantiles,
        LEVELS,
        np.ones(5) if true else None,
    )


def bands(axes):
    """The lower and upper ends of what is shaded, widest first, by the places along x."""
    return [np.unique(each.get_paths()[0].vertices[:, 1]) for each in axes.collections]


def test_a_fan_has_its_past_its_points_and_a_band_for_each_interval():
    figure = draw_fans([fan(), fan(true=False)])
    upper, lower = figure.axes
    past, true, points = upper.lines
    np.testing.assert_array_equal(past.get_ydata(), np.arange(30))
    np.testing.assert_array_equal(true.get_ydata(), np.ones(5))
    # The forecast begins where the past ends.
    np.testing.assert_array_equal(points.get_ydata(), [29, 0, 1, 2, 3, 4])
    assert len(lower.lines) == 2 and upper.get_title(loc="left") == r"a_\$series"
    assert bands(upper)[0].min() == -2 and bands(upper)[1].min() == -1 and bands(upper)[0].max() == 29
    assert [text.get_text() for text in upper.get_legend().texts] == ["past", "what came", "forecast", "80% interval", "50% interval"]
    assert lower.get_legend() is None
    many = draw_fans([fan()] * 9, 1234)
    assert len(many.axes) == MOST_PANELS and many.get_supxlabel() == f"the first {MOST_PANELS} of 1,234" and not figure.get_supxlabel()


def test_dates_stand_along_the_axis():
    figure = draw_fans([fan(), fan(np.arange(40.0))])
    figure.canvas.draw()
    dates, numbers = ([label.get_text() for label in axes.get_xticklabels()] for axes in figure.axes)
    assert "Jan" in dates[0] or "Jan" in figure.axes[0].xaxis.get_offset_text().get_text()
    assert "20" in numbers


def test_what_is_missing_leaves_gaps():
    broken = fan()
    broken.past[-1] = np.nan
    points = draw_fans([broken]).axes[0].lines[-1]
    assert len(points.get_ydata()) == 5


def test_a_backtest_has_a_line_for_each_origin():
    fans = [fan(past=past) for past in (10, 15, 20)]
    figure = draw_backtest([Origins(name, DATES, np.ones(len(DATES)), fans) for name in ("one", "other")])
    axes, other = figure.axes
    assert [each.get_title(loc="left") for each in (axes, other)] == ["one", "other"] and len(other.lines) == len(axes.lines)
    assert sum(line.get_label() == "forecast" for line in axes.lines) == 3 and len(axes.collections) == 6
    assert [text.get_text() for text in axes.get_legend().texts] == ["what came", "forecast", "80% interval", "50% interval"]


def test_levels_without_a_mirror_have_no_band():
    alone = Fan("", DATES[:3], np.ones(3), DATES[3:5], np.ones(2), np.ones((2, 1)), (0.5,))
    assert not draw_fans([alone]).axes[0].collections
