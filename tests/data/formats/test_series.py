"""Series of numbers in long tables."""

from pathlib import Path

import numpy as np
import pytest

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


def read(path: Path, content: str = TABLE, tagged: bool = False, **options):
    path.write_text(content)
    return list(FORMAT.read([path], ReadingOptions(**options), tagged=tagged))


def test_rows_are_gathered_and_sorted(tmp_path: Path) -> None:
    p, q = read(tmp_path / "s.csv", **NAMES)
    assert p.numbers.dtype == np.float32
    assert p.numbers.tolist() == [[1, 2], [3, 4], [5, 6]]
    assert q.numbers.tolist() == [[-1, 1000], [-2, 7]]
    assert [(e.name, e.labels, e.tags) for e in (p, q)] == [("p", ("on",), None), ("q", ("off",), None)]
    assert p.record["channels"] == ("x", "y")
    assert p.place == f"{tmp_path / 's.csv'}, line 4"


def test_a_label_for_each_row(tmp_path: Path) -> None:
    content = TABLE.replace("1,3,4,on", "1,3,4,off")
    assert read(tmp_path / "s.csv", content, tagged=True, **NAMES)[0].tags == ("on", "off", "on")
    with pytest.raises(DataError, match="line 5: 'p' has the target 'off' here and 'on' before"):
        read(tmp_path / "s.csv", content, **NAMES)


def test_chosen_channels_in_their_order(tmp_path: Path) -> None:
    assert read(tmp_path / "s.csv", channels=("y", "x"), **NAMES)[1].numbers.tolist() == [[1000, -1], [7, -2]]


def test_a_file_is_one_series_in_its_own_order(tmp_path: Path) -> None:
    (only,) = read(tmp_path / "walk.csv", "x\n3\n1\n2\n")
    assert (only.name, only.numbers.tolist(), only.labels) == ("walk", [[3], [1], [2]], None)


def test_missing_numbers(tmp_path: Path) -> None:
    content = TABLE.replace("p,1,3,4", "p,1,3,").replace("p,0,1,2", "p,0,NaN,2")
    with pytest.raises(DataError, match=r"line 4, x: the value is missing, one of 2 .*`--impute`"):
        read(tmp_path / "s.csv", content, **NAMES)
    np.testing.assert_array_equal(read(tmp_path / "s.csv", content, impute=True, **NAMES)[0].numbers, [[np.nan, 2], [3, 2], [5, 6]])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("p,1,3,4,on", r"line 7: 'p' has a row with this time already, .* line 5"),
        ("p,3,high,4,on", "line 7: x: could not convert .*'high'; pass `--channels`"),
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
    p = next(FORMAT.read([path], ReadingOptions(**NAMES).to_predict(), tagged=False))
    assert p.numbers.shape == (3, 2)
    path.write_text(TABLE.replace("state", "z").replace("on", "8").replace("off", "9"))
    p = next(FORMAT.read([path], ReadingOptions(**NAMES).to_predict(), tagged=False))
    assert (p.numbers.shape, p.labels) == ((3, 3), None)
