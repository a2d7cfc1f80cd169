"""What is true of drawings whose items are known."""

import pytest

from checkers.drawings import Drawing, truth


def item(colour, shape="square", x=40, y=40, size=20):
    return {"color": colour, "type": shape, "x_loc": x, "y_loc": y, "size": size}


BLUE = "#0099ff"
TOWERS = Drawing(
    [[item("Yellow", y=80), item("Black", y=60), item(BLUE, y=40)], [item("Yellow", y=60), item("Black", y=80)], [item("Black", y=80)]]
)
SCATTERED = Drawing(
    [
        [item(BLUE, "triangle", 0, 30, 10), item(BLUE, "circle", 50, 80, 20)],
        [item("Black", "circle", 20, 20), item("Black", x=80, y=0)],
        [item("Yellow", x=30, y=30), item("Black", "triangle", 60, 60, 30), item(BLUE, x=10, y=10)],
    ]
)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("There is 1 tower with a yellow block at the base.", True),
        ("There are two towers with a yellow block at the base", False),
        ("there is exactly one tower with a blue block on the top", True),
        ("there is a blue block as the top of a tower with exactly three blocks", True),
        ("there is a blue block as the top of a tower with at most two blocks", False),
        ("there are at least two towers with two blocks", False),
        ("there are at least two towers with at least two blocks", True),
        ("there are exactly two towers with exactly two blocks", False),
        ("there is a tower with a blue block over a black block", True),
        ("there is a tower with a blue block over a yellow block", False),
        ("there is only one black tower", True),
        ("there are more than one black tower", False),
        ("there are less than two black towers", True),
    ],
)
def test_sentences_about_towers(sentence, expected):
    assert truth(sentence, TOWERS) is expected


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("There is a box with only blue items.", True),
        ("there is a box with only yellow items", False),
        ("there are exactly two boxes with items of only one color", True),
        ("there are at least two boxes with items of all 3 colors", False),
        ("there is a box with items of 3 different colors", True),
        ("there is a box with exactly 2 items of only 3 colors", False),
        ("there are two boxes with at least two black items", False),
        ("there is a box with exactly two black items", True),
        ("there is a blue triangle touching the wall", True),
        ("there is a blue triangle touching the right wall", False),
        ("there is a black square touching the top", True),
        ("there is a black square touching a corner of a box", True),
        ("there is a blue triangle touching a corner", False),
        ("there is a blue circle touching the bottom", True),
        ("there is exactly one black circle not touching any edge", True),
        ("there is a yellow square touching the edge", False),
        ("there are exactly 3 blue items", True),
        ("there are at most 2 circles", True),
        ("there are two circles", True),
        ("there is one circle", False),
        ("there is a circle", True),
        ("exactly two black squares", False),
        ("a black tower", False),
        ("there is a red square", None),
        ("the dog runs", None),
    ],
)
def test_sentences_about_items_that_lie_anywhere(sentence, expected):
    assert truth(sentence, SCATTERED) is expected
