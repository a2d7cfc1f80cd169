"""Series of numbers in long tables."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import labelled_examples, read_examples, resolve_reading
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.series import LongSeries
from unrolled.errors import ConfigError, DataError, UnrolledWarning

TABLE = """id,t,x,y,state
p,2,5,6,on
q,0,-1,1e3,off
p,0,1,2,on
p,1,3,4,on
q,1,-2,7,off
"""
NAMES = {"series": "id", "time": "t", "target": "state"}
FORMAT = LongSeries()


def read(path: Path, content: str = TABLE, wanted: Target = Target.LABELS, **options):
    path.write_text(content)
    return list(decided(FORMAT.read([path], ReadingOptions(**options), wanted)))


def test_rows_are_gathered_and_sorted(tmp_path: Path) -> None:
    p, q = read(tmp_path / "s.csv", **NAMES)
    assert p.numbers.dtype == np.float32
    assert p.numbers.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert q.numbers.tolist() == [[-1, 1000], [-2, 7]]
    assert [(e.name, e.labels, e.tags) for e in (p, q)] == [("p", ("on",), None), ("q", ("off",), None)]
    assert p.channels == ("x", "y")
    assert p.place == f"{tmp_path / 's.csv'}, line 4"


def test_a_label_for_each_row(tmp_path: Path) -> None:
    content = TABLE.replace("1,3,4,on", "1,3,4,off")
    assert read(tmp_path / "s.csv", content, wanted=Target.TAGS, **NAMES)[0].tags == ("on", "off", "on")
    with pytest.raises(DataError, match="line 5: 'p' has the target 'off' here and 'on' before"):
        read(tmp_path / "s.csv", content, **NAMES)


def test_chosen_channels_in_their_order(tmp_path: Path) -> None:
    assert read(tmp_path / "s.csv", channels=("y", "x"), **NAMES)[1].numbers.tolist() == [[1000, -1], [7, -2]]


ROWS = [(n, t, (7 * n + 3 * t) % 5, "ab"[n // 3]) for n in range(6) for t in range(3)]
"""Series, time in it, a measured number, label: sorted by the label."""


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("", lambda at, n, t: at),
        ("", lambda at, n, t: 97 * at % 18),
        ("Unnamed: 0", lambda at, n, t: 97 * at % 18),
        ("ID", lambda at, n, t: 97 * at % 18),
        ("row", lambda at, n, t: at),
        ("ms", lambda at, n, t: 0.02 * at),
        ("stamp", lambda at, n, t: 1.7e9 + at + at % 2 / 3),
        ("person", lambda at, n, t: 5 * n % 7),
    ],
)
@pytest.mark.parametrize("files", [1, 6])
def test_columns_that_tell_rows_or_series_apart_are_no_channels_unless_named(tmp_path: Path, name: str, cell, files: int) -> None:
    paths = [tmp_path / f"{number}.csv" for number in range(files)]
    for number, path in enumerate(paths):
        rows = [(cell(at, *row[:2]), *row) for at, row in enumerate(ROWS) if files == 1 or row[0] == number]
        path.write_text("\n".join([f"{name},s,t,x,label", *(",".join(map(str, row)) for row in rows)]))
    options = ReadingOptions(series="s", time="t", target="label")
    reading = resolve_reading(paths, replace(options, format="series"), Target.LABELS)
    assert (reading.channels, reading.left) == (("x",), (name or "0",))
    assert {example.channels for example in decided(FORMAT.read(paths, options, Target.LABELS))} == {("x",)}
    named = replace(options, channels=("x", name or "0"))
    assert {example.channels for example in decided(FORMAT.read(paths, named, Target.LABELS))} == {named.channels}


@pytest.mark.parametrize(
    "cell",
    [
        lambda at, n, t: t,
        lambda at, n, t: n % 3,
        lambda at, n, t: n + 0.5,
        lambda at, n, t: at if at != 9 else 3,
        lambda at, n, t: -at,
        lambda at, n, t: 1,
    ],
)
def test_numbers_that_only_look_a_little_like_an_index_are_channels(tmp_path: Path, cell) -> None:
    rows = [f"{n},{t},{x},{cell(at, n, t)},{label}" for at, (n, t, x, label) in enumerate(ROWS)]
    found = read(tmp_path / "a.csv", "\n".join(["s,t,x,y,label", *rows]), series="s", time="t", target="label")
    assert found[0].channels == ("x", "y")


def test_a_table_of_nothing_but_numbers_that_go_up_has_them_as_channels(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "ramp.csv", "x\n" + "\n".join(map(str, range(12))))
    assert only.numbers.ravel().tolist() == list(range(12))


def test_a_file_is_one_series_in_its_own_order(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "walk.csv", "x\n3\n1\n2\n")
    assert (only.name, only.numbers.tolist(), only.labels) == ("walk", [[3], [1], [2]], None)


def test_missing_numbers(tmp_path: Path) -> None:
    content = TABLE.replace("p,1,3,4", "p,1,3,").replace("p,0,1,2", "p,0,NaN,2")
    with pytest.raises(DataError, match=r"line 4, x: the value is missing, one of 2 .*`impute`"):
        read(tmp_path / "s.csv", content, **NAMES)
    np.testing.assert_array_equal(read(tmp_path / "s.csv", content, impute=True, **NAMES)[0].numbers, [[np.nan, 2], [3, 2], [5, 6]])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("p,1,3,4,on", r"line 7: 'p' has a row with this time already, .* line 5"),
        ("p,3,high,4,on", "line 7: x: 'high' is no number; pass `channels`"),
        ("p,3,1e39,4,on", "line 7, x: a value must be a finite"),
        ("p,,3,4,on", "line 7: '' is neither a number nor a date"),
    ],
)
def test_bad_rows(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "s.csv", f"{TABLE}{row}\n", **NAMES)


def test_nothing_but_names_is_no_series(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none of them left for numbers"):
        read(tmp_path / "s.csv", "id,t\n1,2\n", series="id", time="t")


DAYS = ["2024-01-30", "2024-01-31T00:00", "2024/02/01 00:00:00Z"]


@pytest.mark.parametrize(
    "times", [DAYS, ["2024-01", "2024-02", "2024-03"], ["2024-03-30T01:00+01:00", "2024-03-31T02:00+02:00"], [1, 1.1, 1.21]]
)
def test_even_steps_are_passed_over(tmp_path: Path, times: list[object]) -> None:
    rows = "".join(f"{time},{number}\n" for number, time in reversed(list(enumerate(times))))
    (only,) = read(tmp_path / "s.csv", f"t,x\n{rows}", time="t")
    assert only.numbers.ravel().tolist() == list(range(len(times)))


def test_uneven_steps_are_told_once(tmp_path: Path) -> None:
    rows = "".join(f"{name},{time},0\n" for name in "ab" for time in (0, 1, 2, 5, 6))
    with pytest.warns(UnrolledWarning, match=r"line 2: 1 of the 4 steps .* from 1 to 3") as told:
        read(tmp_path / "s.csv", f"id,t,x\n{rows}", series="id", time="t")
    assert len(told) == 1


def test_two_samplings_are_told(tmp_path: Path) -> None:
    rows = "".join(f"{name},{time},0\n" for name, step in (("a", 1), ("b", 0.1)) for time in np.arange(5) * step)
    with pytest.warns(UnrolledWarning, match=r"line 7: this series has a row every 0\.1 .* first one every 1"):
        read(tmp_path / "s.csv", f"id,t,x\n{rows}", series="id", time="t")


def test_a_target_that_is_not_needed_is_no_channel(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(TABLE)
    p = next(decided(FORMAT.read([path], ReadingOptions(**NAMES).to_predict(), Target.LABELS)))
    assert p.numbers.shape == (3, 2)
    path.write_text(TABLE.replace("state", "z").replace("on", "8").replace("off", "9"))
    p = next(decided(FORMAT.read([path], ReadingOptions(**NAMES).to_predict(), Target.LABELS)))
    assert (p.numbers.shape, p.labels) == ((3, 3), None)


NUMBERS = TABLE.replace("state", "mass").replace("on", "1.5").replace("off", "-2")
VALUES, STEP_VALUES = Target.VALUES, Target.STEP_VALUES
MASS = {**NAMES, "target": "mass"}


def values_of(examples) -> list:
    return [None if example.values is None else example.values.tolist() for example in examples]


def test_a_number_for_each_series(tmp_path: Path) -> None:
    p, q = read(tmp_path / "s.csv", NUMBERS, VALUES, **MASS)
    assert (values_of([p, q]), p.values.dtype, p.labels, p.channels) == ([[1.5], [-2]], np.float64, None, ("x", "y"))
    assert p.numbers.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert values_of(read_examples(tmp_path / "s.csv", ReadingOptions(**MASS), VALUES)) == [[1.5], [-2]]


def test_several_columns_with_a_number_for_each_series(tmp_path: Path) -> None:
    content = "id,t,x,mass,age\np,1,5,2,30\nq,0,6,3,40\np,0,7,2,30\n"
    p, q = read(tmp_path / "s.csv", content, VALUES, **{**NAMES, "target": "age, mass"})
    assert (values_of([p, q]), p.numbers.tolist(), p.channels) == ([[30, 2], [40, 3]], [[7], [5]], ("x",))


def test_a_number_for_each_row(tmp_path: Path) -> None:
    p, q = read(tmp_path / "s.csv", NUMBERS, STEP_VALUES, **{**NAMES, "target": "y"}, channels=("x",))
    assert (values_of([p, q]), p.tags) == ([[[2], [4], [6]], [[1000], [7]]], None)
    p, q = read(tmp_path / "s.csv", NUMBERS, STEP_VALUES, **{**NAMES, "target": "y,mass"})
    assert values_of([p, q]) == [[[2, 1.5], [4, 1.5], [6, 1.5]], [[1000, -2], [7, -2]]]
    assert p.numbers.tolist() == [[1], [3], [5]]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("mass", "line 5: 'p' has the target '7.5' here and '1.5' before. Give all its rows one number, or one to each step: pass `each_step=True`"),
        ("mass,y", "line 5: 'p' has the target '7.5', '4' here and '1.5', '2' before. Give all its rows one number"),
    ],
)  # fmt: skip
def test_two_numbers_of_a_series_are_told_where_one_is_wanted(tmp_path: Path, target: str, message: str) -> None:
    content = NUMBERS.replace("1,3,4,1.5", "1,3,4,7.5")
    with pytest.raises(DataError, match=message):
        read(tmp_path / "s.csv", content, VALUES, **{**NAMES, "target": target})
    assert read(tmp_path / "s.csv", content, STEP_VALUES, **MASS)[0].values.tolist() == [[1.5], [7.5], [1.5]]


@pytest.mark.parametrize("wanted", [VALUES, STEP_VALUES])
@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("high", "line 4: a target must be a number, got 'high'. Mend it, or take another `target`"),
        ("nan", "line 4: a target must be a finite number, got 'nan'. Mend it, or take the row out"),
        ("1e999", "line 4: a target must be a finite number, got '1e999'"),
        ("", "line 4: the target is missing, which other rows of 'p' have. Fill it in"),
    ],
)
def test_bad_numbers_to_predict(tmp_path: Path, wanted: Target, cell: str, message: str) -> None:
    content = NUMBERS.replace("p,0,1,2,1.5", f"p,0,1,2,{cell}")
    if cell and wanted is VALUES:
        content = content.replace(",1.5\n", f",{cell}\n")
    with pytest.raises(DataError, match=message):
        read(tmp_path / "s.csv", content, wanted, **MASS)


def test_a_series_without_numbers_to_predict_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(NUMBERS.replace(",-2\n", ",\n"))
    with pytest.raises(DataError, match=r"line 3: the sequence has no number. Name their column or key as `target`, and fill it in"):
        list(labelled_examples(tmp_path / "s.csv", ReadingOptions(**MASS), VALUES))


@pytest.mark.parametrize("wanted", [VALUES, STEP_VALUES])
def test_numbers_that_are_not_needed_may_be_wrong_or_missing(tmp_path: Path, wanted: Target) -> None:
    path = tmp_path / "s.csv"
    path.write_text(TABLE)
    p, q = decided(FORMAT.read([path], ReadingOptions(**NAMES).to_predict(), wanted))
    assert (values_of([p, q]), p.numbers.shape) == ([None, None], (3, 2))
    path.write_text(NUMBERS.replace("1,3,4,1.5", "1,3,4,"))
    p, q = decided(FORMAT.read([path], ReadingOptions(**MASS).to_predict(), wanted))
    assert values_of([p, q]) == [None, [-2] if wanted is VALUES else [[-2], [-2]]]
    path.write_text(NUMBERS)
    p, q = decided(FORMAT.read([path], ReadingOptions(**{**NAMES, "target": "y,none"}).to_predict(), wanted))
    assert (values_of([p, q]), p.channels) == ([None, None], ("x", "mass"))


def written(examples, *predictions: Prediction) -> list[str]:
    file = io.StringIO()
    FORMAT.write(zip(examples, predictions, strict=True), file, ReadingOptions())
    return file.getvalue().splitlines()


def test_predicted_numbers_stand_beside_the_rows_as_they_were(tmp_path: Path) -> None:
    examples = read(tmp_path / "s.csv", NUMBERS, VALUES, **MASS)
    lines = NUMBERS.splitlines()
    with_deviation = [Prediction(values=np.array(values), deviations=np.array([0.5, 1 / 3])) for values in ([1.25, 2.0], [3.0, 4.0])]
    cells = {"p": "1.25;2,0.5;0.333333", "q": "3;4,0.5;0.333333"}
    expected = [f"{lines[0]},predicted,deviation", *(f"{line},{cells[line[0]]}" for line in lines[1:])]
    assert written(examples, *with_deviation) == expected
    alone = [Prediction(values=np.array([1.25])), Prediction(values=np.array([3.0]))]
    cells = {"p": "1.25", "q": "3"}
    assert written(examples, *alone) == [f"{lines[0]},predicted", *(f"{line},{cells[line[0]]}" for line in lines[1:])]


def test_predicted_numbers_of_steps_stand_beside_their_rows(tmp_path: Path) -> None:
    examples = read(tmp_path / "s.csv", NUMBERS, STEP_VALUES, **MASS)
    p, q = np.array([[1.0], [2], [3]]), np.array([[4.0], [5]])
    lines = written(examples, *(Prediction(values=found, deviations=found / 10) for found in (p, q)))
    cells = ["predicted,deviation", "3,0.3", "4,0.4", "1,0.1", "2,0.2", "5,0.5"]
    assert lines == [f"{line},{cell}" for line, cell in zip(NUMBERS.splitlines(), cells, strict=True)]
    again = read(tmp_path / "again.csv", "\n".join(lines), STEP_VALUES, **{**NAMES, "target": "predicted"}, channels=("x", "y"))
    assert values_of(again) == [p.tolist(), q.tolist()]
