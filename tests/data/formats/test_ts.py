"""Time series in the `.ts` format."""

import io
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import labelled_examples, read_examples
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.ts import TimeSeries
from unrolled.errors import ConfigError, DataError

HEADER = "# about\n@problemName Two\n@timestamps false\n@dimensions 2\n@classLabel true up down\n\n@data\n"
FORMAT = TimeSeries()


def read(path: Path, content: str, **options):
    path.write_text(content)
    return list(decided(FORMAT.read([path], ReadingOptions(**options), Target.LABELS)))


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
    with pytest.raises(DataError, match=r"a.ts, line 9, value 1, dimension 1: .*`impute`"):
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
        ("1:x:up", "line 9, dimension 2: 'x' is no number"),
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
        ("@targetLabel true\n@data\n1,2:0.5\n", "line 3: the cases have numbers to predict and not classes. Train `regress`"),
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
        list(decided(FORMAT.read([tmp_path / "a.ts", tmp_path / "b.ts"], ReadingOptions(), Target.LABELS)))


def test_steps_have_no_tags(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not to tag"):
        list(decided(FORMAT.read([tmp_path / "a.ts"], ReadingOptions(), Target.TAGS)))


def test_what_is_written_reads_back_with_the_predicted_labels(tmp_path: Path) -> None:
    found = read(tmp_path / "a.ts", HEADER + "1,2.5:4,5:up\n7:8:down\n")
    predictions = [Prediction(labels=(label,), known=("down", "up"), scores=(0.5, 0.5)) for label in ("down", "up")]
    file = io.StringIO()
    FORMAT.write(zip(found, predictions, strict=True), file, ReadingOptions())
    again = read(tmp_path / "b.ts", file.getvalue())
    assert [example.labels for example in again] == [("down",), ("up",)]
    assert [example.numbers.tolist() for example in again] == [example.numbers.tolist() for example in found]


def test_labels_that_are_not_needed_may_be_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_text(HEADER + "1:2:left\n3:4:up\n")
    assert [example.labels for example in decided(FORMAT.read([path], ReadingOptions().to_predict(), Target.LABELS))] == [None, ("up",)]


def test_a_prediction_without_a_label_is_a_question_mark_and_of_several_the_first_is_written(tmp_path: Path) -> None:
    found = read(tmp_path / "a.ts", HEADER + "1:4:up\n7:8:down\n")
    predictions = [Prediction(labels=labels, known=("down", "up"), scores=(0.75, 0.75), several=True) for labels in ((), ("up", "down"))]
    file = io.StringIO()
    FORMAT.write(zip(found, predictions, strict=True), file, ReadingOptions())
    assert [example.labels for example in read(tmp_path / "b.ts", file.getvalue())] == [None, ("up",)]


NUMBERS = "@problemName Flow\n@timestamps false\n@dimensions 2\n@targetLabel true\n@data\n1,2.5:4,5:0.5\n7:8:-2e3\n"


def values(path: Path, content: str, options: ReadingOptions | None = None) -> list:
    path.write_text(content)
    found = read_examples(path, options or ReadingOptions(), Target.VALUES)
    return [None if example.values is None else example.values.tolist() for example in found]


def test_cases_with_numbers_to_predict(tmp_path: Path) -> None:
    assert values(tmp_path / "a.ts", NUMBERS + "3:4: ?\n") == [[0.5], [-2000], None]
    (first, *_) = read_examples(tmp_path / "a.ts", ReadingOptions(), Target.VALUES)
    assert (first.numbers.tolist(), first.labels) == ([[1, 4], [2.5, 5]], None)
    assert values(tmp_path / "b.ts", "@targetLabel false\n@data\n1,2\n") == [None]
    assert values(tmp_path / "c.ts", "@classLabel true 1 2\n@data\n5,6:2\n") == [[2]]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("1:2:high", "a.ts, line 8: a target must be a number, got 'high'. Mend it, or take another `target`"),
        ("1:2:", "a.ts, line 8: a target must be a number, got ''"),
        ("1:2:nan", "a.ts, line 8: a target must be a finite number, got 'nan'. Mend it, or take the row out"),
        ("1:2:-inf", "a.ts, line 8: a target must be a finite number, got '-inf'"),
        ("1:2", "a.ts, line 8: a case must have 2 dimensions, .* got 1"),
    ],
)
def test_bad_numbers_to_predict(tmp_path: Path, case: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        values(tmp_path / "a.ts", f"{NUMBERS}{case}\n")


def test_a_case_without_a_number_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(NUMBERS + "1:2:?\n")
    with pytest.raises(DataError, match=r"a.ts, line 8: the sequence has no number. .*@targetLabel true"):
        list(labelled_examples(tmp_path / "a.ts", ReadingOptions(), Target.VALUES))


def test_numbers_that_are_not_needed_may_be_wrong_and_are_no_labels_that_are_needed(tmp_path: Path) -> None:
    assert values(tmp_path / "a.ts", NUMBERS + "1:2:high\n", ReadingOptions().to_predict()) == [[0.5], [-2000], None]
    found = read_examples(tmp_path / "a.ts", ReadingOptions().to_predict(), Target.LABELS)
    assert [example.numbers.tolist() for example in found] == [[[1, 4], [2.5, 5]], [[7, 8]], [[1, 2]]]
    with pytest.raises(DataError, match="line 6: the cases have numbers to predict and not classes"):
        list(read_examples(tmp_path / "a.ts", ReadingOptions(), Target.LABELS))


@pytest.mark.parametrize("content", [NUMBERS, HEADER + "1,2.5:4,5:up\n7:8:down\n"])
def test_predicted_numbers_are_written_as_numbers_are_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.ts").write_text(content)
    found = list(decided(FORMAT.read([tmp_path / "a.ts"], ReadingOptions().to_predict(), Target.VALUES)))
    said = [Prediction(values=np.array([value]), deviations=np.array([0.5])) for value in (1.25, -3e-9)]
    file = io.StringIO()
    FORMAT.write(zip(found, said, strict=True), file, ReadingOptions())
    assert file.getvalue().lower().count("@targetlabel") == 1 and "@classlabel" not in file.getvalue().lower()
    assert values(tmp_path / "b.ts", file.getvalue()) == [[1.25], [-3e-9]]
    again = read_examples(tmp_path / "b.ts", ReadingOptions(), Target.VALUES)
    assert [example.numbers.tolist() for example in again] == [example.numbers.tolist() for example in found]
