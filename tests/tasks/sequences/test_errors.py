"""What was said wrongly, how far probabilities can be believed, and which labels are said."""

import csv
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import unrolled as un
from at_the_terminal import call
from unrolled.cli.catalogue import known_groups
from unrolled.data.examples import Example, Prediction
from unrolled.errors import ConfigError, UnrolledWarning
from unrolled.tasks.measures.calibration import calibrate
from unrolled.tasks.sequences.errors import FEW, errors_of
from unrolled.training import Silent

QUICK = {"updates": 2, "evaluations": 1, "hidden": 4, "batch": 8, "display": Silent()}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with a classifier `run` and a file `test.csv`."""
    folder = tmp_path_factory.mktemp("errors")
    (folder / "test.csv").write_text("text,label\n" + "".join(f"w{i} x{i % 3},{'abc'[i % 3]}\n" for i in range(30)))
    un.train_classifier(folder / "test.csv", out=folder / "run", **QUICK)
    return folder


def test_wrong_answers_are_written_the_surest_first(run, tmp_path):
    scores = json.loads(call("evaluate", run / "run", run / "test.csv", "--errors", tmp_path / "out.csv", "--json"))
    with open(tmp_path / "out.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == round(30 * (1 - scores["accuracy"])) > 0
    sure = [float(row["probability"]) for row in rows]
    assert sure == sorted(sure, reverse=True)
    assert all(row["label"] != row["answer"] and row["input"].split()[1] == f"x{'abc'.index(row['label'])}" for row in rows)
    assert all(float(row[f"P({row['answer']})"]) == float(row["probability"]) for row in rows)
    assert "test.csv, line " in rows[0]["place"]


def test_a_wrong_step_is_shown_among_its_neighbours():
    example = Example("a, line 3", tokens=("the", "cat", "sat"), tags=("D", "N", "V"))
    scores = np.array([[0.9, 0.1, 0], [0.05, 0.2, 0.75], [0, 0.2, 0.8]], np.float32)
    said = Prediction(tags=("D", "V", "V"), probabilities=(0.9, 0.75, 0.8), step_scores=scores)
    (row,) = errors_of(example, said, "DNV")
    assert row.pop("P(D)") == 0.05 and row.pop("P(N)") == 0.2 and row.pop("P(V)") == 0.75
    assert row == {
        "place": "a, line 3, step 2",
        "input": "the [cat] sat",
        "label": "N",
        "answer": "V",
        "probability": 0.75,
        "label_probability": 0.2,
    }
    # A label that was never learnt has no probability, and of many labels a row has those of two.
    (row,) = errors_of(replace(example, tags=("D", "X", "V")), said, "DNV")
    assert row["label_probability"] == ""
    many = replace(said, step_scores=np.pad(scores, ((0, 0), (0, FEW))))
    assert [*next(errors_of(example, many, [*"DNV", *map(str, range(FEW))]))][4:] == ["probability", "label_probability"]


def test_the_place_of_a_wrong_step_is_its_own_line():
    example = Example("a.conllu, line 3", tokens=("x", "y"), tags=("A", "B"), path=Path("a.conllu"), lines=(3, 7))
    (row,) = errors_of(example, Prediction(tags=("A", "A"), probabilities=(1.0, 0.5)))
    assert row["place"] == "a.conllu, line 7"
    numbers = replace(example, tags=None, values=np.array([[1.0], [2.0]]))
    assert [row["place"] for row in errors_of(numbers, Prediction(values=np.array([[1.0], [3.0]])))] == ["a.conllu, line 7"]


def test_a_wrong_number_is_shown_with_what_was_read():
    example = Example("a.csv, line 3", numbers=np.arange(12.0)[:, None], values=np.array([1.0, 4.0]))
    (row,) = errors_of(example, Prediction(values=np.array([1.5, 0.0]), deviations=np.array([0.5, 2])))
    assert row == {
        "place": "a.csv, line 3",
        "input": "0 1 2 3 4 5 6 7 8 9 … (12 steps)",
        "label": "1,4",
        "answer": "1.5,0",
        "deviation": "0.5,2",
        "error": 4.0,
    }
    steps = Example("a", numbers=np.array([[1.0, 2], [3, 4], [5, 6]]), values=np.array([[0.0], [np.nan], [2]]))
    (row,) = errors_of(steps, Prediction(values=np.array([[0.0], [1], [3]])))
    assert row == {"place": "a, step 3", "input": "1,2 3,4 [5,6]", "label": "2", "answer": "3", "error": 1.0}


def _table(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_errors_of_taggers_have_the_probabilities_of_all_tags(tmp_path):
    pairs = [(["a", "b", str(n)], ["A", "B", "AB"[n % 2]]) for n in range(12)]
    trained = un.train_tagger(*map(list, zip(*pairs, strict=True)), **QUICK)
    found = trained.evaluate(*map(list, zip(*pairs, strict=True)), errors=tmp_path / "wrong.csv")
    rows = _table(tmp_path / "wrong.csv")
    assert len(rows) == round(36 * (1 - found.accuracy)) > 0
    assert [*rows[0]] == ["place", "input", "label", "answer", "probability", "label_probability", "P(A)", "P(B)"]
    for row in rows:
        assert row[f"P({row['answer']})"] == row["probability"] and row[f"P({row['label']})"] == row["label_probability"]
        assert float(row["P(A)"]) + float(row["P(B)"]) == pytest.approx(1, abs=1e-5)


def test_errors_of_numbers_are_sorted_by_how_far_they_are_off(tmp_path):
    sequences = [np.full((3, 1), n, np.float32) for n in range(12)]
    trained = un.train_regressor(sequences, [float(n) for n in range(12)], **QUICK)
    trained.evaluate(sequences, [float(n) for n in range(12)], errors=str(tmp_path / "wrong.tsv"))
    first, *_ = (tmp_path / "wrong.tsv").read_text().splitlines()
    assert first.split("\t") == ["place", "input", "label", "answer", "error"]
    with open(tmp_path / "wrong.tsv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    errors = [float(row["error"]) for row in rows]
    assert errors == sorted(errors, reverse=True) and {row["input"] for row in rows} == {f"{n} {n} {n}" for n in range(12)}


def test_errors_of_forecasts(tmp_path):
    columns = {"time": [*range(40)] * 2, "series": ["a"] * 40 + ["b"] * 40, "value": [*range(40)] * 2}
    trained = un.train_forecaster(columns, series="series", time="time", horizon=2, updates=2, evaluations=1, hidden=4, display=Silent())
    with pytest.warns(UnrolledWarning, match="begin before the end"):
        trained.evaluate({**columns, "value": [value**1.1 for value in columns["value"]]}, errors=tmp_path / "wrong.csv")
    rows = _table(tmp_path / "wrong.csv")
    assert sorted(row["place"] for row in rows) == ["a, 38", "a, 39", "b, 38", "b, 39"]
    assert all(row["input"].endswith(f"{37**1.1:.6g}") and row["ahead"] == str(int(row["place"][-2:]) - 37) for row in rows)
    assert all(float(row["error"]) == pytest.approx(abs(float(row["label"]) - float(row["answer"])), abs=1e-3) for row in rows)
    assert all(float(row["q0.1"]) <= float(row["answer"]) <= float(row["q0.9"]) for row in rows)


@pytest.mark.parametrize("name", ["errors", "calibration", "confusion"])
@pytest.mark.parametrize(
    ("target", "said"),
    [("wrong.doc", "must end in"), ("nowhere/wrong.{}", "Make .*nowhere first"), ("folder.{}", "is a folder"), ("link.{}", "is a link")],
)
def test_files_that_cannot_be_written_are_refused_before_anything_is_measured(run, tmp_path, monkeypatch, name, target, said):
    end = "csv" if name == "errors" else "png"
    (tmp_path / f"folder.{end}").mkdir()
    (tmp_path / f"link.{end}").symlink_to("elsewhere")
    monkeypatch.setattr("unrolled.tasks.sequences.trained.TrainedPredictor.evaluate", None)
    with pytest.raises(ConfigError, match=f"{name}.*{said}"):
        call("evaluate", run / "run", run / "test.csv", f"--{name}", tmp_path / target.format(end))


def test_a_folder_without_permission_is_refused_before_anything_is_predicted(run, tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)
    monkeypatch.setattr("unrolled.tasks.sequences.trained.TrainedPredictor.predict_stream", None)
    with pytest.raises(ConfigError, match=r"`--out` must lie in a folder that one may write into, got .*out\.csv"):
        call("predict", run / "run", run / "test.csv", "--out", tmp_path / "out.csv")


def test_every_option_that_names_a_file_to_write_says_how_its_name_ends():
    found = {option.name for group in known_groups().values() for option in group if option.written}
    told = {option.name for group in known_groups().values() for option in group if option.help.startswith(("Draw ", "Write ", "Picture "))}
    # Of pictures with sentences each is drawn into a folder.
    assert told - found <= {"attention", "sampled"} and found >= {
        "errors",
        "confusion",
        "calibration",
        "plot",
        "npy",
        "gif",
        "page",
        "out",
        "wav",
    }


def test_calibration_by_hand():
    found = calibrate([0.95, 0.96, 0.55, 0.6, 0.05], [True, False, True, True, False])
    # Bins of a fifteenth: 0.95 and 0.96 are in the last, 0.55 and 0.6 = 9 / 15 in the ninth, 0.05 in the first.
    assert found.count.tolist() == [1, 2, 2]
    assert found.error == pytest.approx((1 * 0.05 + 2 * abs(0.575 - 1) + 2 * abs(0.955 - 0.5)) / 5)
    assert found.excess == pytest.approx((0.05 - 2 * 0.425 + 2 * 0.455) / 5)


def test_calibration_is_told_and_drawn(run, tmp_path):
    found = json.loads(call("evaluate", run / "run", run / "test.csv", "--calibration", tmp_path / "a.png", "--json"))
    trained = un.load(run / "run")
    answers = trained.predict([f"w{i} x{i % 3}" for i in range(30)])
    right = [answer.labels[0] == "abc"[i % 3] for i, answer in enumerate(answers)]
    assert found["calibration_error"] == pytest.approx(calibrate([a.probabilities[0] for a in answers], right).error)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert "expected calibration error" in call("evaluate", run / "run", run / "test.csv")


def test_the_most_probable_labels_and_none_below_a_threshold(run):
    (best,) = un.load(run / "run").predict(["w1 x1"])
    ranked = sorted(best.every.items(), key=lambda label: -label[1])
    cells = call("predict", run / "run", "--top", "2", typed="w1 x1\n").rstrip("\n").split("\t")
    assert cells == [";".join(name for name, _ in ranked[:2]), ";".join(f"{p:.4f}" for _, p in ranked[:2]), "w1 x1"]
    found = json.loads(call("predict", run / "run", "--threshold", "0.99", "--json", typed="w1 x1\n"))
    assert found["label"] is None and found["labels"] == []
    assert best.chosen(threshold=ranked[0][1]).labels == best.labels


def test_a_threshold_of_several_labels_that_may_hold():
    several = Prediction(labels=("a",), probabilities=(0.7,), known=("a", "b", "c"), scores=(0.7, 0.4, 0.1), several=True)
    assert several.chosen(threshold=0.3).labels == ("a", "b")
    assert several.chosen(top=3).probabilities == (0.7, 0.4, 0.1)


@pytest.mark.parametrize(
    ("typed", "said"), [(["--top", "0"], "`--top` must be at least 1"), (["--threshold", "2"], "`--threshold` must be")]
)
def test_what_cannot_be_chosen(run, typed, said):
    with pytest.raises(ConfigError, match=said):
        call("predict", run / "run", *typed, typed="a\n")


def test_of_several_labels_the_least_sure_decision_counts_and_their_order_does_not():
    known = {"known": ("a", "b", "c"), "several": True, "tags": None}
    said = Prediction(labels=("a", "b"), probabilities=(0.9, 0.6), scores=[0.9, 0.6, 0.1], **known)
    assert not [*errors_of(Example("here", text="t", labels=("b", "a")), said)]
    (row,) = errors_of(Example("here", text="t", labels=("a",)), said)
    assert row["probability"] == 0.6 and row["label_probability"] == 0.9
    nothing = Prediction(labels=(), probabilities=(), scores=[0.2, 0.3, 0.1], **known)
    (row,) = errors_of(Example("here", text="t", labels=("a",)), nothing)
    assert row["probability"] == 0.7 and row["label_probability"] == 0.2
