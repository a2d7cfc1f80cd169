"""Networks of numbers, from files to evaluations."""

import json

import numpy as np
import pytest

import unrolled as un
from unrolled.cli import main
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks import find_recipe
from unrolled.tasks.configuration import Configuration
from unrolled.training import RunFolder, Silent

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


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Series whose numbers are larger the later they come, so that what is held out differs from what is learnt; a few with one step."""
    path, generator = tmp_path_factory.mktemp("uneven") / "uneven.jsonl", np.random.default_rng(3)
    with open(path, "w") as file:
        for number in range(40):
            x = generator.normal(size=generator.integers(1, 5))
            print(json.dumps({"x": x.tolist(), "y": 10.0 * number, "steps": (x + number).tolist()}), file=file)
    return path


def _data(path, **options):
    options = {"device": "cpu", "seed": 2, "input": "x", "target": "y", **options}
    configuration = Configuration.from_flat("regress", find_recipe("regress").options, {"sources": [str(path)], **options})
    return find_recipe("regress").read(configuration, lambda *_: None)


@pytest.mark.parametrize("target", ["y", "steps"])
def test_means_are_those_of_the_training_part_alone(uneven, target):
    data = _data(uneven, target=target, held_out=0.4)
    values = [json.loads(line)[target] for line in uneven.read_text().splitlines()]
    learnt = np.concatenate([np.atleast_1d(values[i]) for i in data.train.which])
    assert len(data.train) == 24 and data.codecs.target.scale.mean == pytest.approx([learnt.mean()])
    assert data.codecs.target.scale.deviation == pytest.approx([learnt.std()])
    assert abs(learnt.mean() - np.concatenate([np.atleast_1d(v) for v in values]).mean()) > 0.1


def test_what_is_always_said_is_the_mean_of_what_was_learnt(uneven, tmp_path):
    trained = un.train_regressor(uneven, out=tmp_path / "run", input="x", target="y", epochs=1, **SMALL)
    other = tmp_path / "other.jsonl"
    other.write_text("".join(json.dumps({"x": [0.5], "y": y}) + "\n" for y in (1000.0, 1010.0, 1050.0)))
    mean = trained.codecs.target.scale.mean[0]
    assert trained.evaluate(other).baseline_mae == pytest.approx(1020 - mean)


def test_deviations_are_in_the_units_of_the_target(tmp_path):
    generator, path = np.random.default_rng(0), tmp_path / "noisy.jsonl"
    path.write_text("".join(json.dumps({"x": [1.0], "y": float(y)}) + "\n" for y in generator.normal(500, 30, 400)))
    found = un.train_regressor(path, out=tmp_path / "run", input="x", target="y", loss="normal", epochs=20, learning_rate=0.02, **SMALL)
    assert found.predict([[1.0]])[0].deviations == pytest.approx([30], rel=0.2)


def test_series_of_one_step_have_one_number_for_the_whole(tmp_path):
    path = tmp_path / "single.jsonl"
    path.write_text("".join(json.dumps({"x": [0.1 * i], "y": [float(i)]}) + "\n" for i in range(12)))
    assert not _data(path).codecs.target.target.each_step


def test_other_targets_are_other_data(uneven, tmp_path):
    changed = tmp_path / "changed.jsonl"
    changed.write_text(uneven.read_text().replace('"y": 10.0', '"y": 11.0'))
    assert _data(uneven).fingerprint != _data(changed).fingerprint


def test_a_target_that_never_changes_does_not_drown_the_others(tmp_path):
    path, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    lines = [json.dumps({"x": [0.1 * i, 1.0], "y": float(i), "z": 0.1}) for i in range(40)]
    path.write_text("\n".join(lines) + "\n")
    other.write_text(lines[3] + "\n" + lines[4].replace("0.1}", "0.11}") + "\n")
    found = un.train_regressor(path, out=tmp_path / "run", input="x", target="y,z", validation=str(other), epochs=2, **SMALL)
    assert found.codecs.target.scale.deviation[1] == 1
    records = [r["held_out"] for r in RunFolder(tmp_path / "run").history.records() if "held_out" in r]
    assert max(records) < 100
    assert found.evaluate(path).targets["z"].r2 in (0.0, 1.0)


@pytest.mark.parametrize(
    ("lines", "options", "error", "message"),
    [
        (['{"x": [1, 2], "y": 1e300}', '{"x": [1], "y": 1e308}'], {}, DataError, "squares are too large.*below 1e150"),
        (['{"x": [1, 2], "y": 1}', '{"x": [1], "y": 2}'], {"target": "y,y"}, ConfigError, "must name each column once, got 'y,y'"),
        (['{"x": [1, 2], "y": 1}', '{"x": [1], "y": 2}'], {"level": "char"}, ConfigError, "`level` is for words and characters"),
        (['{"x": [1, 2], "y": 1}', '{"x": [1], "y": 2}'], {"vocabulary": 9}, ConfigError, "`vocabulary` is for words and characters"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, lines, options, error, message):
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(error, match=message):
        un.train_regressor(tmp_path / "a.jsonl", out=tmp_path / "run", **{"input": "x", "target": "y", "epochs": 1, **SMALL, **options})
    assert not (tmp_path / "run").exists()


def test_other_numbers_of_targets_are_named(whole, tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"x": [[1, 2]], "total": 3}\n')
    with pytest.raises(DataError, match=r"learnt 2 numbers for each sequence \(total, last\), and here there is 1"):
        whole.evaluate(path, reading=whole.reading_of(path, target="total"))


def test_lists_of_numbers_are_series_as_in_files(whole):
    one = whole.predict([[[1.0, 2.0], [0.5, -1.0]]])[0].values
    assert one == pytest.approx(whole.predict([np.array([[1.0, 2.0], [0.5, -1.0]])])[0].values)
    with pytest.raises(DataError, match=r"`sequences\[0\]` must be a list of numbers, or of lists of as many"):
        whole.predict([[[1.0, 2.0], [0.5]]])


def test_where_nothing_can_be_held_out_that_is_said(tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text('{"x": [1, 2, 3], "y": [1, 2, 3]}\n')
    with pytest.warns(UnrolledWarning, match="Nothing is held out, as there is one sequence"):
        un.train_regressor(path, out=tmp_path / "run", input="x", target="y", epochs=1, **SMALL)
