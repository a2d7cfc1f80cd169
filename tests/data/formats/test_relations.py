"""ARFF whose attributes are tables says the same as the `.ts` file of the same series, as both are in the UEA archive."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples, resolve_format, resolve_reading, write_predictions
from unrolled.errors import DataError, UnrolledWarning

LABELS, VALUES = Target.LABELS, Target.VALUES
TOLD = r"a.arff: each row of the table in 'motion' is read as a channel, and each of its attributes as a step"
HEAD = "@relation m\n@attribute motion relational\n@attribute t0 numeric\n@attribute t1 numeric\n@attribute t2 numeric\n@end motion\n"
ROWS = ["'1,2.5,3\\n4,5,6',run", '"7,8,?\\n9,10,?",stand', "'-1e-3,0,1\\n?,1,2',run"]
SERIES = "@univariate false\n@classLabel true run stand\n@data\n1,2.5,3:4,5,6:run\n7,8:9,10:stand\n-1e-3,0,1:?,1,2:run\n"


def write(path: Path, rows: list[str], attribute: str = "{run,stand}") -> Path:
    path.write_text(f"{HEAD}@attribute class {attribute}\n@data\n" + "".join(f"{row}\n" for row in rows))
    return path


def test_series_of_several_channels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.arff", ROWS)
    (tmp_path / "a.ts").write_text(SERIES)
    with pytest.warns(UnrolledWarning, match=TOLD):
        found = list(labelled_examples(path, ReadingOptions(impute=True), LABELS))
    expected = list(labelled_examples(tmp_path / "a.ts", ReadingOptions(impute=True), LABELS))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.numbers, other.numbers)
        assert one.labels == other.labels


@pytest.mark.filterwarnings("ignore")
def test_predictions_stand_beside_the_series(tmp_path: Path) -> None:
    path = write(tmp_path / "a.arff", ROWS[:2])
    reading = resolve_reading(path, ReadingOptions(), LABELS)
    assert reading.learnt == ("motion", "class")
    reading = resolve_format(path, reading.to_predict(), LABELS)
    file = io.StringIO()
    write_predictions([(example, Prediction(labels=("new",))) for example in read_examples(path, reading, LABELS)], file, reading)
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        {"motion": [[1, 4], [2.5, 5], [3, 6]], "class": "run", "predicted": "new", "probabilities": {}},
        {"motion": [[7, 9], [8, 10]], "class": "stand", "predicted": "new", "probabilities": {}},
    ]


@pytest.mark.filterwarnings("ignore")
def test_numbers_to_predict(tmp_path: Path) -> None:
    path = write(tmp_path / "a.arff", ["'1,2',0.5", "'3',-2"], "numeric")
    assert [example.values.tolist() for example in labelled_examples(path, ReadingOptions(), VALUES)] == [[0.5], [-2]]


@pytest.mark.filterwarnings("ignore::unrolled.errors.UnrolledWarning")
@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("'1,x\\n2,3',run", "line 9, motion: 'x' is no number. A table in an attribute must have numbers alone"),
        ("'1,2\\n3',run", "line 9, motion: the channels must have one length, got 2, 1. Fill them up with ?"),
        ("'1,2,3\\n4,5,6'", "line 9: a row must have 2 cells, as many as there are attributes, got 1"),
        ("'?,?\\n?,?',run", "line 9: 'motion' must have at least one token"),
    ],
)
def test_bad_rows(row: str, told: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.arff", [row, ROWS[0]])
    with pytest.raises(DataError, match=f"a.arff, {told.replace('?', '[?]')}"):
        list(labelled_examples(path, ReadingOptions(), LABELS))
    assert len(list(labelled_examples(path, ReadingOptions(bad_rows="skip"), LABELS))) == 1
