"""What was said wrongly, how far probabilities can be believed, and which labels are said."""

import csv
import json

import numpy as np
import pytest

import unrolled as un
from at_the_terminal import call
from unrolled.data.examples import Example, Prediction
from unrolled.errors import ConfigError
from unrolled.tasks.measures.calibration import calibrate
from unrolled.tasks.sequences.errors import errors_of
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
    said = Prediction(tags=("D", "V", "V"), probabilities=(0.9, 0.75, 0.8))
    assert errors_of([(example, said)]) == [
        {"place": "a, line 3, step 2", "input": "the [cat] sat", "label": "N", "answer": "V", "probability": 0.75}
    ]


def test_numbers_are_sorted_by_how_far_they_are_off():
    rows = errors_of(
        (Example(f"{n}", name=f"s{n}", values=np.array([1.0, float(n)])), Prediction(values=np.array([1.5, 0.0]))) for n in range(3)
    )
    assert [(row["input"], row["error"]) for row in rows] == [("s2", 2.0), ("s1", 1.0), ("s0", 0.5)]


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
    assert not errors_of([(Example("here", text="t", labels=("b", "a")), said)])
    (row,) = errors_of([(Example("here", text="t", labels=("a",)), said)])
    assert row["probability"] == 0.6
    nothing = Prediction(labels=(), probabilities=(), scores=[0.2, 0.3, 0.1], **known)
    (row,) = errors_of([(Example("here", text="t", labels=("a",)), nothing)])
    assert row["probability"] == 0.7
