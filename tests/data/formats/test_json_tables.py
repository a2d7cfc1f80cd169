"""JSON files of which the one value is a table: each against what pandas wrote, or wrote by hand."""

import json
from pathlib import Path

import pytest

from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs
from unrolled.errors import DataError, UnrolledWarning

TEXTS, LABELS = ["a b", "c", "d e f"], ["x", "y", "x"]
ROWS = [{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)]


def labels_of(path: Path, **options) -> list[tuple[str | None, str | None]]:
    found = read_examples(path, ReadingOptions(**options), Target.LABELS)
    return [(example.text, example.labels[0] if example.labels else None) for example in found]


@pytest.mark.parametrize("orient", ["list", "split", "index", "columns", "records", "table", "named"])
@pytest.mark.parametrize("indent", [None, 1])
def test_pandas_writes_tables_in_many_ways(tmp_path: Path, orient: str, indent: int | None) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS, "label": LABELS})
    if orient == "named":
        frame.index = ["first", "second", "third"]
    path = tmp_path / "a.json"
    if orient == "list":
        path.write_text(json.dumps(frame.to_dict(orient="list"), indent=indent))
    else:
        frame.to_json(path, orient="index" if orient == "named" else orient, indent=indent)
    assert labels_of(path) == [*zip(TEXTS, LABELS, strict=True)]
    found = [*read_examples(path, ReadingOptions(), Target.LABELS)]
    assert [example.name for example in found] == (["first", "second", "third"] if orient == "named" else [None] * 3)


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ({"version": "1.0", "data": ROWS}, ["'data' 1", "'data' 2", "'data' 3"]),
        ({"data": ROWS}, ["'data' 1", "'data' 2", "'data' 3"]),
        ({"text": TEXTS, "label": LABELS, "meta": [{}, {}, {}]}, ["row 1", "row 2", "row 3"]),
        ({"text": {"p": "a b", "q": "c", "r": "d e f"}, "label": {"p": "x", "q": "y", "r": "x"}}, ["'p'", "'q'", "'r'"]),
        (ROWS, ["object 1", "object 2", "object 3"]),
    ],
)
def test_tables_in_one_object(tmp_path: Path, value, places) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(value))
    assert labels_of(path) == [*zip(TEXTS, LABELS, strict=True)]
    assert [example.place for example in read_examples(path, ReadingOptions(), Target.LABELS)] == [f"{path}, {place}" for place in places]


def test_columns_of_pairs_and_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"source": ["a b", "c d"], "target": ["e", "f"]}))
    assert [(pair.text, pair.texts) for pair in read_pairs([str(path)], PairOptions())] == [("a b", ("e",)), ("c d", ("f",))]
    path.write_text(json.dumps({"tokens": [["a", "b"], ["c", "d"]], "tags": [["X", "Y"], ["Z", "Z"]]}))
    found = read_examples(path, ReadingOptions(), Target.TAGS)
    assert [(example.tokens, example.tags) for example in found] == [(("a", "b"), ("X", "Y")), (("c", "d"), ("Z", "Z"))]


def test_an_object_over_several_lines_is_one_sequence(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"text": "a b", "label": "x", "entities": [{"start": 0}]}, indent=2))
    assert labels_of(path) == [("a b", "x")]
    path.write_text(json.dumps({"data": {"text": "a b", "label": "x"}}))
    assert labels_of(path, input="data.text", target="data.label") == [("a b", "x")]


@pytest.mark.parametrize("value", [{"tokens": ["a", "b"], "tags": ["X", "Y"]}, {"x": [0.5, 1.5], "tags": ["X", "Y"]}])
def test_what_may_be_a_sequence_is_one_and_it_is_said(tmp_path: Path, value) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(value))
    with pytest.warns(
        UnrolledWarning, match=r"a.json has lists of one length \('\w+' has 2, 'tags' has 2\), and is read as one sequence. If each is"
    ):
        (found,) = read_examples(path, ReadingOptions(input=next(iter(value))), Target.TAGS)
    assert (found.steps, found.tags) == (2, ("X", "Y"))
    path.rename(tmp_path / "a.jsonl")
    (found,) = read_examples(tmp_path / "a.jsonl", ReadingOptions(input=next(iter(value))), Target.TAGS)
    assert found.tags == ("X", "Y")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"text": TEXTS, "label": ["x"]}, "a.json has columns of different lengths: 'text' has 3, 'label' has 1. Mend it, or .* in .jsonl"),
        (
            {"train": ROWS, "test": ROWS[:1]},
            "a.json has several tables, 'train', 'test'. Write each .* `jq -c '.train.*' FILE > train.jsonl",
        ),
        ({"data": [["a b", "x"], ["c", "y"]]}, "a.json: the rows under 'data' have no names of columns. Write each as an object"),
        ({"columns": ["text", "label"], "data": [["a", "x"], ["b"]]}, r"a.json, row 2 must have 2 cells, .* got \['b'\]. Mend the row"),
        (
            {"p": {"q": "a", "r": "b"}, "s": {"q": "c", "r": "d"}},
            "a.json: whether 'p', 's' are rows or columns is not clear. Write an object",
        ),
        ('{"text": ["a b"], "label": ["x"], "text": ["c"]}', "a.json: the key 'text' comes twice in an object. Take one of them out"),
        ('[{"text": "a b", "label": "x", "text": "c"}]', "a.json: the key 'text' comes twice in an object. Take one of them out"),
        ('{"text": ["a b"], "label"', "a.json, line 1 must be a JSON object, got .*Expecting ':'"),
        ('{"text": "a b",\n"label": "x"}\n{"text": "c"}\n', "a.json, line 1 must be a JSON object, got .*jq -c . FILE"),
    ],
)
def test_what_is_no_table_is_refused_with_a_cure(tmp_path: Path, value, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    with pytest.raises(DataError, match=message):
        labels_of(path)


def test_lines_stay_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    assert labels_of(path) == [*zip(TEXTS, LABELS, strict=True)]
    path.write_text('{"text": "a", "label": "x"\n{"text": "b", "label": "y"}\n')
    with pytest.warns(UnrolledWarning, match="1 bad row is left out. The first: .*a.json, line 1 must be"):
        assert labels_of(path, bad_rows="skip") == [("b", "y")]
