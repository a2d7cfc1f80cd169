"""What is learnt of series depends on nothing that is held out, and what is measured on nothing but the horizon."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unrolled.data.panels import PanelOptions, Windows, WindowShape, read_panel, table_of_frame
from unrolled.errors import DataError, UnrolledWarning
from unrolled.tasks.forecasting.learning import WindowBatches
from unrolled.tasks.forecasting.options import ForecastDataOptions, ForecastOptions
from unrolled.tasks.forecasting.predicting import Forecaster
from unrolled.tasks.forecasting.reading import HeldOut, read_forecast_data, shape_of
from unrolled.tasks.forecasting.scoring import score_windows
from unrolled.tasks.measures.forecasts import Forecasts

ROWS, HELD, H, CONTEXT = 60, 12, 4, 8


def data_of(method="direct", poison=None, **options):
    """A series of which the last rows are held out, in which a poison stands, beside a column that is known of the past alone."""
    chance = np.random.default_rng(0)
    columns = {"t": np.arange(ROWS), "y": chance.normal(size=ROWS).cumsum(), "p": chance.normal(size=ROWS)}
    if poison is not None:
        for name in "yp":
            columns[name][-HELD:-1] = poison
    forecast = ForecastOptions(horizon=H, season="3", context=CONTEXT, method=method)
    reading = PanelOptions(time="t", target="y", past="p")
    return read_forecast_data([columns], ForecastDataOptions(held_out=HELD, **options), reading, forecast)


def batches_of(data):
    """Its windows, as an epoch draws them."""
    windows = Windows(data.panel, data.codecs.series, shape_of(data.codecs.forecast))
    return WindowBatches(None, windows, data.until, 32, 64, 0)


@pytest.mark.parametrize("poison", [1e6, np.nan])
@pytest.mark.parametrize("method", ["direct", "recursive"])
def test_windows_that_are_learnt_are_the_same_whatever_is_held_out(method, poison):
    clean, poisoned = (batches_of(data_of(method, each)) for each in (None, poison))
    for batch in range(clean.batches):
        own, other = clean._window(batch), poisoned._window(batch)
        for name, part in vars(own).items():
            if name != "path":
                np.testing.assert_array_equal(part, getattr(other, name), err_msg=name)
    learnt, others = (data_of(method, each).codecs.series for each in (None, poison))
    assert learnt.past == others.past and learnt.gaps == others.gaps


def test_the_shortest_context_that_is_learnt_is_half_there():
    batches = batches_of(data_of())
    assert batches._least.tolist() == [CONTEXT // 2] and batches._totals[-1] == ROWS - HELD - CONTEXT // 2


def test_scaled_errors_are_those_of_the_shortest_season():
    y = np.random.default_rng(0).normal(size=ROWS).cumsum()
    panel, _ = read_panel([table_of_frame({"y": y})], PanelOptions())
    windows = SimpleNamespace(shape=WindowShape(CONTEXT, H, (3, 12)), panel=panel)
    said = Forecasts(np.zeros((1, H, 1)), np.zeros((1, H, 1, 1)), (0.5,))
    found = score_windows(windows, HeldOut(panel, np.zeros(1, np.int64), np.array([50])), said, ())
    assert found.mase == pytest.approx(np.abs(y[50 : 50 + H]).mean() / np.abs(y[3:50] - y[:47]).mean())


def test_counts_are_asked_for_in_what_is_looked_at_alone():
    columns = {"t": np.arange(ROWS), "y": np.r_[np.arange(ROWS - 1.0), 0.5]}
    asked = [columns], PanelOptions(time="t", target="y"), ForecastOptions(horizon=H, loss="negative-binomial")
    data = read_forecast_data(asked[0], ForecastDataOptions(held_out=HELD, leave_out=1), *asked[1:])
    assert data.panel.ends.tolist() == [ROWS - 1]
    with pytest.raises(DataError, match="is for counts"):
        read_forecast_data(asked[0], ForecastDataOptions(held_out=HELD), *asked[1:])


def test_a_season_that_is_longer_than_the_series_is_told():
    columns = {"y": np.arange(float(ROWS))}
    with pytest.warns(UnrolledWarning, match="Most series do not have two seasons of 1000 rows"):
        read_forecast_data([columns], ForecastDataOptions(), PanelOptions(), ForecastOptions(horizon=H, season="7,1000"))


def test_quantiles_of_counts_stay_whole():
    head = SimpleNamespace(counts=True)
    model = SimpleNamespace(levels=(0.1, 0.5, 0.9), head=head, calibration=torch.tensor([[1.3, 1.0, 1.3]]))
    said = Forecaster(model).calibrated(Forecasts(np.full((1, 1, 1), 8.0), np.array([[[[6.0, 8.0, 11.0]]]]), model.levels))
    assert said.quantiles.tolist() == [[[[6.0, 8.0, 11.0]]]]
    head.counts = False
    assert Forecaster(model).calibrated(said).quantiles[0, 0, 0] == pytest.approx([5.4, 8, 11.9], rel=1e-6)
