"""What predictions add to a file leaves all in it as it was, and is told where a name is taken."""

import io
import json
from pathlib import Path

import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, read_examples, resolve_format, write_predictions
from unrolled.errors import UnrolledWarning

SAID = Prediction(labels=("x",), probabilities=(0.5,), known=("x", "y"), scores=(0.5, 0.5))


def written(path: Path, content: str, **options) -> str:
    path.write_text(content)
    reading = resolve_format([path], ReadingOptions(**options), Target.LABELS).to_predict()
    file = io.StringIO()
    write_predictions(((example, SAID) for example in read_examples(path, reading, Target.LABELS)), file, reading)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "options", "header"),
    [
        ("a.csv", "text,predicted,predicted_2\ngood,old,older\n", {"input": "text"}, "text,predicted,predicted_2,predicted_3,probability"),
        ("a.tsv", "text\tprobability \nso good\told\n", {"input": "text"}, "text\tprobability \tpredicted\tprobability_2"),
        ("a.csv", "case,act,predicted\n1,go,old\n", {"case": "case", "activity": "act"}, "case,act,predicted,predicted_2,probability"),
        ("a.csv", "predicted,t0,t1\na,1,2\n", {"format": "wide", "target": "predicted"}, "predicted,t0,t1,predicted_2,probability"),
        ("a.fa", '>one predicted="old"\nACGT\n', {}, '>one predicted="old" predicted_2="x" probability=0.5000'),
    ],
)
def test_columns_of_a_name_that_is_taken_get_a_number(tmp_path: Path, name: str, content: str, options: dict, header: str) -> None:
    if name.endswith(".fa"):
        pytest.importorskip("Bio")
    with pytest.warns(
        UnrolledWarning, match="is there already and stays as it is; what is predicted is written as '(predicted|probability)_"
    ):
        found = written(tmp_path / name, content, **options)
    assert found.splitlines()[0] == header


def test_keys_of_a_name_that_is_taken_get_a_number(tmp_path: Path) -> None:
    lines = '{"text":"good","predicted":"old"}\n{"text":"bad","probabilities":"mine"}\n'
    with pytest.warns(UnrolledWarning, match="line .: '(predicted|probabilities)' is there already") as told:
        found = [json.loads(line) for line in written(tmp_path / "a.jsonl", lines).splitlines()]
    assert len(told) == 2
    sure = {"x": 0.5, "y": 0.5}
    assert found[0] == {"text": "good", "predicted": "old", "predicted_2": "x", "probabilities": sure}
    assert found[1] == {"text": "bad", "probabilities": "mine", "predicted_2": "x", "probabilities_2": sure}


def test_a_list_is_written_as_one_and_a_lone_object_as_itself(tmp_path: Path) -> None:
    found = json.loads(written(tmp_path / "a.json", '[\n {"text":"good","k":1},\n {"text":"bad","k":2}\n]'))
    assert [(one["k"], one["predicted"]) for one in found] == [(1, "x"), (2, "x")]
    assert json.loads(written(tmp_path / "b.json", '{"text":"good"}'))["predicted"] == "x"


def test_numbers_that_json_has_not_become_null(tmp_path: Path) -> None:
    with pytest.warns(UnrolledWarning, match="line 1: a number is none that JSON has") as told:
        found = written(tmp_path / "a.jsonl", '{"text":"a","k":[1e400,{"q":NaN}]}\n{"text":"b","k":-1e400}\n')
    assert len(told) == 1
    assert [json.loads(line)["k"] for line in found.splitlines()] == [[None, {"q": None}], None]
