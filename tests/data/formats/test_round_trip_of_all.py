"""Each format of the registry is written again: what other libraries read of it is what they read of the file, and one column more."""

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO
from scipy.io import arff

from breaking.small_files import Sample, samples
from unrolled.data.formats import FORMATS
from written_again import LABELS, TAGS, predicted

pandas = pytest.importorskip("pandas")

SAMPLES = {sample.name: sample for sample in samples()}

ELSEWHERE = {"csv", "tsv", "jsonl", "columns", "conllu", "lines", "ts", "series", "events", "fasta"}
"""Formats that `test_round_trip.py` looks at more closely."""


def put(name: str, folder: Path) -> Path:
    """A sample with what lies beside it."""
    sample: Sample = SAMPLES[name]
    for each, content in {**sample.beside, name: sample.content}.items():
        (folder / each).write_bytes(content)
    return folder / name


def in_table(text: str, delimiter: str = ",") -> tuple[list[str], list[list[str]]]:
    """The names of columns and the rows of delimited text."""
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return header, rows


def as_before(text: str, frame: "pandas.DataFrame") -> None:
    """A table has the cells of a frame as text, and a prediction beside them."""
    header, rows = in_table(text)
    assert header == [*frame, "predicted", "probability"]
    assert rows == [[*row, "new", "0.5000"] for row in frame.astype(str).to_numpy().tolist()]


def of_parquet(folder: Path) -> None:
    as_before(predicted(put("a.parquet", folder), LABELS, input="text"), pandas.read_parquet(folder / "a.parquet"))
    found = [json.loads(line) for line in predicted(put("lists.parquet", folder), TAGS).splitlines()]
    before = json.loads(pandas.read_parquet(folder / "lists.parquet").to_json(orient="records"))
    assert [after.pop("predicted") for after in found] == [["0", "1"], ["0"]]
    assert [{key: after[key] for key in row} for after, row in zip(found, before, strict=True)] == before


def of_arrow(folder: Path) -> None:
    as_before(predicted(put("a.feather", folder), LABELS, input="text"), pandas.read_feather(folder / "a.feather"))


def of_excel(folder: Path) -> None:
    as_before(predicted(put("a.xlsx", folder), LABELS, input="text"), pandas.read_excel(folder / "a.xlsx", dtype=str))


def of_arff(folder: Path) -> None:
    path = folder / "n.arff"
    path.write_text("@relation r\n@attribute a numeric\n@attribute b real\n@attribute c {x,yz}\n@data\n1,2.5,x\n% no row\n3,-1e3,yz\n")
    header, rows = in_table(predicted(path, LABELS, format="arff", input="c", target="a"))
    before, meta = arff.loadarff(path)
    assert header[:-2] == meta.names()
    assert [(float(a), float(b), c.encode()) for a, b, c, *_ in rows] == [tuple(row) for row in before.tolist()]


def of_conll2012(folder: Path) -> None:
    path = put("conll2012.v4_gold_conll", folder)
    lines = [line for line in predicted(path, TAGS).splitlines() if line.strip()]
    before = [line for line in path.read_text().splitlines() if line.strip()]
    assert [line if line.startswith("#") else line.rpartition(" ")[0].split() for line in lines] == [
        line if line.startswith("#") else line.split() for line in before
    ]


def of_lines(name: str, texts: Callable[[str], str]) -> Callable[[Path], None]:
    def look(folder: Path) -> None:
        path = put(name, folder)
        rows = list(csv.reader(io.StringIO(predicted(path, LABELS)), delimiter="\t", quoting=csv.QUOTE_NONE))
        assert rows == [["new", "0.5000", texts(line)] for line in path.read_text().splitlines() if line]

    return look


def of_arrays(folder: Path) -> None:
    header, rows = in_table(predicted(put("a.npz", folder), LABELS))
    assert header == ["file", "sequence", "predicted", "probability"]
    assert rows == [[str(folder / "a.npz"), str(n), "new", "0.5000"] for n in range(len(np.load(folder / "a.npz")["X"]))]


def of_wide(folder: Path) -> None:
    path = folder / "w.csv"
    before = pandas.DataFrame({"label": ["a", "b"], **{f"t{n}": [n / 2, 1e-9] for n in range(6)}})
    before.to_csv(path, index=False)
    after = pandas.read_csv(io.StringIO(predicted(path, LABELS)), dtype=str)
    pandas.testing.assert_frame_equal(after[list(before)], pandas.read_csv(path, dtype=str))
    assert after["predicted"].tolist() == ["new", "new"]


def of_idx(folder: Path) -> None:
    path = put("x-images-idx3-ubyte", folder)
    assert in_table(predicted(path, LABELS))[1] == [[str(path), str(n + 1), "new", "0.5000"] for n in range(path.read_bytes()[7])]


def of_xes(folder: Path) -> None:
    path = put("a.xes", folder)
    header, rows = in_table(predicted(path, LABELS))
    traces = ElementTree.parse(path).getroot().iter("trace")
    before = [
        {f"case:{one.get('key')}": one.get("value") for one in trace if one.tag == "string"}
        | {one.get("key"): one.get("value") for one in event}
        for trace in traces
        for event in trace.iter("event")
    ]
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    assert [{key: row[key] for key in each} for row, each in zip(cells, before, strict=True)] == before
    assert [row["predicted"] for row in cells] == ["new"] * len(before)


def of_residues(name: str, known: str) -> Callable[[Path], None]:
    def look(folder: Path) -> None:
        path = put(name, folder)
        before = SeqIO.parse(io.StringIO(path.read_text()), known)
        after = SeqIO.parse(io.StringIO(predicted(path, LABELS)), "fasta")
        found = [(record.id, str(record.seq), 'predicted="new"' in record.description) for record in after]
        assert found == [(record.id, str(record.seq), True) for record in before]

    return look


def of_sound(folder: Path) -> None:
    as_before(predicted(put("sounds.csv", folder), LABELS), pandas.read_csv(folder / "sounds.csv"))
    (found,) = (json.loads(line) for line in predicted(put("sounds.jsonl", folder), LABELS).splitlines())
    assert found.pop("predicted") == "new"
    assert {key: found[key] for key in found if key != "probabilities"} == json.loads((folder / "sounds.jsonl").read_text())
    assert in_table(predicted(put("a.wav", folder), LABELS)) == (
        ["file", "predicted", "probability"],
        [[str(folder / "a.wav"), "new", "0.5000"]],
    )


def of_frames(folder: Path) -> None:
    as_before(predicted(put("frames.csv", folder), LABELS), pandas.read_csv(folder / "frames.csv"))
    assert in_table(predicted(put("c.png", folder), LABELS))[1] == [[str(folder / "c.png"), "new", "0.5000"]]


CHECKS: dict[str, Callable[[Path], None]] = {
    "parquet": of_parquet,
    "arrow": of_arrow,
    "excel": of_excel,
    "arff": of_arff,
    "conll2012": of_conll2012,
    "files": of_lines("files.txt", str),
    "fasttext": of_lines("fasttext.ft", lambda line: line.split(maxsplit=1)[1]),
    "arrays": of_arrays,
    "wide": of_wide,
    "idx": of_idx,
    "xes": of_xes,
    "fastq": of_residues("fastq.fastq", "fastq"),
    "genbank": of_residues("a.gb", "genbank"),
    "sound": of_sound,
    "frames": of_frames,
}


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_there_stays(name: str, tmp_path: Path) -> None:
    assert (name in CHECKS) != (name in ELSEWHERE)
    if name in CHECKS:
        CHECKS[name](tmp_path)
