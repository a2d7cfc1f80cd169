"""Labels such as NA: they are read, and told."""

import unicodedata
import warnings
from pathlib import Path

import pytest

from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, labelled_examples
from unrolled.errors import DataError, UnrolledWarning


def labels_of(path: Path, labels, *, several: bool = False, **options):
    path.write_text("text,label\n" + "".join(f"text {at},{label}\n" for at, label in enumerate(labels)))
    return [example.labels for example in labelled_examples(path, ReadingOptions(**options), Target.LABELS, several=several)]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (
            ["x", "y"] * 20 + ["NA"],
            r"Read as a label, and most likely a missing value: 'NA' \(1 of 41\). If it is one, leave its cell empty and",
        ),
        (
            ["x"] * 97 + ["NULL", "NaN", "NaN"],
            r"most likely a missing value: 'NaN' \(2 of 100\), 'NULL' \(1 of 100\). .* pass `bad_rows='skip'`",
        ),
        (["Na", "NA", "K", "Cl", "NA"], r"and perhaps a missing value: 'NA' \(2 of 5\). .*; if not, nothing needs to be done"),
    ],
)
def test_labels_that_may_be_missing_are_told(tmp_path: Path, labels, told: str) -> None:
    with pytest.warns(UnrolledWarning, match=told):
        assert labels_of(tmp_path / "a.csv", labels) == [(label,) for label in labels]


def test_one_of_several_labels_may_be_missing(tmp_path: Path) -> None:
    with pytest.warns(UnrolledWarning, match=r"'None' \(1 of 2\)"):
        assert labels_of(tmp_path / "a.csv", ["x;None", "y"], several=True, separator=";") == [("x", "None"), ("y",)]


def test_others_are_not(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        labels_of(tmp_path / "a.csv", ["Na", "na", "none", "nil", "0"])


def test_empty_cells_are_no_labels(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: the sequence has no label. .*looked for in column 'label'.* pass `bad_rows='skip'`"):
        labels_of(tmp_path / "a.csv", ["x", "", "y"])
    with pytest.warns(UnrolledWarning, match="1 bad row is left out. The first: .*line 3: the sequence has no label"):
        assert labels_of(tmp_path / "a.csv", ["x", "", "y"], bad_rows="skip") == [("x",), ("y",)]


def test_texts_that_name_files_are_refused(tmp_path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("1,2\n3,4\n")
    table = tmp_path / "t.csv"
    table.write_text("text,label\na.csv,x\nb.csv,y\n")
    with pytest.raises(DataError, match=r"t.csv, line 2: the texts name files or folders that are there, such as 'a.csv', .* need `shape`"):
        list(labelled_examples(table, ReadingOptions(), Target.LABELS))
    table.write_text("text,label\na.csv,x\nb.csv,y\nc.csv,y\n")
    assert [one.text for one in labelled_examples(table, ReadingOptions(), Target.LABELS)] == ["a.csv", "b.csv", "c.csv"]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.conll"])
def test_labels_in_several_forms_of_unicode_are_one(name: str, tmp_path: Path) -> None:
    one, other = (unicodedata.normalize(form, "été") for form in ("NFC", "NFD"))
    texts = {"a.csv": "text,label\nw,{}\n w,{}\n", "a.jsonl": '{{"text": "w", "label": "{}"}}\n' * 2, "a.conll": "w {}\nw {}\n\n"}
    wanted = Target.TAGS if name == "a.conll" else Target.LABELS
    (tmp_path / name).write_text(
        texts[name].replace("{}", one, 1).format(other, other).replace("{{", "{").replace("}}", "}"), encoding="utf-8"
    )
    with pytest.warns(UnrolledWarning, match="the label 'été' is not in Unicode's form NFC") as told:
        found = list(labelled_examples(tmp_path / name, ReadingOptions(), wanted))
    assert len(told) == 1
    assert {label for example in found for label in example.labels or example.tags} == {one}
