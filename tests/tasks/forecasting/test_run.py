"""Networks of forecasts, from tables to forecasts and measures."""

import json

import numpy as np
import pytest
import torch

import unrolled as un
from at_the_terminal import call
from small_forecasters import QUIET, SMALL, H, season
from unrolled.cli import main
from unrolled.data.panels import Windows
from unrolled.errors import ConfigError, DataError, RunError, UnrolledWarning
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.forecasting.predicting import Forecaster, batch_of
from unrolled.tasks.forecasting.reading import shape_of
from unrolled.tasks.forecasting.scoring import windows_at_end
from unrolled.training import RunFolder, Silent


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


def test_windows_lie_a_step_apart(recursive, folder):
    held = windows_at_end(recursive._read([folder / "plain.csv"]), H, 3, 4)
    assert held.origins.tolist() == [120 - H - 8, 120 - H - 4, 120 - H]
