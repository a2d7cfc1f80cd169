"""What the first rows of a table say of its header and of its columns."""

import pytest

from unrolled.data.formats.guesses import are_classes, find_free, find_header, find_input, find_target


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ("0 1|good|bad", True),
        ("5 6|good x|bad y", False),
        ("0 1|good 5|bad 6", True),
        ("0 1|4 5|8 6", False),
        ("0 label|good x|bad y", False),
        ("label 1 2|x good 5|y bad 6", True),
        ("mood 1 2|x good 5|y bad 6", False),
        ("mood 0 1|x good 5|y bad 6", False),
        ("text mood 1 2|x a good 5|y b bad 6", False),
        ("sun mood -|rain sad x|wind glad y", False),
        ("- headline mood|u7 rain x|u3 sun y", True),
        ("sun mood -|rain sad -|wind glad -", True),
        ("text label|rain x|text y", True),
        ("text joy|rain gloom|text joy", False),
        ("good good|rain sun|wind snow", False),
        ("headline mood|rain 5|sun 6", True),
        ("so-so! fine|rain 5|sun 6", True),
        ("so-so! fine|rain x|sun y", False),
        ("CaseID Happened!|rain x|sun y", False),
        ("CaseID Event|rain! x|sun y", True),
    ],
)
def test_a_first_row_of_names_is_a_header(rows: str, header: bool) -> None:
    cells = [[cell.replace("-", "") if cell == "-" else cell for cell in row.split()] for row in rows.split("|")]
    width = max(map(len, cells))
    assert find_header([[*row, *[""] * (width - len(row))] for row in cells]) == header


@pytest.mark.parametrize(
    ("header", "rows", "free"),
    [
        (["Unnamed: 0", "note"], [["a b", "x"], ["c", "y"]], [0, 1]),
        (["Unnamed: 0", "note"], [["7", "x"], ["3", "y"]], [1]),
        (["Unnamed: 0", "note"], [["a b", "x"], ["", "y"], ["", "z"]], [1]),
        (["id", "note"], [["a b", "x"], ["c", "y"]], [1]),
        (["n", "note"], [["4", "x"], ["5", "y"], ["6", "y"]], [1]),
        (["n", "note"], [["4", "x"], ["5", "y"], ["7", "y"]], [0, 1]),
        (["n", "note"], [["", "x"], ["", "y"]], [1]),
        (None, [["1", "x"], ["2", "y"]], [0, 1]),
    ],
)
def test_columns_that_tell_rows_apart_or_are_empty_say_nothing(header: list[str] | None, rows: list[list[str]], free: list[int]) -> None:
    assert find_free(header, rows, 2) == free


def test_the_input_of_two_columns_is_beside_the_label_or_the_longer_one() -> None:
    for at, row in enumerate((["a b c", "x"], ["x", "a b c"])):
        assert find_input(None, [row] * 3, [0, 1]) == at
        assert find_input(["label", "note"], [row] * 3, [0, 1]) == 1
    assert find_input(["CaseID", "Event"], [["a", "b"]], [0, 1]) is None


CLASSES = ["x", "y", "x", "y", "y", "x"]


@pytest.mark.parametrize(
    ("longer", "found"),
    [("a text of so many words, all told {}", 1), ("a text {}", None), ("oneverylongwordofmanyletterswithoutblanks{}", None)],
)
def test_the_input_of_several_columns_is_by_far_the_longest_text(longer: str, found: int | None) -> None:
    rows = [[f"title {n}", longer.format(n), cell] for n, cell in enumerate(CLASSES)]
    assert find_input(None, rows, [0, 1, 2]) == found


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (CLASSES, True),
        (list("010110"), True),
        (sorted(CLASSES), False),
        (["x"] * 6, False),
        (["x", "y", "z", "x", "y", "z"], False),
        (["0.5", "1.5"] * 3, False),
        (["x", ""] * 3, False),
    ],
)
def test_classes_come_often_and_in_turn(cells: list[str], classes: bool) -> None:
    assert are_classes(cells) == classes


def test_a_label_is_not_clear_beside_a_column_that_may_be_one_in_order() -> None:
    assert find_target(None, [0, 1], [[cell, str(n / 2)] for n, cell in enumerate(CLASSES)]) == 0
    assert find_target(None, [0, 1], [*map(list, zip(CLASSES, sorted(CLASSES), strict=True))]) is None
