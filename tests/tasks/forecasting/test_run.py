"""Networks of forecasts, from tables to forecasts and measures."""

import dataclasses
import io
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import unrolled as un
from at_the_terminal import call
from unrolled.cli import main
from unrolled.data.panels import PanelOptions, Windows, table_of_frame
from unrolled.data.panels.feeds import read_feed
from unrolled.data.panels.future import fill_future
from unrolled.errors import ConfigError, DataError, RunError, UnrolledWarning
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.forecasting.conformal import RENEWED, Calibration
from unrolled.tasks.forecasting.learning import ForecastMeasuring
from unrolled.tasks.forecasting.options import ForecastDataOptions, ForecastOptions
from unrolled.tasks.forecasting.predicting import Forecaster, batch_of, truth_of
from unrolled.tasks.forecasting.reading import HeldOut, read_forecast_data, shape_of
from unrolled.tasks.forecasting.scoring import windows_at_end
from unrolled.tasks.measures.forecasts import Forecasts
from unrolled.training import RunFolder, Silent

SMALL = {"hidden": 8, "windows": 320, "epochs": 3, "evaluations": 3, "batch": 32, "device": "cpu"}
QUIET = {**SMALL, "display": Silent()}
H = 6


def season(rows, seed=0):
    """Numbers with a season of 12 and a trend."""
    step = np.arange(rows)
    return 50 + 0.2 * step + 10 * np.sin(2 * np.pi * step / 12) + np.random.default_rng(seed).normal(size=rows)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table of two shops by month, with a price that is known and a count of visitors that is not, and one that ends earlier."""
    folder, rows = tmp_path_factory.mktemp("series"), ["shop,month,sold,price,visitors,town"]
    months = np.arange("2000-01", "2010-01", dtype="datetime64[M]")
    for seed, shop in enumerate("ab"):
        y, chance = season(len(months), seed), np.random.default_rng(seed)
        rows += [
            f"{shop},{month},{'' if at == 40 else f'{value:.2f}'},{at % 3},{chance.integers(100)},{'north' if seed else 'south'}"
            for at, (month, value) in enumerate(zip(months, y, strict=True))
        ]
    (folder / "all.csv").write_text("\n".join(rows) + "\n")
    (folder / "early.csv").write_text("\n".join(row for row in rows if "2009-0" not in row and "2009-1" not in row) + "\n")
    (folder / "one.csv").write_text("\n".join(rows[:121]) + "\n")
    (folder / "plain.csv").write_text("\n".join(",".join(row.split(",")[1:3]) for row in rows[:121]) + "\n")
    return folder


@pytest.fixture(scope="module")
def direct(folder):
    """A network that reads everything there is."""
    options = {"series": "shop", "target": "sold", "known": "price", "past": "visitors", "static": ["town", "shop"], "horizon": H}
    return un.train_forecaster(folder / "early.csv", out=folder / "direct", quantiles=[0.1, 0.5, 0.9], **options, **QUIET)


@pytest.fixture(scope="module")
def recursive(folder):
    """A network that feeds on its own draws."""
    options = {"target": "sold", "method": "recursive", "loss": "normal", "leave_out": 24, "horizon": H}
    return un.train_forecaster(folder / "plain.csv", out=folder / "recursive", **options, **QUIET)


def test_a_network_learns_more_than_repeating_the_season(direct, folder):
    found = direct.evaluate(folder / "all.csv")
    assert found.mae < found.rivals["last value"].mae and found.windows == 2
    assert [*direct.series.kinds.items()] == [("price", True), ("visitors", True), ("town", False), ("shop", False)]


def test_forecasts_go_on_from_the_end_of_a_table_with_its_times(direct, folder):
    future = {"shop": ["a"] * H + ["b"] * H, "month": [f"2010-{at % H + 1:02}" for at in range(2 * H)], "price": [1.0] * (2 * H)}
    found = direct.forecast(folder / "all.csv", future=future)
    columns = found.columns()
    assert [*columns] == ["shop", "month", "forecast", "q0.1", "q0.5", "q0.9"]
    assert columns["shop"] == ["a"] * H + ["b"] * H and [str(time.date()) for time in columns["month"][:2]] == ["2010-01-01", "2010-02-01"]
    assert (np.diff(found.quantiles, axis=-1) >= 0).all()
    np.testing.assert_allclose(found.points, found.quantiles[..., 1])
    np.testing.assert_array_equal(direct.forecast(folder / "all.csv", 2, future=future).points, found.points[:, :2])
    with pytest.raises(ConfigError, match="`horizon` must be at most 6"):
        direct.forecast(folder / "all.csv", 7, future=future)


def test_a_known_column_without_its_future_is_told(direct, folder, tmp_path):
    with pytest.raises(DataError, match=r"'price' says nothing of 2010-01, which is to be forecast for the series 'a'.*`future`"):
        direct.forecast(folder / "all.csv")
    longer = tmp_path / "longer.csv"
    rows = (folder / "all.csv").read_text() + "".join(f"{shop},2010-{at + 1:02},,1,,\n" for shop in "ab" for at in range(H))
    with pytest.raises(DataError, match="town is None here"):
        longer.write_text(rows)
        direct.forecast(longer)
    longer.write_text(
        "".join(
            f"{row}{town}\n" if row.endswith(",") else f"{row}\n"
            for row in rows.splitlines()
            for town in (("south" if row[0] == "a" else "north"),)
        )
    )
    future = {"shop": ["a"] * H + ["b"] * H, "month": [f"2010-{at % H + 1:02}" for at in range(2 * H)], "price": [1.0] * (2 * H)}
    np.testing.assert_array_equal(direct.forecast(longer).points, direct.forecast(folder / "all.csv", future=future).points)


def test_a_known_column_with_gaps_must_say_something_of_each_series(tmp_path):
    rows, day = 40, np.tile(np.arange(40), 2)
    price = np.where(day == 7, np.nan, day % 3)
    y = {"s": ["a"] * rows + ["b"] * rows, "day": day, "y": [*season(rows), *season(rows, 1)], "price": price}
    options = {**QUIET, "epochs": 1, "windows": 32, "series": "s", "time": "day", "target": "y", "known": "price", "season": 12}
    trained = un.train_forecaster(y, out=tmp_path / "run", horizon=3, **options)
    future = {"s": ["a"] * 3 + ["b"] * 3, "day": [40, 41, 42] * 2, "price": [1.0, np.nan, 2.0, np.nan, 1.0, np.nan]}
    assert np.isfinite(trained.forecast(y, future=future).points).all()
    future["price"][4] = np.nan
    with pytest.raises(DataError, match="'price' says nothing of 40, which is to be forecast for the series 'b'"):
        trained.forecast(y, future=future)


def test_a_known_column_must_say_what_is_measured(direct, folder, tmp_path):
    lines = (folder / "all.csv").read_text().splitlines()
    emptied = [
        ",".join([*cells[:3], "" if cells[1] == "2009-09" else cells[3], *cells[4:]]) for cells in (line.split(",") for line in lines)
    ]
    (tmp_path / "t.csv").write_text("\n".join(emptied) + "\n")
    for measured in (direct.evaluate, direct.backtest):
        with pytest.raises(DataError, match="'price' says nothing of 2009-09, which is to be forecast for the series 'a'"):
            measured(tmp_path / "t.csv")
    with pytest.raises(DataError, match="'price' says nothing of 2009-09"):
        un.train_forecaster(tmp_path / "t.csv", out=tmp_path / "run", series="shop", target="sold", known="price", horizon=H, **QUIET)


def test_labels_that_mark_single_days_may_be_empty_of_steps_to_come(tmp_path):
    y = {"t": np.arange(60), "y": season(60), "event": ["fair" if at % 20 == 7 else None for at in range(60)]}
    trained = un.train_forecaster(y, out=tmp_path / "run", time="t", target="y", known="event", horizon=4, **{**QUIET, "epochs": 1})
    assert np.isfinite(trained.forecast(y, future={"t": [60, 61, 62, 63], "event": [None] * 4}).points).all()
    with pytest.raises(DataError, match="'event' says nothing of 60"):
        trained.forecast(y)


def test_bad_rows_of_a_table_can_be_left_out(recursive, folder, tmp_path):
    (tmp_path / "t.csv").write_text((folder / "plain.csv").read_text().replace("\n2009-05,", "\n2009-05,x"))
    for command, *asked in (["predict"], ["evaluate"], ["backtest", "--windows", 2]):
        with pytest.raises(DataError, match="sold must be a number"):
            call(command, folder / "recursive", tmp_path / "t.csv", *asked)
        with pytest.warns(UnrolledWarning, match="1 bad row is left out"):
            call(command, folder / "recursive", tmp_path / "t.csv", *asked, "--bad-rows", "skip")


def test_what_was_learnt_goes_on_without_a_table(recursive, folder):
    short = folder / "short.csv"
    short.write_text("\n".join((folder / "plain.csv").read_text().splitlines()[:97]) + "\n")
    found, same = recursive.forecast(), recursive.forecast(short)
    np.testing.assert_allclose(found.points, same.points)
    assert str(found.times[0][0]).startswith("2008-01-01")
    longer = recursive.forecast(horizon=20, samples=20, seed=3)
    assert longer.points.shape == (1, 20, 1)
    np.testing.assert_array_equal(longer.points, recursive.forecast(horizon=20, samples=20, seed=3).points)
    assert not np.array_equal(longer.points, recursive.forecast(horizon=20, samples=20, seed=4).points)


@pytest.mark.parametrize("name", ["direct", "recursive"])
def test_what_comes_later_changes_no_forecast(name, request, folder, tmp_path):
    """The last rows of a table are the truth of `evaluate`; whatever stands there, the forecasts are the same."""
    trained = request.getfixturevalue(name)
    lines = (folder / ("all.csv" if name == "direct" else "plain.csv")).read_text().splitlines()
    at = lines[0].split(",").index("sold")
    poisoned = []
    for line in lines:
        cells = line.split(",")
        late = any(f"2009-{month:02}" in line for month in range(7, 13))
        poisoned.append(",".join([*cells[:at], "1e9" if late else cells[at], *cells[at + 1 :]]))
    (tmp_path / "poisoned.csv").write_text("\n".join(poisoned) + "\n")
    (tmp_path / "clean.csv").write_text("\n".join(lines) + "\n")
    clean, other = (trained.backtest(tmp_path / f"{which}.csv", 1) for which in ("clean", "poisoned"))
    np.testing.assert_array_equal(clean.forecasts.points, other.forecasts.points)
    np.testing.assert_array_equal(clean.forecasts.quantiles, other.forecasts.quantiles)
    assert other.scores.mae > 1e8


def test_training_sees_nothing_of_what_is_left_out_and_weights_nothing_of_what_is_held_out(folder, tmp_path):
    lines = (folder / "plain.csv").read_text().splitlines()
    for name, begin, end in (("left", 109, None), ("held", 97, 109)):
        late = [f"{line.split(',')[0]},-1e6" for line in lines[begin:end]]
        (tmp_path / f"{name}.csv").write_text("\n".join([*lines[:begin], *late, *lines[begin:][len(late) :]]) + "\n")
    options = {"target": "sold", "leave_out": 12, "held_out": 12, "horizon": H, **QUIET, "epochs": 1, "evaluations": 1}
    paths = (folder / "plain.csv", tmp_path / "left.csv", tmp_path / "held.csv")
    clean, left, held = (un.train_forecaster(path, out=tmp_path / path.stem, **options) for path in paths)
    np.testing.assert_array_equal(clean.forecast().quantiles, left.forecast().quantiles)
    assert not np.array_equal(clean.forecast().points, held.forecast().points)
    for (name, weights), others in zip(clean.model.named_parameters(), held.model.parameters(), strict=True):
        np.testing.assert_array_equal(weights.detach(), others.detach(), err_msg=name)


def test_the_loss_of_what_is_held_out_is_that_of_the_horizon(recursive, folder):
    windows = Windows(recursive._read([folder / "plain.csv"]).with_future(H), recursive.series, shape_of(recursive.options))
    asked = np.array([0]), np.array([100])
    _, total, count = Forecaster(recursive.model, samples=2).forecast(windows, *asked)
    batch = batch_of(windows.get(*asked), False, torch.device("cpu"))
    with torch.inference_mode():
        scores, _ = recursive.model(batch, last=H)
    assert count == H and total == pytest.approx(float(recursive.model.loss_of(scores, batch.targets[-H:])), rel=1e-5)


def test_paths_read_their_draws_as_windows_read_numbers(recursive, folder, monkeypatch):
    """Where what is drawn is what came, each step has the scores of reading all that came at once."""
    windows = Windows(recursive._read([folder / "plain.csv"]).with_future(H), recursive.series, shape_of(recursive.options))
    window = windows.get(np.array([0]), np.array([100]))
    scores = []

    def sample(said, generator, scale):
        scores.append(said)
        return torch.from_numpy(window.targets[len(scores) - 1 - H])[None].repeat_interleave(2, 1)

    monkeypatch.setattr(recursive.model.head, "sample", sample)
    with torch.inference_mode():
        paths = Forecaster(recursive.model, samples=2).paths(windows, window)
        expected, _ = recursive.model(batch_of(window, False, torch.device("cpu")), last=H)
    np.testing.assert_allclose(paths[0, :, :, 0], np.tile(windows.panel.history(0)[100 : 100 + H, 0], (2, 1)), rtol=1e-6)
    np.testing.assert_allclose(torch.cat(scores), expected.expand(H, 2, -1), rtol=1e-4, atol=1e-5)


def test_windows_that_were_learnt_are_told(recursive, folder):
    with pytest.warns(UnrolledWarning, match="1 of the 5 windows begin before the end of what the network learnt from"):
        recursive.backtest(folder / "plain.csv", 5)
    assert recursive.backtest(folder / "plain.csv", 4).scores.windows == 4


def test_a_run_is_loaded_as_it_was_and_goes_on_where_it_was_stopped(recursive, folder, tmp_path):
    again = un.load(folder / "recursive")
    np.testing.assert_array_equal(again.forecast().quantiles, recursive.forecast().quantiles)
    assert run_training(find_recipe("forecast"), (), RunFolder(folder / "recursive"), {}, Silent(), resume=True).finished
    codecs = folder / "recursive" / "codecs.json"
    text = codecs.read_text()
    try:
        codecs.write_text(json.dumps({"series": {}, "forecast": {}}))
        with pytest.raises(RunError, match="damaged or foreign"):
            un.load(folder / "recursive")
    finally:
        codecs.write_text(text)


def test_data_frames_are_learnt_from_and_given_back(folder, tmp_path):
    polars = pytest.importorskip("polars")
    frame = polars.read_csv(folder / "plain.csv").with_columns(polars.col("month").str.to_date("%Y-%m"))
    trained = un.train_forecaster(frame, out=tmp_path / "run", horizon=H, **{**QUIET, "epochs": 1})
    found = trained.forecast(frame).to_frame()
    assert isinstance(found, polars.DataFrame) and found.columns == ["month", "forecast", "q0.1", "q0.5", "q0.9"] and len(found) == H
    assert str(found["month"][0]) == "2010-01-01 00:00:00"
    with pytest.raises(ConfigError, match="resumed from Python"):
        run_training(find_recipe("forecast"), (), RunFolder(tmp_path / "run"), {"epochs": 2}, Silent(), resume=True)
    un.train_forecaster(frame, out=tmp_path / "run", resume=True, epochs=2, display=Silent())
    with pytest.raises(RunError, match="was begun with: a data frame"):
        un.train_forecaster(frame[:-1], out=tmp_path / "run", resume=True, epochs=3, display=Silent())


def test_several_targets_are_forecast_together(tmp_path):
    y = {"one": season(80), "two": 1000 * season(80, 1), "t": np.arange(80)}
    trained = un.train_forecaster(y, out=tmp_path / "run", time="t", target=["one", "two"], season=[12], horizon=4, **QUIET)
    found = trained.forecast(y)
    assert found.points.shape == (1, 4, 2) and found.columns()["target"] == ["one"] * 4 + ["two"] * 4
    assert 20 < found.points[0, 0, 0] < 120 and 20_000 < found.points[0, 0, 1] < 120_000
    assert found.columns()["t"][:2] == [80, 81]


@pytest.mark.parametrize(
    ("loss", "method"), [("student-t", "direct"), ("zero-inflated", "direct"), ("mixture", "recursive"), ("negative-binomial", "recursive")]
)
def test_every_distribution_learns_both_ways(loss, method, tmp_path):
    counts = np.random.default_rng(0).poisson(8, 90).astype(float)
    options = {**QUIET, "learning_rate": 0.03, "target": "y", "horizon": 4, "season": 7}
    trained = un.train_forecaster({"y": counts}, out=tmp_path / "run", loss=loss, method=method, **options)
    found = trained.forecast(samples=50)
    assert (found.quantiles >= 0).all() and found.points.mean() == pytest.approx(8, abs=2.5)
    assert trained.options.residual_of == ("best" if loss in ("student-t", "mixture") else "none")


def test_a_window_network_stands_in_the_same_table(folder, tmp_path):
    trained = un.train_forecaster(folder / "plain.csv", out=tmp_path / "run", horizon=H, layers=0, input_window=5, **QUIET)
    assert trained.model.recurrent is None and np.isfinite(trained.forecast().points).all()


def test_the_command_line_trains_measures_and_forecasts(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    options = [str(word) for name, value in SMALL.items() for word in (f"--{name}", value)]
    with pytest.raises(SystemExit) as end:
        main(["train", "forecast", str(folder / "plain.csv"), "--horizon", str(H), "--leave-out", "12", *options])
    said = capsys.readouterr()
    assert end.value.code == 0 and "What comes next: unrolled predict runs/forecast" in said.out
    assert "1 series, 96 rows to learn, in which 1 number is missing, 2 windows held out." in said.err
    assert "Intervals rest on 2 held-out windows, too few to know" in said.err and "Hold out more (`--held-out`)" in said.err
    assert "seasonal naive" in said.err and "Horizon 6, context 24, seasons 12; direct, quantiles, above best." in said.err
    rows = call("predict", "runs/forecast", "--plot", "fan.png").splitlines()
    assert rows[0] == "month,forecast,q0.1,q0.5,q0.9" and rows[1].startswith("2009-01,") and len(rows) == H + 1
    found = json.loads(call("predict", "runs/forecast", folder / "plain.csv", "--json"))
    assert found["times"][0] == "2010-01" and len(found["quantiles"]["0.9"]) == H and found["target"] == "sold"
    call("predict", "runs/forecast", "--form", "parquet", "--out", "found.parquet")
    assert pytest.importorskip("pyarrow.parquet").read_table("found.parquet").num_rows == H
    scores = json.loads(call("evaluate", "runs/forecast", folder / "plain.csv", "--json"))
    assert {"mae", "rmse", "mase", "rmsse", "smape", "wql", "coverage", "rivals"} <= scores.keys()
    assert scores["coverage"].keys() == {"0.8"} and scores["rivals"]["seasonal naive"]["mase"] > 0
    assert json.loads(call("evaluate", "runs/forecast", folder / "plain.csv", "--json", "--rivals", "none"))["rivals"] == {}
    told = call("evaluate", "runs/forecast", folder / "plain.csv")
    assert "On 1 window, too few" in told and ("Try a longer" not in told or "`--context`" in told)
    table = call("backtest", "runs/forecast", folder / "plain.csv", "--windows", 2, "--step", 3, "--plot", "backtest.png")
    assert "2 windows of 1 series, 6 steps ahead" in table and "MAE seasonal naive" in table
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in ("fan.png", "backtest.png"))
    assert "The page is" in call("inspect", "runs/forecast")
    with pytest.raises(ConfigError, match="windows of scaled numbers"):
        call("inspect", "runs/forecast", "1 2 3")


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


def test_windows_lie_a_step_apart(recursive, folder):
    held = windows_at_end(recursive._read([folder / "plain.csv"]), H, 3, 4)
    assert held.origins.tolist() == [120 - H - 8, 120 - H - 4, 120 - H]


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
