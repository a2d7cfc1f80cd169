"""Networks of numbers, from files to evaluations."""

import json

import numpy as np
import pytest

import unrolled as un
from unrolled.cli import main
from unrolled.errors import ConfigError, DataError
from unrolled.training import Silent

SMALL = {"hidden": 8, "dropout": 0.0, "seed": 1, "device": "cpu", "display": Silent()}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Series whose number is a sum, with two numbers, and with one for each step, as JSON Lines; and the first as a long table."""
    folder, generator = tmp_path_factory.mktemp("numbers"), np.random.default_rng(0)
    rows = ["id,t,a,b,total"]
    with open(folder / "series.jsonl", "w") as file:
        for number in range(60):
            x = generator.normal(size=(generator.integers(2, 6), 2)).round(3)
            record = {"id": f"s{number}", "x": x.tolist(), "total": x[:, 0].sum(), "last": x[-1, 1], "so far": x[:, 0].cumsum().tolist()}
            print(json.dumps(record), file=file)
            rows += [f"s{number},{t},{a},{b},{x[:, 0].sum()}" for t, (a, b) in enumerate(x)]
    (folder / "series.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def whole(files, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    return un.train_regressor(files / "series.jsonl", out=out, input="x", target="total,last", epochs=40, learning_rate=0.02, **SMALL)


def test_several_numbers_are_learnt_and_measured(whole, files):
    found = whole.evaluate(files / "series.jsonl")
    assert found.r2 > 0.5 and found.rmse < 0.7 * found.baseline_rmse
    assert found.true.shape == (60, 2) and found.to_json()["sequences"] == 60
    assert [*found.targets] == ["total", "last"]


def test_predictions_are_in_the_units_of_the_targets(whole, files):
    records = [json.loads(line) for line in (files / "series.jsonl").read_text().splitlines()]
    found = whole.predict([np.array(record["x"]) for record in records])
    predicted, true = np.array([p.values for p in found]), np.array([[r["total"], r["last"]] for r in records])
    scores = whole.evaluate(files / "series.jsonl")
    np.testing.assert_allclose(np.abs(predicted - true).mean(), scores.mae, rtol=1e-5)
    assert found[0].deviations is None and found[0].to_json() == {"values": pytest.approx(predicted[0].tolist())}


def test_a_run_is_loaded_as_it_was(whole, files, tmp_path_factory):
    again = un.load(next(p for p in tmp_path_factory.getbasetemp().glob("runs*/whole")))
    assert again.evaluate(files / "series.jsonl").to_json() == whole.evaluate(files / "series.jsonl").to_json()


@pytest.mark.parametrize("loss", ["absolute", "huber", "normal"])
def test_every_loss_learns(files, tmp_path, loss):
    trained = un.train_regressor(
        files / "series.csv", out=tmp_path / "run", series="id", time="t", target="total", loss=loss, epochs=25, learning_rate=0.02, **SMALL
    )
    assert not trained.codecs.target.target.each_step and trained.codecs.inputs.channels == ("a", "b")
    found = trained.evaluate(files / "series.csv")
    assert found.mae < 0.8 * found.baseline_mae
    (prediction,) = trained.predict([np.ones((3, 2))])
    assert (prediction.deviations is not None and prediction.deviations[0] > 0) == (loss == "normal")


@pytest.mark.parametrize("window", [None, 2])
def test_numbers_of_steps_are_found_out(files, tmp_path, window):
    options = {
        "input": "x",
        "target": "so far",
        "bidirectional": False,
        "cell": "gru",
        "epochs": 20,
        "learning_rate": 0.03,
        "window": window,
    }
    trained = un.train_regressor(files / "series.jsonl", out=tmp_path / "run", **options, **SMALL)
    assert trained.codecs.target.target.each_step
    found = trained.evaluate(files / "series.jsonl")
    assert found.unit == "steps" and found.r2 > 0.3
    (prediction,) = trained.predict([np.ones((4, 2))])
    assert prediction.values.shape == (4, 1)


def test_whether_numbers_belong_to_steps_can_be_said(files, tmp_path):
    short = tmp_path / "short.jsonl"
    short.write_text("".join(json.dumps({"x": [[0.1 * i], [1.0]], "y": [i, 2.0 * i]}) + "\n" for i in range(12)))
    common = {"input": "x", "target": "y", "epochs": 1, **SMALL}
    assert un.train_regressor(short, out=tmp_path / "a", **common).codecs.target.target.each_step
    assert not un.train_regressor(short, out=tmp_path / "b", each_step=False, **common).codecs.target.target.each_step


def test_columns_that_are_named_are_no_steps(tmp_path):
    two = tmp_path / "two.jsonl"
    two.write_text("".join(json.dumps({"x": [[0.1 * i], [1.0]], "low": i, "high": 2.0 * i}) + "\n" for i in range(12)))
    trained = un.train_regressor(two, out=tmp_path / "run", input="x", target="low,high", epochs=1, **SMALL)
    assert not trained.codecs.target.target.each_step


def test_texts_and_images_have_numbers_too(tmp_path):
    table = tmp_path / "reviews.csv"
    table.write_text("review,stars\n" + "".join(f"{'good ' * (i % 5)}film,{i % 5}\n" for i in range(40)))
    trained = un.train_regressor(table, out=tmp_path / "run", input="review", target="stars", epochs=15, learning_rate=0.02, **SMALL)
    assert trained.evaluate(table).r2 > 0.5
    images = tmp_path / "small-images-idx3-ubyte"
    pixels = np.random.default_rng(1).integers(0, 255, (20, 3, 2), dtype=np.uint8)
    images.write_bytes(bytes((0, 0, 8, 3)) + np.array([20, 3, 2], ">u4").tobytes() + pixels.tobytes())
    (tmp_path / "small-labels-idx1-ubyte").write_bytes(bytes((0, 0, 8, 1)) + np.array([20], ">u4").tobytes() + bytes(range(20)))
    found = un.train_regressor(images, out=tmp_path / "images", epochs=1, **SMALL)
    assert found.evaluate(images).size == 20


def test_the_command_line_trains_measures_draws_and_predicts(files, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    series = str(files / "series.jsonl")
    run = ["--hidden", "4", "--epochs", "1", "--device", "cpu", "--out", "run"]
    with pytest.raises(SystemExit) as ended:
        main(["train", "regress", series, "--input", "x", "--target", "total", *run])
    assert ended.value.code == 0
    told = capsys.readouterr()
    assert "Input (from 'x'): 2 numbers a step. Target (from 'total'): 1 number for each sequence" in told.err
    assert "Left out: 'last', 'so far'." in told.err
    with pytest.raises(SystemExit):
        main(["evaluate", "run", series, "--json", "--plot", "plot.png"])
    found = json.loads(capsys.readouterr().out)
    assert {"r2", "mae", "rmse", "sequences"} <= set(found) and found["sequences"] == 60
    assert (tmp_path / "plot.png").stat().st_size > 1000
    with pytest.raises(SystemExit):
        main(["predict", "run", series])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 60 and isinstance(lines[0]["predicted"], float) and lines[0]["id"] == "s0"
    with pytest.raises(SystemExit):
        main(["inspect", "run", series, "--steps", "5"])
    assert (tmp_path / "run" / "report.html").exists()


def test_a_run_is_resumed_exactly(files, tmp_path):
    options = {"input": "x", "target": "total", "batch": 7, **SMALL}
    whole = un.train_regressor(files / "series.jsonl", out=tmp_path / "whole", epochs=4, **options)
    un.train_regressor(files / "series.jsonl", out=tmp_path / "parts", epochs=2, warmup=1, **options)
    assert whole.evaluate(files / "series.jsonl").r2 is not None
    resumed = un.train_regressor(out=tmp_path / "parts", resume=True, epochs=4, device="cpu", display=Silent())
    assert resumed.evaluate(files / "series.jsonl").size == 60


@pytest.mark.parametrize(
    ("line", "options", "error", "message"),
    [
        ('{"x": [1, 2], "y": "high"}', {}, DataError, r"line 1: 'y' must be numbers.*got \"high\""),
        ('{"x": [1, 2]}', {}, DataError, "line 1: the sequence has no number"),
        ('{"x": [1, 2], "y": 3}', {"target": "z"}, ConfigError, r"there is no key 'z'.*`target`"),
        ('{"x": [1, 2], "y": 3}', {"loss": "cubic"}, ConfigError, "`loss` must be one of squared, absolute, huber, normal, got 'cubic'"),
        ('{"x": [1, 2], "y": 3}', {"window": 2}, ConfigError, "`window` cuts sequences whose steps have numbers"),
    ],
)
def test_what_cannot_be_is_named(tmp_path, line, options, error, message):
    (tmp_path / "bad.jsonl").write_text(line + "\n")
    with pytest.raises(error, match=message):
        un.train_regressor(tmp_path / "bad.jsonl", out=tmp_path / "run", **{"input": "x", "epochs": 1, **SMALL, **options})
    assert not (tmp_path / "run").exists()
