"""Datasets: what examples become, and what is told of those that cannot be."""

import itertools
import re

import numpy as np
import pytest

from unrolled.data import columns
from unrolled.data.dataset import NUMBERS, STEP_VALUES, TAGS, TOKENS, cut_text, gather
from unrolled.data.examples import Example
from unrolled.errors import DataError

SOME = [
    Example("a, line 1", text="The cat, the dog.", labels=("pets",)),
    Example("a, line 2", tokens=("a", "cat", "cat"), labels=("pets", "wild"), tags=("D", "N", "N")),
    Example("a, line 3", tokens=("dog",), tags=("N",)),
]


def every(found, name):
    """All elements of a column."""
    elements = found.columns[name].elements
    return elements.read(0, len(elements))


def targets(number, **values):
    """An example of two steps, or as many as it has numbers to predict for steps."""
    values = {name: np.array(value, np.float64) for name, value in values.items()}
    steps = len(values["values"]) if values and values["values"].ndim == 2 else 2
    return Example(f"f, line {number}", numbers=np.full((steps, 1), number, np.float32), **values)


@pytest.fixture(params=[columns.IN_MEMORY, 8])
def each_place(request, monkeypatch):
    """Columns in memory, and in files."""
    monkeypatch.setattr(columns, "IN_MEMORY", request.param)


@pytest.mark.usefixtures("each_place")
def test_steps_lie_one_after_the_other_and_different_strings_once():
    found = gather(SOME, "word")
    assert (len(found), found.starts.tolist(), found.lengths.tolist()) == (3, [0, 6, 9, 10], [6, 3, 1])
    assert [found.table[i] for i in every(found, TOKENS)] == ["The", "cat", ",", "the", "dog", ".", "a", "cat", "cat", "dog"]
    assert len(set(found.table)) == len(found.table)
    assert [found.names[n] if n >= 0 else None for n in every(found, TAGS)] == [None] * 6 + ["D", "N", "N", "N"]
    assert [[found.names[n] for n in found.label_sets[i]] if i >= 0 else None for i in found.labels] == [["pets"], ["pets", "wild"], None]
    assert [found.table[i] for i in found.columns[TOKENS].take(np.array([2, 0]))] == ["dog", "The", "cat", ",", "the", "dog", "."]
    assert all(column.starts is found.starts for column in found.columns.values())
    assert found.columns.keys() == {TOKENS, TAGS} and found.values.shape == (3, 0) and found.numbers == 0


@pytest.mark.usefixtures("each_place")
def test_what_is_asked_of_tokens_is_answered_from_the_table():
    found = gather(SOME, "word")
    assert found.tokens(0, 4) == ["The", "cat", ",", "the"]
    assert found.tokens(1, 9) == ["a", "cat", "cat"]
    assert found.token_counts(np.array([1, 2])) == {"a": 1, "cat": 2, "dog": 1}
    none = gather([targets(1)], "word")
    assert none.tokens(0, 4) == [] and none.token_counts(np.array([0])) == {}


def test_texts_are_cut_at_the_level_that_is_asked_for():
    assert cut_text("Hm, no\nyes", "char") == list("Hm, no\nyes")
    assert cut_text("Hm, no\nyes", "word") == cut_text("Hm, no\nyes", "both") == ["Hm", ",", "no", "yes"]


@pytest.mark.usefixtures("each_place")
def test_numbers_are_kept_beside_tokens():
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = gather([Example("a", tokens=("x", "y"), numbers=numbers), Example("b", tokens=("y",), numbers=numbers[1:])], "word")
    assert every(found, NUMBERS).tolist() == [[0, 1, 2], [3, 4, 5], [3, 4, 5]]
    assert found.columns[NUMBERS].take(np.array([1, 0])).tolist() == [[3, 4, 5], [0, 1, 2], [3, 4, 5]]
    assert found.numbers == 3


def test_numbers_to_predict_of_whole_sequences_are_nan_where_nothing_is_said():
    found = gather([targets(1), targets(2, values=[3, 4]), targets(3, values=[5, 6])], "word")
    np.testing.assert_array_equal(found.values, [[np.nan, np.nan], [3, 4], [5, 6]])
    assert found.columns.keys() == {NUMBERS, TAGS}


@pytest.mark.usefixtures("each_place")
def test_numbers_to_predict_of_steps_are_nan_where_nothing_is_said():
    found = gather([targets(1), targets(2, values=[[3, 4], [5, 6], [7, 8]]), targets(3), targets(4, values=[[9, 0]])], "word")
    nan = [[np.nan] * 2] * 2
    np.testing.assert_array_equal(every(found, STEP_VALUES), [*nan, [3, 4], [5, 6], [7, 8], *nan, [9, 0]])
    np.testing.assert_array_equal(found.columns[STEP_VALUES].take(np.array([3, 1])), [[9, 0], [3, 4], [5, 6], [7, 8]])
    assert found.values.shape == (4, 0), "nothing is said of whole sequences"
    pieces = found.in_pieces(2)
    assert pieces.starts.tolist() == [0, 2, 4, 5, 7, 8]
    np.testing.assert_array_equal(pieces.columns[STEP_VALUES].take(np.array([2, 1])), [[7, 8], [3, 4], [5, 6]])


@pytest.mark.usefixtures("each_place")
def test_tags_may_be_missing_anywhere():
    some = [
        Example("", tokens=("a",) * n, tags=("X",) * n if tagged else None)
        for n, tagged in ((2, 0), (1, 1), (3, 0), (1, 0), (2, 1), (1, 0))
    ]
    assert every(gather(some, "word"), TAGS).tolist() == [-1, -1, 0, -1, -1, -1, -1, 0, 0, -1]


def test_the_fingerprint_tells_every_difference():
    other = [
        SOME[:2],
        [*SOME[:2], Example("", tokens=("dog",), tags=("D",))],
        [*SOME[:2], Example("", tokens=("dogs",), tags=("N",))],
        [*SOME[:2], Example("", tokens=("dog",), tags=("N",), labels=("x",))],
        [*SOME[:2], Example("", tokens=("dog",), tags=("N",), values=np.array([1.0]))],
        [*SOME[:2], Example("", tokens=("dog",), tags=("N",), values=np.array([[1.0]]))],
    ]
    prints = [gather(examples, "word").fingerprint for examples in (SOME, *other)]
    assert len(set(prints)) == 7
    assert gather(list(SOME), "word").fingerprint == prints[0]


def test_the_fingerprint_tells_how_numbers_are_divided():
    numbers = np.arange(6, dtype=np.float32)
    divided = ([(6, 1)], [(1, 6)], [(2, 3)], [(4, 1), (2, 1)])
    prints = set()
    for shapes in divided:
        parts = np.split(numbers, np.cumsum([t * c for t, c in shapes])[:-1])
        prints.add(
            gather([Example("", numbers=part.reshape(shape)) for part, shape in zip(parts, shapes, strict=True)], "word").fingerprint
        )
    assert len(prints) == 4


def test_the_fingerprint_is_the_same_wherever_columns_lie(monkeypatch):
    held = gather(SOME, "word")
    monkeypatch.setattr(columns, "IN_MEMORY", 8)
    laid = gather(SOME, "word")
    assert isinstance(held.columns[TOKENS].elements, columns.InMemory) and isinstance(laid.columns[TOKENS].elements, columns.Mapped)
    assert held.fingerprint == laid.fingerprint != gather(SOME, "char").fingerprint


def test_the_progress_is_told_at_every_thousandth():
    told = []
    gather((targets(i) for i in range(2500)), "word", progress=told.append)
    assert told == [1000, 2000]


@pytest.mark.usefixtures("each_place")
def test_pieces_are_the_same_steps():
    found = gather(SOME, "word")
    pieces = found.in_pieces(4)
    assert pieces.starts.tolist() == [0, 4, 6, 9, 10]
    assert pieces.columns[TOKENS].elements is found.columns[TOKENS].elements
    assert all(column.starts.tolist() == pieces.starts.tolist() for column in pieces.columns.values())
    assert every(pieces, TAGS).tolist() == every(found, TAGS).tolist()
    assert pieces.labels.tolist() == [-1] * 4 and pieces.values.shape == (4, 0)


def test_pieces_have_nothing_of_what_was_said_of_whole_sequences():
    pieces = gather([targets(1, values=[3, 4]), targets(2, values=[5, 6])], "word").in_pieces(1)
    assert pieces.values.shape == (4, 2) and np.isnan(pieces.values).all()


@pytest.mark.usefixtures("each_place")
@pytest.mark.parametrize(
    ("tags", "window", "pieces"),
    [
        ("O B-x I-x O O B-x I-x", 2, "O | B-x I-x | O O | B-x I-x"),
        ("O B-x I-x I-x O O B-x I-x", 5, "O B-x I-x I-x O | O B-x I-x"),
        ("O B-x I-x I-x I-x I-x O", 3, "O | B-x I-x I-x | B-x I-x O"),
        ("B I I B I", 2, "B I | B | B I"),
        ("B-x I-x B-y I-y", 1, "B-x | B-x | B-y | B-y"),
    ],
)
def test_pieces_do_not_begin_inside_a_span(tags, window, pieces):
    example = Example("1", tokens=("a",) * len(tags.split()), tags=tuple(tags.split()), scheme="bio")
    whole = gather([example], "word")
    found = whole.in_pieces(window)
    named = [[found.names[tag] for tag in every(found, TAGS)[a:b]] for a, b in itertools.pairwise(found.starts)]
    assert named == [piece.split() for piece in pieces.split("|")]
    assert [whole.names[tag] for tag in every(whole, TAGS)] == tags.split(), "the whole sequence is as it was"


def test_pieces_of_tags_that_mark_no_spans_are_all_alike():
    found = gather([Example("1", tokens=("a",) * 5, tags=("B-x", "I-x", "I-x", "I-x", "I-x"), scheme="none")], "word").in_pieces(2)
    assert found.starts.tolist() == [0, 2, 4, 5]
    assert [found.names[tag] for tag in every(found, TAGS)] == ["B-x", "I-x", "I-x", "I-x", "I-x"]


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([Example("f.csv, line 7", text=" ")], "f.csv, line 7: the sequence is empty"),
        ([Example("f, line 7", tokens=("a",), tags=("X", "Y"))], "f, line 7: there must be one tag for each of the 1 steps, got 2"),
        (
            [Example("f", tokens=("a",), values=np.zeros((3, 2)))],
            "f: there must be one target for each of the 1 steps, got 3",
        ),
        (
            [Example("f", text="a"), Example("g", numbers=np.zeros((2, 3), np.float32))],
            "g: the sequence has no tokens and 3 channels",
        ),
        *(
            ([Example("f, line 7", numbers=np.array([[0, value]], np.float32))], "f, line 7: numbers must be finite, or NaN")
            for value in (np.inf, -np.inf)
        ),
        (
            [targets(1, values=[1, 2]), targets(2), targets(3, values=[1])],
            "f, line 3: there are 1 numbers to predict, and 2 in those before",
        ),
        (
            [targets(1, values=[[1], [2]]), targets(2), targets(3, values=[[1, 2], [3, 4]])],
            "f, line 3: there are 2 numbers to predict, and 1 in those before",
        ),
    ],
)
def test_what_cannot_be_is_named(examples, message):
    with pytest.raises(DataError, match=message):
        gather(examples, "word")


def test_channels_in_another_order_are_named():
    numbers = np.zeros((2, 2), np.float32)
    some = [Example(p, numbers=numbers, channels=names) for p, names in (("a", ("x", "y")), ("b, line 2", ("y", "x")))]
    with pytest.raises(
        DataError, match=re.escape("b, line 2: the channels are y, x, those of the first sequence x, y. Pass `channels=['x', 'y']`")
    ):
        gather(some, "word")
    assert gather([*some[:1], Example("c", numbers=numbers)], "word").channels == ("x", "y")


def test_no_examples_are_an_empty_dataset():
    found = gather([], "word")
    assert (len(found), found.starts.tolist(), found.table, found.names, found.values.shape) == (0, [0], (), (), (0, 0))
