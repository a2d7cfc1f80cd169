"""Feeds of rows, one by one, before a network that says how many rows it was shown."""

from types import SimpleNamespace

import numpy as np
import pytest

from unrolled.data.panels import PanelCodec, PanelOptions, WindowShape, read_panel, table_of_frame
from unrolled.errors import UnrolledWarning
from unrolled.tasks.forecasting.streaming import Streams
from unrolled.tasks.measures.forecasts import Forecasts


def streams(**columns):
    """Those of a network that learnt six rows with these columns, and says of each step how many rows there are."""

    def forecast(windows, series, origins):
        points = np.full((1, 2, 1), float(origins[0]))
        return Forecasts(points, points[..., None], (0.5,)), 0.0, 0

    roles = {"time": "t" if "t" in columns else None, "known": "k" if "k" in columns else None, "target": "y"}
    panel, options = read_panel([table_of_frame({"y": np.arange(6.0), **columns})], PanelOptions(**roles))
    codec = PanelCodec.learn(panel, np.ones(6, bool), options, 9)
    return Streams(SimpleNamespace(forecast=forecast, calibrated=lambda found: found), codec, WindowShape(9, 2))


def said(found):
    return None if found is None else (float(found.times[0][0]), float(found.points[0, 0, 0]))


def test_rows_in_order_follow_what_was_announced_of_them():
    feed = streams(k=np.arange(6.0))
    rows = [(None, 1), (5, 1), (None, 2), (None, 2), (None, 3), (6, None)]
    found = [said(feed.step({"y": y, "k": k})) for y, k in rows]
    assert found == [(7, 6), None, (8, 7), None, (9, 8), None]
    (stream,) = feed._streams.values()
    np.testing.assert_array_equal(stream.panel.values[-3:, 0], [5, np.nan, 6])


def test_rows_beside_the_grid_are_told_once():
    hours = np.datetime64("2024-01-01T00:00", "us") + np.arange(6) * np.timedelta64(1, "h")
    feed = streams(t=hours)
    with pytest.warns(UnrolledWarning, match="the row, row 0: the time does not lie on the steps of the frequency h") as told:
        for minutes in (350, 420, 490):
            feed.step({"t": hours[0] + np.timedelta64(minutes, "m"), "y": 1.0})
    assert len(told) == 1
