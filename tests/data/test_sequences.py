import itertools

import numpy as np
import pytest

from unrolled.data.examples import Example
from unrolled.data.sequences import cut, gather
from unrolled.errors import DataError

SOME = [
    Example("a, line 1", text="The cat, the dog.", labels=("pets",)),
    Example("a, line 2", tokens=("a", "cat", "cat"), labels=("pets", "wild"), tags=("D", "N", "N")),
    Example("a, line 3", tokens=("dog",), tags=("N",)),
]


def test_steps_lie_one_after_the_other_and_different_strings_once():
    found = gather(SOME, "word")
    assert found.starts.tolist() == [0, 6, 9, 10]
    assert [found.table[i] for i in found.tokens] == ["The", "cat", ",", "the", "dog", ".", "a", "cat", "cat", "dog"]
    assert len(set(found.table)) == len(found.table)
    assert [found.names[n] if n >= 0 else None for n in found.tags] == [None] * 6 + ["D", "N", "N", "N"]
    assert [[found.names[n] for n in found.label_sets[i]] if i >= 0 else None for i in found.labels] == [["pets"], ["pets", "wild"], None]
    assert found.steps(np.array([2, 0])).tolist() == [9, 0, 1, 2, 3, 4, 5]


def test_texts_are_cut_at_the_level_that_is_asked_for():
    assert cut("Hm, no\nyes", "char") == list("Hm, no\nyes")
    assert cut("Hm, no\nyes", "word") == cut("Hm, no\nyes", "both") == ["Hm", ",", "no", "yes"]


def test_numbers_are_kept_beside_tokens():
    numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
    found = gather([Example("a", tokens=("x", "y"), numbers=numbers), Example("b", tokens=("y",), numbers=numbers[1:])], "word")
    assert found.numbers.tolist() == [[0, 1, 2], [3, 4, 5], [3, 4, 5]]


def test_the_fingerprint_tells_every_difference():
    other = [
        SOME[:2],
        [*SOME[:2], Example("", tokens=("dog",), tags=("D",))],
        [*SOME[:2], Example("", tokens=("dogs",), tags=("N",))],
        [*SOME[:2], Example("", tokens=("dog",), tags=("N",), labels=("x",))],
    ]
    prints = [gather(examples, "word").fingerprint for examples in (SOME, *other)]
    assert len(set(prints)) == 5
    assert gather(list(SOME), "word").fingerprint == prints[0]


def test_pieces_are_the_same_steps():
    found = gather(SOME, "word")
    pieces = found.in_pieces(4)
    assert pieces.starts.tolist() == [0, 4, 6, 9, 10]
    assert pieces.tokens is found.tokens
    assert len(pieces.labels) == 4


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
    found = gather([example], "word").in_pieces(window)
    named = [[found.names[tag] for tag in found.tags[a:b]] for a, b in itertools.pairwise(found.starts)]
    assert named == [piece.split() for piece in pieces.split("|")]


def test_pieces_of_tags_that_mark_no_spans_are_all_alike():
    found = gather([Example("1", tokens=("a",) * 5, tags=("B-x", "I-x", "I-x", "I-x", "I-x"), scheme="none")], "word").in_pieces(2)
    assert found.starts.tolist() == [0, 2, 4, 5]
    assert [found.names[tag] for tag in found.tags] == ["B-x", "I-x", "I-x", "I-x", "I-x"]


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([Example("f.csv, line 7", text=" ")], "f.csv, line 7: the sequence is empty"),
        ([Example("f, line 7", tokens=("a",), tags=("X", "Y"))], "f, line 7: there must be one tag for each of the 1 steps, got 2"),
        (
            [Example("f", text="a"), Example("g", numbers=np.zeros((2, 3), np.float32))],
            "g: the sequence has no tokens and 3 channels",
        ),
    ],
)
def test_what_cannot_be_is_named(examples, message):
    with pytest.raises(DataError, match=message):
        gather(examples, "word")


def test_channels_in_another_order_are_named():
    numbers = np.zeros((2, 2), np.float32)
    some = [Example(p, numbers=numbers, record={"channels": names}) for p, names in (("a", ("x", "y")), ("b, line 2", ("y", "x")))]
    with pytest.raises(DataError, match=r"b, line 2: the channels are y, x.*--channels x --channels y"):
        gather(some, "word")
