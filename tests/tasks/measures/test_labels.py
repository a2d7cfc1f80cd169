import numpy as np
import pytest
from matplotlib.figure import Figure

from unrolled.errors import DataError
from unrolled.labels import literal
from unrolled.tasks.measures.labels import score_labels, score_tags

savefig = Figure.savefig


def test_one_label_each():
    true = [("a",), ("a",), ("b",), ("c",)]
    found = score_labels(true, [("a",), ("b",), ("b",), ("b",)])
    assert found.accuracy == 0.5
    assert found.macro_f1 == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert found.names == ("a", "b", "c")
    assert found.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert found.entity_f1 is None


def test_labels_count_the_same_in_balanced_accuracy_and_those_that_do_not_come_not_at_all():
    found = score_labels([("a",), ("a",), ("a",), ("b",)], [("a",), ("a",), ("c",), ("b",)], learnt=("a", "b", "c", "d"))
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1) / 2)
    assert found.absent == ("c", "d")
    right = score_labels([("a",)], [("a",)], learnt=("a", "b"))
    assert str(right) == "accuracy 100.00%, balanced 100.00%, macro F1 100.00%; not measured, as none is there: 'b'"
    assert right.to_json()["absent"] == ["b"]
    assert score_labels([("a",), ()], [("a",), ()], several=True, learnt=("a", "b")).absent == ("b",)
    assert score_tags([("O",)], [("O",)], spans=True, learnt=("O", "B-x")).absent == ("B-x",)


def test_several_labels_are_right_when_all_of_them_are():
    found = score_labels([("a", "b"), ("b",), ()], [("b", "a"), ("b", "c"), ()], several=True)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.macro_f1 == pytest.approx((1 + 1 + 0) / 3)
    assert (found.micro_f1, found.balanced_accuracy) == (pytest.approx(6 / 7), None)
    assert found.names == ("a", "b", "c")
    assert found.confusion.tolist() == [[[2, 0], [0, 1]], [[1, 0], [0, 2]], [[2, 1], [0, 0]]]


def test_entities_count_when_they_are_wholly_right():
    true = [("B-x", "I-x", "O", "B-y"), ("O", "B-x")]
    predicted = [("B-x", "I-x", "O", "B-x"), ("B-x", "I-x")]
    found = score_tags(true, predicted, spans=True)
    precision, recall = 1 / 3, 1 / 3
    assert found.entities == pytest.approx((precision, recall, 1 / 3))
    assert found.macro_entity_f1 == pytest.approx((0.4 + 0) / 2)
    assert found.accuracy == pytest.approx(3 / 6)
    assert found.size == 6


def test_tags_of_other_kinds_have_no_entities():
    assert score_tags([("B-x", "O")], [("B-x", "O")], spans=False).entities is None


@pytest.mark.parametrize(
    ("several", "columns", "counts"),
    [(False, ["a", "b"], "2 1"), (True, ["true negatives", "false positives", "false negatives", "true positives"], "1 2 2 1")],
)
def test_the_picture_has_every_count(tmp_path, monkeypatch, several, columns, counts):
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *given, **more: drawn.append(figure) or savefig(figure, *given, **more))
    score_labels([("a",), ("b",), ("a",)], [("b",), ("b",), ("b",)], several=several).draw(tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"
    (axes,) = drawn[0].axes
    assert [label.get_text() for label in axes.get_xticklabels()] == columns
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert " ".join(text.get_text() for text in axes.texts) == counts


def test_labels_of_which_none_or_one_ever_holds_are_measured(tmp_path):
    none = score_labels([(), ()], [(), ()], several=True)
    assert (none.size, none.accuracy, none.macro_f1, none.names) == (2, 1, 0, ())
    one = score_labels([("a",), ("a",), ()], [("a",), (), ()], several=True)
    assert (one.size, one.accuracy, one.macro_f1, one.names) == (3, pytest.approx(2 / 3), pytest.approx(2 / 3), ("a",))
    assert one.confusion.tolist() == [[[1, 0], [1, 1]]]
    assert "a " in one.report
    one.draw(tmp_path / "c.png")
    with pytest.raises(DataError, match="no label to draw"):
        none.draw(tmp_path / "c.png")


def test_nothing_found_is_no_warning():
    found = score_tags([("B-x",)], [("O",)], spans=True)
    assert found.entities == (0, 0, 0)
    assert np.trace(found.confusion) == 0
    assert score_tags([("O", "O")], [("O", "O")], spans=True).entities == (0, 0, 0)


def test_labels_stand_beside_the_most_frequent_one_of_what_was_learnt():
    true, said = [("a",), ("a",), ("b",), ("c",)], [("a",), ("b",), ("b",), ("b",)]
    found = score_labels(true, said, frequent="a")
    assert found.baseline == 0.5
    assert str(found) == "accuracy 50.00% (always 'a': 50.00%), balanced 50.00%, macro F1 38.89%"
    assert found.text.endswith(f"\n{found}, over 4 sequences") and found.text.startswith(found.report)
    assert found.to_json() == {
        "accuracy": 0.5,
        "balanced_accuracy": 0.5,
        "macro_f1": found.macro_f1,
        "baseline_accuracy": 0.5,
        "absent": [],
        "sequences": 4,
    }
    assert score_labels(true, said, frequent="c").baseline == 0.25
    assert score_labels(true, said, frequent="never seen here").baseline == 0
    alone = score_labels(true, said)
    assert alone.to_json()["baseline_accuracy"] is None and "always" not in str(alone)


def test_several_labels_stand_beside_saying_none():
    found = score_labels([("a", "b"), (), ()], [("a",), (), ("b",)], several=True, frequent="a")
    assert found.baseline == pytest.approx(2 / 3)
    assert "accuracy 33.33% (no label: 66.67%)" in str(found)
    assert found.to_json()["baseline_accuracy"] == found.baseline
    assert score_labels([(), ()], [(), ()], several=True).baseline == 1


def test_tags_stand_beside_the_most_frequent_one_of_what_was_learnt_step_by_step():
    true = [("B-x", "I-x", "O", "B-y"), ("O", "O")]
    found = score_tags(true, [("O", "O", "O", "B-y"), ("O", "B-x")], spans=True, frequent="O")
    assert found.baseline == 0.5
    assert str(found).endswith("accuracy 50.00% (always 'O': 50.00%)")
    assert found.to_json() == {
        "accuracy": 0.5,
        "balanced_accuracy": pytest.approx((2 / 3 + 1 + 0 + 0) / 4),
        "macro_f1": found.macro_f1,
        "macro_entity_f1": 0.5,
        "absent": [],
        "entity_precision": 0.5,
        "entity_recall": 0.5,
        "entity_f1": 0.5,
        "baseline_accuracy": 0.5,
        "tokens": 6,
    }
    alone = score_tags(true, true, spans=False, frequent="B-y").to_json()
    assert (alone["baseline_accuracy"], alone["tokens"]) == (1 / 6, 6)


@pytest.mark.parametrize("label", ["$", "$x$", r"$\frac{$", r"\$", "x" * 100_000, "_x", "\udcff"])
def test_a_label_is_drawn_as_it_is_and_no_longer_than_fits(tmp_path, label):
    score_labels([("a",), (label,)], [("a",), ("a",)]).draw(tmp_path / "c.png")
    assert (tmp_path / "c.png").stat().st_size > 1000
    assert len(literal(label)) <= 61 and "x$" not in literal("$x$").replace(r"\$", "")
