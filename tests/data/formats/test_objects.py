"""JSON Lines, and data sets that look like those of Hugging Face."""

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from unrolled.data.examples import Example, Prediction
from unrolled.data.formats import (
    ReadingOptions,
    from_hugging_face,
    labelled_examples,
    read_examples,
    resolve_reading,
    save_examples,
    write_predictions,
)
from unrolled.errors import ConfigError, DataError


def read(path: Path, *objects, tagged: bool = False, **options):
    path.write_text("\n".join(item if isinstance(item, str) else json.dumps(item) for item in objects))
    return list(read_examples(path, ReadingOptions(**options), tagged=tagged))


@pytest.mark.parametrize(
    ("record", "options", "labels"),
    [
        ({"text": "a b", "label": "x"}, {}, ("x",)),
        ({"text": "a b", "label": 3}, {}, ("3",)),
        ({"text": "a b", "label": True}, {}, ("true",)),
        ({"text": "a b", "labels": ["x", "y"]}, {}, ("x", "y")),
        ({"text": "a b", "labels": []}, {}, ()),
        ({"text": "a b", "labels": "x|y"}, {"separator": "|"}, ("x", "y")),
        ({"text": "a b", "label": None}, {}, None),
        ({"text": "a b"}, {}, None),
        ({"says": "a b", "mood": "x", "label": "y"}, {"input": "says", "target": "mood"}, ("x",)),
    ],
)
def test_labels(tmp_path: Path, record, options, labels) -> None:
    (found,) = read(tmp_path / "a.jsonl", record, **options)
    assert (found.text, found.tokens, found.labels) == ("a b", None, labels)


@pytest.mark.parametrize(
    ("record", "tokens", "tags"),
    [
        ({"tokens": ["a", "b c"], "tags": ["X", "Y"]}, ("a", "b c"), ("X", "Y")),
        ({"text": "a bc", "tags": "X Y"}, ("a", "bc"), ("X", "Y")),
        ({"text": "a bc", "tags": ["X", "Y"]}, ("a", "bc"), ("X", "Y")),
        ({"text": "ACD", "tags": "HHE"}, ("A", "C", "D"), ("H", "H", "E")),
        ({"text": "a b", "tags": "x-y"}, ("a", " ", "b"), ("x", "-", "y")),
        ({"text": "ab c", "tags": "x  y"}, ("ab", "c"), ("x", "y")),
        ({"text": "abc d", "tags": "x y z"}, ("a", "b", "c", " ", "d"), ("x", " ", "y", " ", "z")),
        ({"tokens": ["a", "b"], "tags": [0, 5]}, ("a", "b"), ("0", "5")),
        ({"tokens": ["a", "b"]}, ("a", "b"), None),
    ],
)
def test_tags(tmp_path: Path, record, tokens, tags) -> None:
    (found,) = read(tmp_path / "a.jsonl", record, tagged=True)
    assert (found.tokens, found.tags) == (tokens, tags)


@pytest.mark.parametrize(
    ("record", "tagged", "options", "message"),
    [
        ('{"text": ', False, {}, "line 2 must be a JSON object, .*Expecting value"),
        ("[1, 2]", False, {}, r"line 2 must be a JSON object, got '\[1, 2\]'. Write lists and texts under the keys of an object"),
        ('[{"text": "a"}]', False, {}, "line 2 must be a JSON object, got .*Write one object a line, as `jq"),
        ("[]", True, {}, r"line 2 must be a JSON object, got '\[\]'. Take the line out"),
        ({"text": " ", "label": "x"}, False, {}, """line 2: 'text' must have at least one token, got " ". Take it out, or fill it in"""),
        ({"tokens": [], "tags": []}, True, {}, r"line 2: 'tokens' must have at least one token, got \[\]. Take it out, or"),
        ({"text": 3, "label": "x"}, False, {}, "line 2: 'text' must be a text or a list of tokens, got 3. Pass another key as `--input`"),
        ({"tokens": ["a"], "tags": ["x", "y"]}, True, {}, "line 2: 'tags' must have as many tags as the sequence has tokens, 1, got 2"),
        ({"tokens": ["a"], "tags": {"x": 1}}, True, {}, "line 2: 'tags' must be a list of tags"),
        ({"text": "a", "label": {"x": 1}}, False, {}, "line 2: 'label' must be a text, a number"),
        ({"a": "b", "c": "d"}, False, {}, "which key has the sequence is not clear. Pass one of a, c as `--input`"),
        ({"text": "a", "label": "x"}, False, {"target": "y"}, "there is no key 'y'; the keys are text, label"),
    ],
)
def test_bad_objects(tmp_path: Path, record, tagged: bool, options, message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        read(tmp_path / "a.jsonl", "", record, tagged=tagged, **options)


def test_predictions_are_keys_beside_the_others(tmp_path: Path) -> None:
    examples = read(tmp_path / "a.jsonl", {"text": "é", "label": "x", "more": [1]}, {"text": "b"}, {"text": "c d"})
    examples[2] = replace(examples[2], tokens=("c", "d"))
    examples.append(Example("made up", text="d", labels=("x",)))
    predictions = [
        Prediction(labels=("y",), probabilities=(0.75,), chances={"x": 0.25, "y": 0.75}),
        Prediction(labels=("x", "y"), probabilities=(0.5, 0.625), several=True),
        Prediction(tags=("p", "q"), probabilities=(0.5, 0.125)),
        Prediction(labels=("y",)),
    ]
    file = io.StringIO()
    write_predictions(zip(examples, predictions, strict=True), file, ReadingOptions(format="jsonl"))
    assert "é" in file.getvalue()
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        {"text": "é", "label": "x", "more": [1], "predicted": "y", "probabilities": {"x": 0.25, "y": 0.75}},
        {"text": "b", "predicted": ["x", "y"], "probabilities": [0.5, 0.625]},
        {"text": "c d", "tokens": ["c", "d"], "predicted": ["p", "q"], "probabilities": [0.5, 0.125]},
        {"text": "d", "labels": ["x"], "predicted": "y", "probabilities": []},
    ]


@pytest.mark.parametrize("labels", [(), ("x",), ("x", "y")])
def test_labels_of_which_several_may_hold_are_a_list(labels) -> None:
    file = io.StringIO()
    write_predictions([(Example("here", text="a"), Prediction(labels=labels, several=True))], file, ReadingOptions(format="jsonl"))
    assert json.loads(file.getvalue())["predicted"] == list(labels)


class Rows(list):
    """What a data set is to a reader."""

    def __init__(self, rows, **features) -> None:
        super().__init__(rows)
        self.features = features


MOODS = SimpleNamespace(names=["bad", "good"])
SPANS = SimpleNamespace(feature=SimpleNamespace(names=["O", "B-p", "I-p"]))


def test_numbers_of_classes_become_their_names() -> None:
    rows = Rows([{"text": "a", "label": 1}, {"text": "b", "label": -1}], text=SimpleNamespace(), label=MOODS)
    assert [example.labels for example in from_hugging_face(rows)] == [("good",), None]
    rows = Rows([{"body": ["x", "y"], "ner": [1, 2]}], body=[SimpleNamespace()], ner=SPANS)
    (found,) = from_hugging_face(rows, "body", "ner", tagged=True)
    assert (found.tokens, found.tags) == (("x", "y"), ("B-p", "I-p"))
    several = Rows([{"text": "a", "labels": [1, 0]}], labels=[MOODS])
    assert [example.labels for example in from_hugging_face(several)] == [("good", "bad")]


def test_what_is_saved_is_read_again(tmp_path) -> None:
    rows = Rows([{"text": "a", "label": 1}, {"text": "b é", "label": -1}], label=MOODS)
    path = save_examples(from_hugging_face(rows), tmp_path / "some.jsonl")
    assert [(e.text, e.labels) for e in read_examples(path, ReadingOptions(), tagged=False)] == [("a", ("good",)), ("b é", None)]
    tagged = from_hugging_face(Rows([{"tokens": ["x", "y"], "tags": [1, 2]}], tags=SPANS), tagged=True)
    (found,) = read_examples(save_examples(tagged, path), ReadingOptions(), tagged=True)
    assert (found.tokens, found.tags) == (("x", "y"), ("B-p", "I-p"))
    with pytest.raises(DataError, match="has numbers"):
        save_examples([Example("here", numbers=np.zeros((2, 1), np.float32))], path)
    assert path.read_text().startswith('{"tokens"') and [p.name for p in tmp_path.iterdir()] == ["some.jsonl"]


def test_bad_data_sets() -> None:
    with pytest.raises(ConfigError, match="row 0: there is no key 'mood'; the keys are text, label"):
        list(from_hugging_face(Rows([{"text": "a", "label": 1}]), target="mood"))
    with pytest.raises(DataError, match=r"has the parts train, test. Pass one of them, such as dataset\['train'\]"):
        list(from_hugging_face({"train": Rows([]), "test": Rows([])}))


def test_keys_are_remembered_and_others_of_a_file_to_predict_are_no_labels(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"review": "a b", "stars": 2}\n')
    reading = resolve_reading(path, ReadingOptions(), tagged=False)
    assert reading.learnt == ("review", "stars")
    path.write_text('{"text": "x", "review": "c", "label": "y", "stars": 3}\n{"review": "d", "label": "y"}\n{"review": "d", "stars": {}}\n')
    assert [(e.text, e.labels) for e in read_examples(path, reading.to_predict(), tagged=False)] == [
        ("c", ("3",)),
        ("d", None),
        ("d", None),
    ]
    path.write_text('{"review": "a", "stars": null}\n')
    with pytest.raises(DataError, match=r"line 1: the sequence has no label. .* It was looked for in 'stars', as `--target` is not given"):
        list(labelled_examples(path, reading, tagged=False))
