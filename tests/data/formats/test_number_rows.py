"""Series in rows of tables and in arrays, against NumPy and h5py."""

import io
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples, resolve_format, resolve_reading, write_predictions
from unrolled.data.formats.label_files import read_labels
from unrolled.errors import ConfigError, DataError

LABELS, VALUES = Target.LABELS, Target.VALUES
CHANCE = np.random.default_rng(1)
SERIES = CHANCE.normal(size=(6, 10)).astype(np.float32)
CLASSES = ["1", "2", "1", "2", "1", "2"]


def table(delimiter: str, header: list[str] | None, rows: np.ndarray = SERIES, labels: list[str] = CLASSES) -> str:
    lines = [] if header is None else [header]
    lines += [[label, *(repr(float(value)) for value in row)] for label, row in zip(labels, rows, strict=True)]
    return "".join(delimiter.join(line) + "\n" for line in lines)


def test_a_column_that_is_asked_for_is_no_part_of_a_series(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("label,t0,t1,t2\nup,1,2,3\ndown,3,2,1\n")
    assert resolve_format(path, ReadingOptions(), Target.LABELS).format == "wide"
    assert resolve_format(path, ReadingOptions(input="t1"), Target.LABELS).format == "csv"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Coffee_TRAIN.tsv", table("\t", None)),
        ("wide.csv", table(",", ["label", *(f"t{step}" for step in range(10))])),
        ("mnist.csv", table(",", ["label", *(f"{step // 5 + 1}x{step % 5 + 1}" for step in range(10))])),
        ("counted.csv", table(";", ["class", *map(str, range(10))])),
        (
            "a.arff",
            "@relation x\n@attribute class {1,2}\n"
            + "".join(f"@attribute att{n} numeric\n" for n in range(10))
            + "@data\n"
            + table(",", None),
        ),
    ],
)
def test_rows_of_numbers_are_series(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert resolve_format(path, ReadingOptions(), LABELS).format == "wide"
    found = list(labelled_examples(path, ReadingOptions(), LABELS))
    np.testing.assert_allclose(np.stack([example.numbers[:, 0] for example in found]), SERIES, rtol=1e-6)
    assert [example.labels for example in found] == [(label,) for label in CLASSES]


@pytest.mark.parametrize(
    ("content", "format"),
    [
        ("id,x,y,z,label\n1,1,2,3,a\n2,4,5,6,b\n", "csv"),
        ("text,label\n12 3 4,1\n5 6 7,2\n", "csv"),
        ("height,weight,age,label\n1,2,3,a\n4,5,6,b\n", "csv"),
        ("1,2,3\n4,5,6\n", "csv"),
    ],
)
def test_other_tables_are_not_taken_for_series(content: str, format: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(content)
    assert resolve_format(tmp_path / "a.csv", ReadingOptions(), LABELS).format == format


def test_series_of_different_lengths_end_in_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("y,t0,t1,t2\n1,1,2,3\n2,4,5,\n1,7,NaN,NaN\n")
    assert [example.numbers.ravel().tolist() for example in labelled_examples(path, ReadingOptions(), LABELS)] == [[1, 2, 3], [4, 5], [7]]
    path.write_text("y,t0,t1,t2\n1,1,,3\n2,4,5,6\n")
    with pytest.raises(DataError, match=r"a.csv, line 2, .*the value is missing"):
        list(labelled_examples(path, ReadingOptions(), LABELS))
    first, _ = labelled_examples(path, ReadingOptions(impute=True), LABELS)
    assert first.numbers.ravel().tolist() == [1, 1, 3]


def test_which_column_has_the_label_must_be_clear(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{i % 2},{','.join(str(i + t / 3) for t in range(8))},{i % 3}\n" for i in range(9)))
    with pytest.raises(ConfigError, match=r"which of the columns 0 to 9 has the label is not clear. Pass it as `target`"):
        list(labelled_examples(path, ReadingOptions(), LABELS))
    found = list(labelled_examples(path, ReadingOptions(target="9"), LABELS))
    assert (found[2].labels, found[2].steps) == (("2",), 9)


def test_whole_numbers_that_come_again_are_the_label(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{100 + n},{',0.5' * 8},{n % 2}\n".replace(",,", ",") for n in range(6)))
    found = list(labelled_examples(path, ReadingOptions(), LABELS))
    assert [(example.labels, float(example.numbers[0, 0])) for example in found] == [((str(n % 2),), 100 + n) for n in range(6)]


def test_a_run_reads_rows_with_and_without_labels_and_writes_them_again(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("label,t0,t1,t2\nup,1,2,3\ndown,3,2,1\n")
    reading = resolve_reading(tmp_path / "a.csv", ReadingOptions(), LABELS)
    assert reading.learnt == ("t0 … t2", "label")
    (tmp_path / "new.csv").write_text("t0,t1,t2\n5,6,7\n8,9,9\n")
    options = resolve_format(tmp_path / "new.csv", reading.to_predict(), LABELS)
    found = list(read_examples(tmp_path / "new.csv", options, LABELS))
    assert [(example.numbers.ravel().tolist(), example.labels) for example in found] == [([5, 6, 7], None), ([8, 9, 9], None)]
    file = io.StringIO()
    write_predictions([(example, Prediction(labels=("up",), probabilities=(1.0,))) for example in found], file, options)
    assert file.getvalue() == "t0,t1,t2,predicted,probability\n5,6,7,up,1.0000\n8,9,9,up,1.0000\n"


CUBE, VALUES_OF = CHANCE.normal(size=(4, 5, 2)), np.array([0, 1, 1, 0])


def save_h5(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with pytest.importorskip("h5py").File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


@pytest.mark.parametrize("name", ["a.npz", "a.h5", "X_train.npy"])
def test_arrays(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, CUBE)
        np.save(tmp_path / "y_train.npy", VALUES_OF)
    else:
        (np.savez if name.endswith(".npz") else save_h5)(
            path, **({"X": CUBE, "y": VALUES_OF} if name == "a.npz" else {"arrays": {"X": CUBE, "y": VALUES_OF}})
        )
    found = list(labelled_examples(path, ReadingOptions(), LABELS))
    np.testing.assert_array_equal(np.stack([example.numbers for example in found]), CUBE.astype(np.float32))
    assert [example.labels for example in found] == [("0",), ("1",), ("1",), ("0",)]
    assert found[2].place == f"{path}, sequence 2"
    assert [example.values.tolist() for example in labelled_examples(path, ReadingOptions(), VALUES)] == [[0], [1], [1], [0]]
    file = io.StringIO()
    write_predictions([(found[1], Prediction(labels=("1",), probabilities=(0.5,)))], file, ReadingOptions(format="arrays"))
    assert file.getvalue() == f"file,sequence,predicted,probability\n{path},1,1,0.5000\n"


def test_arrays_of_steps_and_texts_and_what_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, series=CUBE[:, :, 0], tags=CHANCE.integers(0, 2, (4, 5)), other=np.ones(3))
    first, *_ = labelled_examples(path, ReadingOptions(target="tags"), Target.TAGS)
    assert (first.numbers.shape, len(first.tags)) == ((5, 1), 5)
    for options, error, message in (
        ({"target": "mood"}, ConfigError, "has no array 'mood'; it has series, tags, other"),
        ({"target": "other"}, DataError, r"the array 'other' with targets must have 1 or 2 axes, .* 4, got \[3\]"),
        ({"input": "other"}, DataError, r"the array 'other' must be \[sequences, steps\] .* got \[3\] of float64"),
    ):
        with pytest.raises(error, match=message):
            list(labelled_examples(path, ReadingOptions(**options), LABELS))
    np.savez(path, text=np.array(["a b", "c"]), label=np.array(["x", "y"]))
    assert [(e.text, e.labels) for e in labelled_examples(path, ReadingOptions(), LABELS)] == [("a b", ("x",)), ("c", ("y",))]
    np.save(tmp_path / "a.npy", np.array([None, {}], object))
    with pytest.raises(DataError, match=r"a.npy has an array of Python objects, which is not read"):
        list(labelled_examples(tmp_path / "a.npy", ReadingOptions(), LABELS))


def test_labels_in_a_table_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,x\na,1\nb,3\na,2\n")
    (tmp_path / "y.csv").write_text("id,split,label\nb,t,down\na,t,up\n")
    options = ReadingOptions(series="id", labels=str(tmp_path / "y.csv"))
    found = list(labelled_examples(tmp_path / "s.csv", options, LABELS))
    assert [(example.numbers.ravel().tolist(), example.labels) for example in found] == [([1, 2], ("up",)), ([3], ("down",))]
    with pytest.raises(ConfigError, match="`labels` names a table with a label for each series"):
        list(labelled_examples(tmp_path / "s.csv", options, Target.TAGS))
    (tmp_path / "y.csv").write_text("id,label\nb,down\n")
    with pytest.raises(DataError, match=r"s.csv, line 2: .*y.csv has no label for 'a'. Add one"):
        list(labelled_examples(tmp_path / "s.csv", options, LABELS))
    (tmp_path / "y.csv").write_text("id,label\nb,down\nb,up\n")
    with pytest.raises(DataError, match=r"y.csv, line 3: 'b' has a label already"):
        read_labels("id", options)
