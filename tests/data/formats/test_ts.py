"""Time series in the `.ts` format."""

import io
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.ts import TimeSeries
from unrolled.errors import ConfigError, DataError

HEADER = "# about\n@problemName Two\n@timestamps false\n@dimensions 2\n@classLabel true up down\n\n@data\n"
FORMAT = TimeSeries()


def read(path: Path, content: str, **options):
    path.write_text(content)
    return list(FORMAT.read([path], ReadingOptions(**options), tagged=False))


def test_cases_of_unequal_length(tmp_path: Path) -> None:
    first, second = read(tmp_path / "a.ts", HEADER + "1,2.5,-3:4,5,6e1:up\n# between\n7:8:down\n")
    assert first.numbers.dtype == np.float32
    assert first.numbers.tolist() == [[1, 4], [2.5, 5], [-3, 60]]
    assert second.numbers.tolist() == [[7, 8]]
    assert (first.labels, second.labels) == (("up",), ("down",))
    assert second.place == f"{tmp_path / 'a.ts'}, line 10"


def test_cases_without_labels(tmp_path: Path) -> None:
    found = read(tmp_path / "a.ts", "@classLabel false\n@data\n1,2\n3,4,5\n")
    assert [example.labels for example in found] == [None, None]
    assert found[1].numbers.tolist() == [[3], [4], [5]]
    assert read(tmp_path / "b.ts", HEADER + "1:2:?\n")[0].labels is None


def test_missing_values(tmp_path: Path) -> None:
    content = HEADER + "1,2:3,4:up\n?,2,?:4,NaN,6:down\n"
    with pytest.raises(DataError, match=r"a.ts, line 9, value 1, dimension 1: .*`--impute`"):
        read(tmp_path / "a.ts", content)
    imputed = read(tmp_path / "a.ts", content, impute=True)[1].numbers
    np.testing.assert_array_equal(imputed, [[np.nan, 4], [2, 4], [2, 6]])


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("1,2:3:up", r"line 9: all dimensions of a case .* got \[2, 1\]"),
        ("1,2:up", "line 9: a case must have 2 dimensions, .* got 1"),
        ("1:2:3:up", "line 9: a case must have 2 dimensions, .* got 3"),
        ("1:2:left", "line 9: the label must be one of up, down .* got 'left'"),
        ("1:2", "line 9: the label must be one of up, down .* got '2'"),
        ("1:x:up", "line 9, dimension 2: could not convert .* 'x'"),
        ("1:1e39:up", "line 9, value 1, dimension 2: a value must be a finite"),
    ],
)
def test_bad_cases(tmp_path: Path, case: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.ts", f"{HEADER}1,2:3,4:up\n{case}\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1:2:up\n", "line 1: cases must come after a line with @data"),
        ("@classLabel true a\n", "has no line with @data"),
        ("@\n", "has no line with @data"),
        ("@timeStamps true\n@data\n", "line 1: values with time stamps"),
        ("@targetLabel true\n@data\n", "line 1: the cases have numbers to predict"),
    ],
)
def test_bad_headers(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.ts", content)


@pytest.mark.parametrize("said", ["# nothing", "@dimensions 1"])
def test_files_must_agree_in_their_dimensions(tmp_path: Path, said: str) -> None:
    (tmp_path / "b.ts").write_text(f"{said}\n@data\n1\n")
    (tmp_path / "a.ts").write_text(HEADER + "1:2:up\n")
    with pytest.raises(DataError, match=r"b\.ts, line 3: a case must have 2 dimensions"):
        list(FORMAT.read([tmp_path / "a.ts", tmp_path / "b.ts"], ReadingOptions(), tagged=False))


def test_steps_have_no_tags(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not to tag"):
        list(FORMAT.read([tmp_path / "a.ts"], ReadingOptions(), tagged=True))


def test_what_is_written_reads_back_with_the_predicted_labels(tmp_path: Path) -> None:
    found = read(tmp_path / "a.ts", HEADER + "1,2.5:4,5:up\n7:8:down\n")
    predictions = [Prediction(labels=(label,), chances={"down": 0.5, "up": 0.5}) for label in ("down", "up")]
    file = io.StringIO()
    FORMAT.write(zip(found, predictions, strict=True), file, ReadingOptions())
    again = read(tmp_path / "b.ts", file.getvalue())
    assert [example.labels for example in again] == [("down",), ("up",)]
    assert [example.numbers.tolist() for example in again] == [example.numbers.tolist() for example in found]


def test_labels_that_are_not_needed_may_be_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_text(HEADER + "1:2:left\n3:4:up\n")
    assert [example.labels for example in FORMAT.read([path], ReadingOptions().to_predict(), tagged=False)] == [None, ("up",)]
