"""Tables that are no delimited text are read as CSV of the same rows is, whatever is asked for."""

import csv
import gzip
import io
import json
from datetime import datetime
from pathlib import Path

import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples, resolve_format, resolve_reading, write_predictions
from unrolled.data.formats.bad_rows import good
from unrolled.data.formats.rows import open_rows
from unrolled.errors import ConfigError, DataError, UnrolledWarning

pandas = pytest.importorskip("pandas")
arrow = pytest.importorskip("pyarrow")
openpyxl = pytest.importorskip("openpyxl")

ROWS = [("good, really", 4, 0.5, "pos"), ('a "bad" one', 1, None, "neg"), ("two\nlines", 3, 2.25, "pos")]
NAMES = ["text", "stars", "score", "label"]
FRAME = pandas.DataFrame(ROWS, columns=NAMES)


def to_hdf(path: Path) -> None:
    pytest.importorskip("tables")
    FRAME.to_hdf(path, key="reviews", format="table")


WRITERS = {
    "a.csv": lambda path: FRAME.to_csv(path, index=False),
    "a.parquet": FRAME.to_parquet,
    "a.feather": FRAME.to_feather,
    "a.xlsx": lambda path: FRAME.to_excel(path, index=False),
    "a.h5": to_hdf,
    "a.arff": lambda path: path.write_text(
        "% about\n@relation r\n@attribute text string\n@attribute 'stars' numeric\n@attribute score real\n@attribute label {pos, neg}\n\n@data\n"
        "'good, really', 4, 0.5, pos\n\"a \\\"bad\\\" one\",1,?,neg\n'two\\nlines',3,2.25,pos\n"
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_table_gives_the_same_examples(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    examples = list(labelled_examples(path, ReadingOptions(), Target.LABELS))
    # In Excel and CSV a cell has the line break of its text, too.
    assert [(example.text, example.labels) for example in examples] == [(row[0], (row[3],)) for row in ROWS]
    if name == "a.h5":
        return
    numbers = labelled_examples(path, ReadingOptions(input="text", target="stars"), Target.VALUES)
    assert [example.values.tolist() for example in numbers] == [[4.0], [1.0], [3.0]]
    reading = resolve_reading(path, ReadingOptions(), Target.LABELS)
    assert (reading.learnt, reading.left) == (("text", "label"), ("stars", "score"))
    with pytest.raises(ConfigError, match=rf"{name} has no column 'mood'; it has columns text, stars, score, label"):
        list(read_examples(path, ReadingOptions(target="mood"), Target.LABELS))


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "a.h5"])
def test_cells_are_those_of_the_library(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    with open_rows(path, "utf-8") as (_, rows):
        header, *cells = [row for _, row in good(rows)]
    assert header == NAMES
    assert [(text, float(stars), float(score or "nan"), label) for text, stars, score, label in cells][0::2] == [ROWS[0], ROWS[2]]
    assert cells[1][2] == ""


def test_arff_is_read_as_scipy_reads_it(tmp_path: Path) -> None:
    reader = pytest.importorskip("scipy.io.arff")
    path = tmp_path / "a.arff"
    path.write_text(
        "@RELATION x\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE 'b c' {u,v}\n@ATTRIBUTE d integer\n@DATA\n1.5,u,3\n-2,v,?\n% x\n1e3,u,0\n"
    )
    expected, meta = reader.loadarff(io.StringIO(path.read_text()))
    with open_rows(path, "utf-8") as (_, rows):
        header, *cells = [row for _, row in good(rows)]
    assert header == meta.names()
    for row, wanted in zip(cells, expected, strict=True):
        assert float(row[0]) == wanted[0]
        assert row[1] == wanted[1].decode()
        assert row[2] == "" if wanted[2] != wanted[2] else float(row[2]) == wanted[2]


def test_sparse_arff(tmp_path: Path) -> None:
    path = tmp_path / "a.arff"
    path.write_text(
        "@relation x\n@attribute a numeric\n@attribute b {no,yes}\n@attribute c numeric\n@data\n{0 1.5, 1 yes}\n{}\n{2 7}\n{5 1}\n"
    )
    with open_rows(path, "utf-8") as (_, rows):
        found = list(rows)
    assert [row for _, row in good(found)][1:] == [["1.5", "yes", "0"], ["0", "no", "0"], ["0", "no", "7"]]
    assert "a sparse row must have the number of an attribute, below 3" in str(found[-1])


def test_tokens_and_tags_of_a_data_set_with_names_for_its_numbers(tmp_path: Path) -> None:
    names = ["O", "B-PER", "I-PER"]
    features = {
        "ner_tags": {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"},
        "tokens": {"feature": {"dtype": "string"}},
    }
    table = arrow.table({"tokens": [["Ada", "L.", "wrote"], ["No"]], "ner_tags": [[1, 2, 0], [0]]})
    table = table.replace_schema_metadata({b"huggingface": json.dumps({"info": {"features": features}}).encode()})
    arrow.parquet = pytest.importorskip("pyarrow.parquet")
    arrow.parquet.write_table(table, tmp_path / "a.parquet")
    with arrow.OSFile(str(tmp_path / "a.arrow"), "wb") as file, arrow.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    for name in ("a.parquet", "a.arrow"):
        first, second = labelled_examples(tmp_path / name, ReadingOptions(), Target.TAGS)
        assert (first.tokens, first.tags) == (("Ada", "L.", "wrote"), ("B-PER", "I-PER", "O"))
        assert second.tags == ("O",)
        file = io.StringIO()
        write_predictions([(first, Prediction(tags=("O",) * 3, probabilities=(1.0,) * 3))], file, ReadingOptions(format="parquet"))
        assert json.loads(file.getvalue()) == {
            "tokens": ["Ada", "L.", "wrote"],
            "ner_tags": ["B-PER", "I-PER", "O"],
            "predicted": ["O", "O", "O"],
            "probabilities": [1.0, 1.0, 1.0],
        }


@pytest.mark.parametrize("name", ["a.parquet", "a.feather", "a.xlsx", "a.arff"])
def test_predictions_are_written_as_csv(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    WRITERS[name](path)
    options = resolve_format(path, ReadingOptions(), Target.LABELS)
    found = [(example, Prediction(labels=("pos",), probabilities=(0.75,))) for example in read_examples(path, options, Target.LABELS)]
    file = io.StringIO()
    write_predictions(found, file, options)
    header, *rows = csv.reader(io.StringIO(file.getvalue()))
    assert header == [*NAMES, "predicted", "probability"]
    assert [(row[0], row[3], *row[4:]) for row in rows] == [(row[0], row[3], "pos", "0.7500") for row in ROWS]


def test_a_workbook_is_read_from_its_first_sheet_with_something_in_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("data")
    for row in (
        [None, None, None],
        ["text", "label", None],
        ["a", 1, None],
        [None] * 3,
        ["b", True, None],
        [datetime(2024, 5, 31), 2.5, "more"],
    ):
        book["data"].append(row)
    book.create_sheet("notes").append(["x"])
    book.save(tmp_path / "a.xlsx")
    with (
        pytest.warns(UnrolledWarning, match="has the sheets 'data', 'notes', and 'data' is read"),
        open_rows(tmp_path / "a.xlsx", "utf-8") as (_, rows),
    ):
        found = list(rows)
    assert [row for _, row in good(found)] == [["text", "label"], ["a", "1"], ["b", "true"]]
    assert "a row must have 2 cells" in str(found[-1])


def test_series_events_and_pairs_come_from_tables_of_every_kind(tmp_path: Path) -> None:
    pandas.DataFrame({"id": ["a", "a", "b"], "x": [1.0, 2.0, 3.0], "y": ["u", "u", "v"]}).to_parquet(tmp_path / "s.parquet")
    options = ReadingOptions(series="id", target="y")
    series = list(labelled_examples(tmp_path / "s.parquet", options, Target.LABELS))
    assert [(example.numbers.ravel().tolist(), example.labels) for example in series] == [([1, 2], ("u",)), ([3], ("v",))]
    named = ReadingOptions(case="id", activity="y")
    assert [example.tokens for example in read_examples(tmp_path / "s.parquet", named.to_predict(), Target.LABELS)] == [("u", "u"), ("v",)]


def test_what_is_damaged_or_has_no_ending_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "table")
    assert resolve_format(tmp_path / "table", ReadingOptions(), Target.LABELS).format == "parquet"
    content = (tmp_path / "table").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"cut.parquet cannot be read as .*Parquet.*: .*It is damaged, or not complete"):
        list(read_examples(tmp_path / "cut.parquet", ReadingOptions(), Target.LABELS))
    (tmp_path / "a.arff.gz").write_bytes(gzip.compress(b"@relation x\n@attribute text string\n@attribute label {a,b}\n@data\n'x y',a\n"))
    (example,) = read_examples(tmp_path / "a.arff.gz", ReadingOptions(), Target.LABELS)
    assert (example.text, example.labels) == ("x y", ("a",))


XES = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
<global scope="trace"><string key="concept:name" value="none"/></global>
<trace><string key="concept:name" value="c1"/><string key="outcome" value="paid"/>
<event><string key="concept:name" value="open"/><date key="time:timestamp" value="2020-01-02T10:00:00+00:00"/><int key="cost" value="3"/></event>
<event><string key="concept:name" value="send"/><date key="time:timestamp" value="2020-01-01T10:00:00+00:00"/></event></trace>
<trace><string key="concept:name" value="c2"/><string key="outcome" value="lost"/>
<event><string key="concept:name" value="open"/><date key="time:timestamp" value="2020-01-01T10:00:00+00:00"/></event></trace>
</log>
"""


def test_xes(tmp_path: Path) -> None:
    (tmp_path / "log.xes").write_text(XES)
    first, second = labelled_examples(tmp_path / "log.xes", ReadingOptions(target="case:outcome"), Target.LABELS)
    assert (first.tokens, first.labels, first.name) == (("send", "open"), ("paid",), "c1")
    assert (second.tokens, second.labels) == (("open",), ("lost",))
    assert resolve_reading(tmp_path / "log.xes", ReadingOptions(target="case:outcome"), Target.LABELS).left == ("cost",)
    (tmp_path / "cut.xes").write_text(XES[:500])
    with pytest.raises(DataError, match=r"cut.xes, line \d+: this is no XML"):
        list(read_examples(tmp_path / "cut.xes", ReadingOptions().to_predict(), Target.LABELS))
