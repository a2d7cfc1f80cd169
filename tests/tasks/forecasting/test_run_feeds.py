"""Feeds that networks of forecasts go on with, row by row."""

import dataclasses
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import unrolled as un
from at_the_terminal import call
from small_forecasters import QUIET, H, season
from unrolled.data.panels import Windows, table_of_frame
from unrolled.data.panels.feeds import read_feed
from unrolled.data.panels.future import fill_future
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks.forecasting.predicting import Forecaster, batch_of
from unrolled.tasks.forecasting.reading import shape_of


@pytest.mark.parametrize("name", ["direct-plain", "recursive"])
def test_a_feed_is_forecast_row_by_row_as_a_table_is(name, recursive, folder, tmp_path, monkeypatch):
    if name == "direct-plain":
        trained = un.train_forecaster(folder / "plain.csv", out=folder / name, leave_out=24, horizon=H, **{**QUIET, "epochs": 1})
    else:
        trained = recursive
    lines = (folder / "plain.csv").read_text().splitlines()
    fed = call("predict", folder / name, "-", typed="\n".join([lines[0], *lines[97:105]]) + "\n").splitlines()
    assert fed[0] == "month,forecast,q0.1,q0.5,q0.9" and [row[:7] for row in fed[1:3]] == ["2008-02", "2008-03"] and len(fed) == 9
    (tmp_path / "known.csv").write_text("\n".join(lines[:98]) + "\n")
    first = trained.forecast(tmp_path / "known.csv", 1, samples=2000)
    tolerance = 1e-6 if name == "direct-plain" else 0.05
    np.testing.assert_allclose(float(fed[1].split(",")[1]), first.points[0, 0, 0], rtol=tolerance)
    fed_json = call("predict", folder / name, "-", "--json", typed="\n".join([lines[0], *lines[97:99]]) + "\n")
    assert [json.loads(line)["times"] for line in fed_json.splitlines()] == [["2008-02"], ["2008-03"]]


def test_a_carried_state_says_what_reading_all_rows_at_once_says(recursive, folder, tmp_path):
    lines = (folder / "plain.csv").read_text().splitlines()
    anchor, rows = 97, 6
    stream = recursive.stream()
    found = [stream.step(dict(zip(lines[0].split(","), line.split(","), strict=True))) for line in lines[anchor : anchor + rows]]
    (tmp_path / "t.csv").write_text("\n".join(lines[: anchor + rows]) + "\n")
    panel = recursive._read([tmp_path / "t.csv"]).with_future(24)
    windows = Windows(panel, recursive.series, dataclasses.replace(shape_of(recursive.options), horizon=24))
    window = windows.get(np.array([0]), np.array([anchor]))
    with torch.inference_mode():
        scores, _ = recursive.model(batch_of(window, False, torch.device("cpu")))
        expected = recursive.model.head.middle(scores[-24:]).numpy() * window.scale + window.base[-24:]
    np.testing.assert_allclose([each.points[0, 0, 0] for each in found], expected[:rows, 0, 0], rtol=1e-5)


@pytest.fixture(scope="module")
def carried(folder):
    """A network that feeds on its own draws, and reads other columns, too."""
    options = {"target": "sold", "known": "price", "past": "visitors", "method": "recursive", "loss": "normal", "horizon": H}
    return un.train_forecaster(folder / "one.csv", out=folder / "carried", leave_out=24, **options, **{**QUIET, "epochs": 1})


@pytest.mark.parametrize(("name", "begin"), [("direct", 109), ("carried", 97)])
def test_a_feed_is_forecast_where_a_row_says_what_is_known(name, begin, request, folder):
    trained = request.getfixturevalue(name)
    lines = [line.split(",") for line in (folder / "one.csv").read_text().splitlines()]
    header, rows = lines[0], lines[begin : begin + 6]
    stream, points = trained.stream(), []
    for row in rows:
        told = dict(zip(header, row, strict=True))
        found = stream.step({**told, "sold": "", "visitors": ""})
        assert [str(time)[:7] for time in found.times[0]] == [told["month"]]
        points.append(found.points[0, 0, 0])
        assert stream.step(told) is None
    assert len({*points}) == 6
    (folder / "t.csv").write_text("\n".join(map(",".join, [header, *lines[1 : begin + 5]])) + "\n")
    future = {"shop": ["a"], "month": [rows[5][1]], "price": [rows[5][3]]}
    panel = fill_future(trained._read([folder / "t.csv"]).with_future(24), table_of_frame(future), trained.series.options, {"price": True})
    shape = shape_of(trained.options)
    if name == "direct":
        expected = Forecaster(trained.model).forecast(Windows(panel, trained.series, shape), np.zeros(1, int), panel.ends)[0].points[0, 0]
    else:
        expected = said_of_all(trained, panel, dataclasses.replace(shape, horizon=24), int(panel.ends[0]) - 5, 5)
    np.testing.assert_allclose(points[5], expected[0], rtol=1e-5)


def test_an_empty_cell_leaves_what_was_said_to_be_known(carried, folder):
    header, *rows = [line.split(",") for line in (folder / "one.csv").read_text().splitlines()]
    stream = carried.stream()
    stream.step({**dict(zip(header, rows[96], strict=True)), "sold": "", "price": "2"})
    stream.step({**dict(zip(header, rows[96], strict=True)), "price": ""})
    panel = next(iter(stream._streams.values())).panel
    assert panel.known["price"][-1] == 2 and panel.values[-1, 0] == float(rows[96][2])


@pytest.mark.parametrize("told", ["row", "nothing"])
def test_a_feed_goes_on_after_an_announced_step_whose_numbers_are_not_known(carried, folder, told):
    header, *rows = [line.split(",") for line in (folder / "one.csv").read_text().splitlines()]
    stream, first, second = carried.stream(), *(dict(zip(header, row, strict=True)) for row in rows[96:98])
    assert stream.step({**first, "sold": ""}) is not None
    if told == "row":
        assert stream.step({**first, "sold": ""}) is None
    found = stream.step({**second, "sold": ""})
    assert str(found.times[0][0])[:7] == second["month"] and np.isfinite(found.points).all()


def said_of_all(trained, panel, shape, anchor, step):
    """What a recursive network that reads all columns of a window in one go says of a step after the `anchor` of its scale."""
    windows = Windows(panel, trained.series, shape)
    window = windows.get(np.array([0]), np.array([anchor]))
    rows = np.arange(anchor - shape.context, anchor + shape.horizon)[None]
    beside = windows.beside(np.array([0]), rows, panel.ends).swapaxes(0, 1)
    window.numbers[..., windows._own_width :][..., : beside.shape[-1]] = beside
    with torch.inference_mode():
        scores, _ = trained.model(batch_of(window, False, torch.device("cpu")))
        return trained.model.head.middle(scores)[shape.context + step, 0].numpy() * window.scale[0] + window.base[shape.context + step, 0]


def test_a_feed_keeps_no_more_than_a_window_reads(recursive, folder, monkeypatch):
    stream = recursive.stream()
    months = np.datetime64("2008-01") + np.arange(60)
    text = "month,sold\n" + "".join(f"{month},{value:.2f}\n" for month, value in zip(months, season(60), strict=True))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(text.encode()))))
    sizes = []
    for row in read_feed(Path("-"), recursive.series, lambda row: row):
        found = stream.step(row)
        assert np.isfinite(found.points).all()
        sizes.append(len(found.panel.values))
    assert max(sizes) == sizes[-1] == recursive.options.context + 4 * 12


def test_a_feed_that_cannot_be_forecast_is_refused(direct, recursive, folder):
    rows = "shop,month,sold,price,visitors,town\na,2010-01,1,1,1,north\n"
    with pytest.raises(DataError, match=r"line 2 is the last row, and none said what price will be.*with price and without sold follow"):
        call("predict", folder / "direct", "-", typed=rows)
    with pytest.raises(DataError, match="'price' says nothing of 2010-02"):
        call("predict", folder / "direct", "-", typed=f"{rows}a,2010-02,,,,north\n")
    for rows, match in (
        ("2008-01,1\n2008-03,2\n2008-02,3\n", "comes before 2008-04"),
        ("2008-01,1,2\n", "line 2: a row must have 2 cells"),
        ("2008-01,x\n", "line 2: sold must be a number"),
    ):
        with pytest.raises(DataError, match=match):
            call("predict", folder / "recursive", "-", typed=f"month,sold\n{rows}")
    for rows, place in (("2008-01,x\n2008-02,2\n", 2), ("2008-01,1\n2008-01,1\n2007-12,2\n2008-02,2\n", 3)):
        with pytest.warns(UnrolledWarning, match=f"[12] bad rows? (is|are) left out. The first: .*line {place}"):
            fed = call("predict", folder / "recursive", "-", "--bad-rows", "skip", typed=f"month,sold\n{rows}")
        assert fed.splitlines()[-1][:7] == "2008-03" and len(fed.splitlines()) == (2 if place == 2 else 3)
    with pytest.raises(ConfigError, match="`--horizon` says nothing about a feed"):
        call("predict", folder / "recursive", "-", "--horizon", 3, typed="month,sold\n")


def test_irregular_times_are_learnt_from_and_no_feed_of_them_is_read(tmp_path):
    chance = np.random.default_rng(0)
    times = np.datetime64("2024-01-01", "us") + np.sort(chance.integers(0, 80 * 3_600_000_000, 150)).astype("timedelta64[us]")
    y = {"t": times, "y": np.sin(times.astype(float) / 3_600_000_000)}
    options = {"time": "t", "target": "y", "frequency": "h", "merge": "mean", "season": [24], "horizon": 3}
    trained = un.train_forecaster(y, out=tmp_path / "run", **options, **{**QUIET, "epochs": 1})
    assert trained.series.gaps and np.isfinite(trained.forecast(y).points).all()
    again = un.load(tmp_path / "run")
    np.testing.assert_array_equal(again.forecast().points, trained.forecast().points)
    with pytest.raises(ConfigError, match=r"steps that are the mean of several rows \(`merge`\)"):
        next(read_feed(Path("-"), again.series, lambda row: row))
