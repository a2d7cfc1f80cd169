import numpy as np
import pytest

from unrolled.tasks.labelling.scores import score_labels, score_tags


def test_one_label_each():
    true = [("a",), ("a",), ("b",), ("c",)]
    found = score_labels(true, [("a",), ("b",), ("b",), ("b",)])
    assert found.accuracy == 0.5
    assert found.macro_f1 == pytest.approx((2 / 3 + 0.5 + 0) / 3)
    assert found.names == ("a", "b", "c")
    assert found.confusion.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert found.entity_f1 is None
    assert found.decisive == 0.5


def test_several_labels_are_right_when_all_of_them_are():
    found = score_labels([("a", "b"), ("b",), ()], [("b", "a"), ("b", "c"), ()], several=True)
    assert found.accuracy == pytest.approx(2 / 3)
    assert found.macro_f1 == pytest.approx((1 + 1 + 0) / 3)


def test_entities_count_when_they_are_wholly_right():
    true = [("B-x", "I-x", "O", "B-y"), ("O", "B-x")]
    predicted = [("B-x", "I-x", "O", "B-x"), ("B-x", "I-x")]
    found = score_tags(true, predicted, spans=True)
    precision, recall = 1 / 3, 1 / 3
    assert found.entities == pytest.approx((precision, recall, 1 / 3))
    assert found.accuracy == pytest.approx(3 / 6)
    assert found.size == 6
    assert found.decisive == found.entity_f1


def test_tags_of_other_kinds_have_no_entities():
    assert score_tags([("B-x", "O")], [("B-x", "O")], spans=False).entities is None


def test_the_picture_is_one(tmp_path):
    score_labels([("a",), ("b",)], [("b",), ("b",)]).draw(tmp_path / "c.png")
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"


def test_nothing_found_is_no_warning():
    found = score_tags([("B-x",)], [("O",)], spans=True)
    assert found.entities == (0, 0, 0)
    assert np.trace(found.confusion) == 0
    assert score_tags([("O", "O")], [("O", "O")], spans=True).entities == (0, 0, 0)
