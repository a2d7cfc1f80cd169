"""Numbers with decimal commas and marks between thousands are the numbers that pandas reads when it is told how they are written."""

import io
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples, resolve_format, write_predictions
from unrolled.data.formats.decimals import Decimals, pointed
from unrolled.data.formats.rows import open_rows
from unrolled.data.numerals import as_number
from unrolled.data.panels.cells import numbers_of
from unrolled.data.panels.tables import read_table
from unrolled.errors import DataError, UnrolledWarning
from unrolled.tasks.looking import look

pandas = pytest.importorskip("pandas")

LABELS, VALUES, STEPS = Target.LABELS, Target.VALUES, Target.STEP_VALUES
GERMAN = "label;t0;t1;t2;t3\nup;0,5;1,234;2.345,75;4\ndown;9;8,5;-7,25;1.000.000,5\nup;1;2;3;4\n"
FRENCH = "label;t0;t1;t2\nhaut;1\u202f234,5;2,5;3\nbas;12\xa0000,25;0,25;4\n"


@pytest.mark.parametrize(
    ("cells", "delimiter", "expected"),
    [
        (["1,5", "2", "1.234,5", "1.234"], ";", ["1.5", "2", "1234.5", "1234"]),
        (["1,5e3", " -2,5 ", ",5"], "\t", ["1.5e3", "-2.5", ".5"]),
        (["1,234.5", "2,000", "0.5"], ",", ["1234.5", "2000", "0.5"]),
        (["1'234.50", "7"], "\t", ["1234.50", "7"]),
        (["1\xa0234", "7"], "\t", ["1234", "7"]),
        (["1.234.567"], ";", ["1234567"]),
        (["0,123"], "\t", ["0.123"]),
        (["1.234", "2.345"], ";", ["1.234", "2.345"]),
        (["1,234"], "\t", ["1,234"]),
        (["1,234", "1.234"], ";", ["1,234", "1.234"]),
        (["0,5", "0.5"], ";", ["0,5", "0.5"]),
        (["a,b", "31.12.2023", "1.2.3", "1,2,3", "1,23,456"], ";", ["a,b", "31.12.2023", "1.2.3", "1,2,3", "1,23,456"]),
    ],
)
def test_a_column_says_how_its_numbers_are_written(cells: list[str], delimiter: str, expected: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnrolledWarning)
        decimals = Decimals(Path("a.csv"), delimiter, ["x"], [[cell] for cell in cells])
        assert [decimals.plain(0, cell) for cell in cells] == expected
    if delimiter == ";":
        assert pointed(cells) == expected


@pytest.mark.parametrize(
    ("cell", "delimiter", "other", "told"),
    [("1,234", ";", "x", "1.234"), ("1,234", ",", "x", "1234"), ("1,234", ";", "0.5", "1234"), ("1.234", ";", "0,5", "1234")],
)
def test_what_may_be_two_numbers_is_told_once(cell: str, delimiter: str, other: str, told: str) -> None:
    decimals = Decimals(Path("a.csv"), delimiter, ["price", "other"], [[cell, other]])
    with pytest.warns(UnrolledWarning, match=f"^a.csv, column 'price': '{cell}' is read as {told}. If it is another number"):
        assert decimals.plain(0, cell) == told
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decimals.plain(0, cell) == told


@pytest.mark.parametrize(("delimiter", "expected"), [(";", "1234"), ("\t", "1.234")])
def test_a_point_divides_thousands_beside_decimal_commas_between_semicolons_alone(delimiter: str, expected: str) -> None:
    decimals = Decimals(Path("a.csv"), delimiter, ["price", "other"], [["1.234", "0,5"]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnrolledWarning)
        assert decimals.plain(0, "1.234") == expected


@pytest.mark.parametrize(
    ("cells", "told"), [(["995", "1.000", "1.005"], 1), (["995", "1000", "1.005"], 0), (["1.500", "1.005"], 0), (["9", "1.0"], 0)]
)
@pytest.mark.parametrize("delimiter", [";", ","])
def test_points_that_may_divide_thousands_are_told_beside_whole_numbers(cells: list[str], told: int, delimiter: str) -> None:
    decimals = Decimals(Path("a.csv"), delimiter, ["value"], [[cell] for cell in cells])
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        assert [decimals.plain(0, cell) for cell in cells] == cells
    assert ["'1.000' is read as 1. If it is another number" in str(one.message) for one in found] == [True] * told


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["12 %", "7.5 %", "n/a"], [12, 7.5, None]),
        (["$1,200.50", "-$3", "$-4"], [1200.5, -3, -4]),
        (["1.200,5\xa0€", "7 €"], [1200.5, 7]),
        (["3.5 kg", "1e3 kg", "2 g"], None),
        (["3.5 kg", "1e3 kg", "", "−2 kg"], [3.5, 1000, None, -2]),
        (["3.5m/s", "2m/s"], [3.5, 2]),
        (["12 %", "0.5"], None),
        (["12 %", "about 3 %"], None),
        (["1 nan", "2 nan"], None),
        (["1 inf", "2 inf"], None),
        (["4:55:49", "1/2", "2020-01-01", "1-2", "a1", "2020Q1", "%"], None),
    ],
)
def test_a_unit_that_all_numbers_have_is_no_part_of_them(cells: list[str], numbers: list[float | None] | None) -> None:
    decimals = Decimals(Path("a.csv"), ",", ["x"], [[cell] for cell in cells])
    if numbers is None:
        assert [decimals.plain(0, cell) for cell in cells] == cells
        return
    with pytest.warns(UnrolledWarning, match=f"^a.csv, column 'x': {re.escape(repr(cells[0]))} is read as {numbers[0]:g}") as told:
        found = [decimals.plain(0, cell) for cell in cells]
    assert len(told) == 1
    assert [as_number(cell) if cell not in ("", "n/a") else None for cell in found] == numbers
    assert decimals.plain(0, "9 lb") == "9 lb" and decimals.guessed([[cells[1]]]) == [[found[1]]] == [decimals.row([cells[1]])]


@pytest.mark.parametrize("content", [GERMAN, FRENCH])
def test_rows_of_numbers(content: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    plain = content.replace("\u202f", "").replace("\xa0", "")
    expected = pandas.read_csv(io.StringIO(plain), sep=";", decimal=",", thousands=".")
    assert resolve_format(path, ReadingOptions(), LABELS).format == "wide"
    found = list(labelled_examples(path, ReadingOptions(), LABELS))
    np.testing.assert_allclose(np.stack([example.numbers[:, 0] for example in found]), expected.iloc[:, 1:], rtol=1e-6)
    file = io.StringIO()
    write_predictions([], file, resolve_format(path, ReadingOptions(), LABELS))
    assert [example.origin[0] for example in found] == [line.split(";") for line in content.splitlines()[1:]]


def test_series_and_what_is_predicted_of_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;x;y\na;0,5;1,25\na;1.500,25;1,25\nb;2;-3,5\n")
    found = list(labelled_examples(path, ReadingOptions(series="id", target="y"), VALUES))
    assert [(example.numbers.ravel().tolist(), example.values.tolist()) for example in found] == [([0.5, 1500.25], [1.25]), ([2], [-3.5])]
    assert [example.labels for example in labelled_examples(path, ReadingOptions(series="id", target="y"), LABELS)] == [
        ("1,25",),
        ("-3,5",),
    ]


def test_numbers_to_predict_of_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text;price\nold chair;1,5\ntable;1.250,75\n")
    found = list(labelled_examples(path, ReadingOptions(target="price"), VALUES))
    assert [(example.text, example.values.tolist(), example.origin[0]) for example in found] == [
        ("old chair", [1.5], ["old chair", "1,5"]),
        ("table", [1250.75], ["table", "1.250,75"]),
    ]
    path.write_text("old chair;1,5\ntable;1,25\n")
    assert [example.values[0] for example in labelled_examples(path, ReadingOptions(input="0", target="1"), VALUES)] == [1.5, 1.25]


def test_columns_with_both_marks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text;price\nchair;1,5\ntable;1.5\n")
    with pytest.raises(DataError, match=r"a.csv, line 2: a target must be a number, got '1,5'"):
        list(read_examples(path, ReadingOptions(target="price"), VALUES))


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("old chair;1,5\ntable;1,25\n", ";"),
        ("1,5;2,5;3,5\n1,5;2,5;3,5\n", ";"),
        ("chair\t1,5\ntable\t2\n", "\t"),
        ('chair,1\n"old; table",2\n', ","),
        ("1,2,3\n4,5,6\n", ","),
        ("text,label\nwell; so,pos\nno,neg\n", ","),
        ("well; so,pos\nno,neg\n", ","),
        ("a, b; c, d; e, f\n1;2;3\n4;5;6\n", ";"),
    ],
)
def test_what_divides_cells_is_not_what_stands_in_numbers(content: str, delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with open_rows(path, "utf-8") as (found, _):
        assert found == delimiter


def test_numbers_over_time(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Datum;Absatz\n" + "".join(f"{day:02}.01.2024;1.{day:03},5\n" for day in range(1, 25)))
    assert numbers_of(read_table(path, "utf-8"), "Absatz", "target").tolist() == [1000 + day + 0.5 for day in range(1, 25)]
    seen = look(path)
    assert seen.task.task == "forecast" and seen.format.columns[1].kind == "numbers" and seen.format.columns[1].first[0] == "1.001,5"


@pytest.mark.parametrize("cell", ["{} %", "${}", "{} kg", "−{}"])
def test_numbers_with_units_are_predicted_and_no_texts(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,price\n" + "".join(f"thing {n} of wood,{cell.format(n + 0.5)}\n" for n in range(30)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnrolledWarning)
        found = look(path)
        values = [example.values[0] for example in labelled_examples(path, ReadingOptions(target="price"), VALUES)]
    assert (found.task.task, found.problem) == ("regress", None)
    assert [abs(value) for value in values] == [n + 0.5 for n in range(30)]
    # A label is what stands there.
    assert next(labelled_examples(path, ReadingOptions(target="price"), LABELS)).labels == (cell.format(0.5),)


def test_numbers_of_which_some_are_missing_are_no_classes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,price\n" + "".join(f"thing {n} of wood,{'?' if n % 4 == 3 else n / 7}\n" for n in range(30)))
    found = look(path)
    assert found.task.task == "regress" and "line 5: a target must be a number, got '?'" in str(found.problem)


def test_look_takes_them_for_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text;price\n" + "".join(f"thing {n} of wood;{n},{n % 10}5\n" for n in range(30)))
    assert look(path).task.task == "regress"
