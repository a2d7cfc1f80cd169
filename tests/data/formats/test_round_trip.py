"""Files that are written with predictions say the same to other readers as before, and one column more."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from Bio import SeqIO
from conllu import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from written_again import LABELS, TAGS, predicted

pandas = pytest.importorskip("pandas")

CELLS = st.text("ab 0é\"',;\t\n|#=", max_size=6).map(str.strip)
TEXTS = CELLS.filter(bool)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CELLS, TEXTS, CELLS), min_size=1, max_size=4), st.sampled_from([",", ";", "\t", "|"]))
def test_delimited_tables(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], delimiter: str) -> None:
    names = ["first", "text", "last"]
    path = tmp_path_factory.mktemp("tables") / ("a.tsv" if delimiter == "\t" else "a.csv")
    pandas.DataFrame(rows, columns=names).to_csv(path, sep=delimiter, index=False)
    before, *cells = csv.reader(io.StringIO(path.read_text(), newline=""), delimiter=delimiter)
    header, *found = csv.reader(io.StringIO(predicted(path, LABELS, input="text"), newline=""), delimiter=delimiter)
    assert header == [*before, "predicted", "probability"]
    assert found == [[*row, "new", "0.5000"] for row in cells] == [[*row, "new", "0.5000"] for row in rows]


def test_plain_quotes_between_tabs_stay_as_they_are(tmp_path: Path) -> None:
    content = 'text\tn\n"Hello" he said\t1\n5" pipe\t2\n"""b"" c"\t3\n"d"\t4\n'
    (tmp_path / "a.tsv").write_text(content)
    lines = predicted(tmp_path / "a.tsv", LABELS).splitlines()
    assert [line.removesuffix("\tnew\t0.5000") for line in lines[1:]] == content.splitlines()[1:]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            TEXTS,
            st.recursive(
                st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | CELLS, st.lists, max_leaves=3
            ),
            max_size=3,
        ),
        min_size=1,
        max_size=3,
    )
)
def test_json_lines(tmp_path_factory: pytest.TempPathFactory, records: list[dict]) -> None:
    path = tmp_path_factory.mktemp("objects") / "a.jsonl"
    records = [{**record, "text": "a b"} for record in records]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    found = [json.loads(line) for line in predicted(path, LABELS, input="text").splitlines()]
    for before, after in zip(records, found, strict=True):
        assert after.pop("predicted") == "new" and after.pop("probabilities") == {"new": 0.5, "old": 0.5}
        before = {key: value for key, value in before.items() if key not in ("predicted", "probabilities")}
        assert json.dumps(after, sort_keys=True) == json.dumps(before, sort_keys=True)


def test_series_and_events(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    before = pandas.DataFrame({"id": ["b", "a", "b"], "note": ["x, y", 'q"', None], "when": [3, 1, 2], "x": [0.1, 2.0, 1e-9]})
    before.to_csv(path, index=False)
    for options in ({"series": "id", "time": "when", "channels": ("x",)}, {"case": "id", "activity": "note", "time": "when"}):
        if "case" in options:
            before.assign(note="go").to_csv(path, index=False)
        after = pandas.read_csv(io.StringIO(predicted(path, TAGS, **options)), dtype=str)
        pandas.testing.assert_frame_equal(after[list(before)], pandas.read_csv(path, dtype=str))
        assert after["predicted"].tolist() == ["1", "0", "0"]


def test_tokens(tmp_path: Path) -> None:
    path, content = tmp_path / "a.conll", "-DOCSTART- O\n\n# id a\nAda  B-PER\nran O\n\nNo O\n\n# id end\n"
    path.write_text(content)
    lines = predicted(path, TAGS).splitlines()
    assert [line.rpartition(" ")[0] if line.endswith((" 0", " 1")) else line for line in lines if line] == [
        line for line in content.splitlines() if line
    ]


CONLLU = """# sent_id = 1
# text = del mar
1-2\tdel\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
1\tde\tde\tADP\t_\t_\t3\tcase\t_\t_
2\tel\tel\tDET\t_\tGender=Masc\t3\tdet\t_\tA=b|Predicted=X
3\tmar\tmar\tNOUN\t_\t_\t0\troot\t_\t_
3.1\tx\t_\t_\t_\t_\t_\t_\t0:root\t_

"""


def test_conllu(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text(CONLLU)
    (before,), (after,) = parse(CONLLU), parse(predicted(tmp_path / "a.conllu", TAGS))
    assert after.metadata == before.metadata and len(after) == len(before)
    steps = iter("012")
    for old, new in zip(before, after, strict=True):
        if isinstance(old["id"], int):
            assert new["misc"].pop("Predicted") == next(steps)
        kept = {key: value for key, value in (old["misc"] or {}).items() if key != "Predicted"}
        assert (new["misc"] or {}) == kept
        assert {key: new[key] for key in new if key != "misc"} == {key: old[key] for key in old if key != "misc"}


def test_fasta(tmp_path: Path) -> None:
    (tmp_path / "a.fa").write_text(">one first, label=x\nACgtNN\nacgt\n>two\nGG\n")
    before, after = (
        list(SeqIO.parse(io.StringIO((tmp_path / "a.fa").read_text()), "fasta")),
        list(SeqIO.parse(io.StringIO(predicted(tmp_path / "a.fa", LABELS)), "fasta")),
    )
    assert [(record.id, record.seq) for record in after] == [(record.id, record.seq) for record in before]
    assert [record.description for record in after] == [f'{record.description} predicted="new" probability=0.5000' for record in before]
    regions = pandas.read_csv(io.StringIO(predicted(tmp_path / "a.fa", TAGS)), sep="\t", header=None)
    assert regions[[0, 1, 2]].to_numpy().tolist() == [["one", n, n + 1] for n in range(10)] + [["two", n, n + 1] for n in range(2)]


def test_time_series(tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_text("# c\n@problemName p\n@univariate false\n@classLabel true old new\n@data\n1,2.50:3,4:old\n5:6:new\n")
    header, _, cases = predicted(path, LABELS).partition("@data\n")
    assert "@problemName p\n" in header and "@classLabel true new old" in header
    found = [[np.fromstring(part, sep=",").tolist() for part in line.split(":")[:-1]] for line in cases.splitlines()]
    assert found == [[[1, 2.5], [3, 4]], [[5], [6]]] and all(line.endswith(":new") for line in cases.splitlines())


def test_texts_without_labels(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text('a "b" c\n\n x\ty \n')
    rows = list(csv.reader(io.StringIO(predicted(tmp_path / "a.txt", LABELS)), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert rows == [["new", "0.5000", 'a "b" c'], ["new", "0.5000", " x", "y "]]
