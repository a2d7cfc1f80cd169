"""JSON Lines, and data sets that look like those of Hugging Face."""

import io
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats import (
    ReadingOptions,
    from_hugging_face,
    labelled_examples,
    read_examples,
    resolve_reading,
    save_examples,
    write_predictions,
)
from unrolled.errors import ConfigError, DataError, UnrolledError, UnrolledWarning

LABELS, TAGS, VALUES, STEP_VALUES = Target.LABELS, Target.TAGS, Target.VALUES, Target.STEP_VALUES


def read(path: Path, *objects, wanted: Target = Target.LABELS, **options):
    path.write_text("\n".join(item if isinstance(item, str) else json.dumps(item) for item in objects))
    return list(read_examples(path, ReadingOptions(**options), wanted))


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
        ({"text": "a,b", "tokens": ["a", ",", "b"], "tags": ["X", "O", "Y"]}, ("a", ",", "b"), ("X", "O", "Y")),
        ({"text": "a, b", "tokens": ["a", ",", "b"], "tags": ["X", "O", "Y"]}, ("a", ",", "b"), ("X", "O", "Y")),
    ],
)
def test_tags(tmp_path: Path, record, tokens, tags) -> None:
    (found,) = read(tmp_path / "a.jsonl", record, wanted=Target.TAGS)
    assert (found.tokens, found.tags) == (tokens, tags)


@pytest.mark.parametrize(
    ("record", "wanted", "options", "message"),
    [
        ('{"text": ', LABELS, {}, "line 2 must be a JSON object, .*Expecting value"),
        ("[1, 2]", LABELS, {}, r"line 2 must be a JSON object, got '\[1, 2\]'. Write lists and texts under the keys of an object"),
        ('[{"text": "a"}],', LABELS, {}, "line 2 must be a JSON object, got .*Write one object a line, as `jq"),
        ("[]", TAGS, {}, r"line 2 must be a JSON object, got '\[\]'. Take the line out"),
        ({"text": " ", "label": "x"}, LABELS, {}, """line 2: 'text' must have at least one token, got " ". Take it out, or fill it in"""),
        ({"tokens": [], "tags": []}, TAGS, {}, r"line 2: 'tokens' must have at least one token, got \[\]. Take it out, or"),
        ({"text": 3, "label": "x"}, LABELS, {}, "line 2: 'text' must be a text, a list of tokens or a series of numbers, got 3. Pass another key as `input`"),
        ({"tokens": ["a"], "tags": ["x", "y"]}, TAGS, {}, "line 2: 'tags' must have as many tags as the sequence has tokens, 1, got 2"),
        ({"tokens": ["a", "b"], "tags": ["x", ""]}, TAGS, {}, "line 2, step 2: the tag is empty. Fill it in"),
        ({"text": "a", "label": ["x", " "]}, LABELS, {}, "line 2: the label is empty"),
        ({"tokens": ["a"], "tags": {"x": 1}}, TAGS, {}, "line 2: 'tags' must be a list of tags"),
        ({"text": "a", "label": {"x": 1}}, LABELS, {}, "line 2: 'label' must be a text, a number"),
        ({"a": "b", "c": "d"}, LABELS, {}, "which key has the sequence is not clear. Pass one of a, c as `input`"),
        ({"text": "a", "label": "x"}, LABELS, {"target": "y"}, "there is no key 'y'; the keys are text, label"),
    ],
)  # fmt: skip
def test_bad_objects(tmp_path: Path, record, wanted: Target, options, message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        read(tmp_path / "a.jsonl", "", record, wanted=wanted, **options)


@pytest.mark.parametrize(
    ("first", "second", "wanted", "options", "message"),
    [
        ({"text": "a", "label": "x"}, {"sentence": "b", "label": "y"}, LABELS, {}, "line 3: there is no key 'text', which is read since .*a.jsonl, line 2; the keys are sentence, label. Add it, take the object out, or pass another key as `input`"),
        ({"text": "a", "label": "x"}, {"text": "b", "stars": 3}, LABELS, {}, "line 3: there is no key 'label', .*; the keys are text, stars. .* as `target`"),
        ({"says": "a", "mood": "x"}, {"text": "b", "label": "y"}, LABELS, {"input": "says", "target": "mood"}, "line 3: there is no key 'says'"),
        ({"says": "a", "mood": "x"}, {"text": "b", "label": "y"}, LABELS, {"learnt": ("says", "mood")}, "line 3: there is no key 'says'"),
        ({"text": "a", "p": 1, "q": 2}, {"text": "b", "p": 1, "y": 2}, VALUES, {"target": "p,q"}, "line 3: there is no key 'q'"),
        ({"tokens": ["a"], "tags": ["t"]}, {"text": "b", "tags": ["t"]}, TAGS, {}, "line 3: there is no key 'tokens'"),
    ],
)  # fmt: skip
def test_the_keys_of_the_first_object_hold_for_all(tmp_path: Path, first, second, wanted: Target, options, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.jsonl", "", first, second, wanted=wanted, **options)
    (tmp_path / "b.jsonl").write_text(json.dumps(second))
    (tmp_path / "a.jsonl").write_text(json.dumps(first))
    with pytest.raises(DataError, match=message.partition(",")[0].replace("line 3", "b.jsonl, line 1")):
        list(read_examples([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], ReadingOptions(**options), wanted))


def test_objects_that_are_only_to_be_labelled_may_lack_the_target_and_not_the_input(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": "x"}\n{"text": "b"}\n{"sentence": "c"}\n')
    examples = read_examples(path, ReadingOptions(learnt=("text", "label")).to_predict(), LABELS)
    assert [next(examples).labels, next(examples).labels] == [("x",), None]
    with pytest.raises(DataError, match="line 3: there is no key 'text'"):
        next(examples)


@pytest.mark.parametrize(
    ("record", "wanted", "tokens", "said"),
    [
        ({"text": "a", "label": 1.0}, LABELS, None, ("1",)),
        ({"text": "a", "label": 1.5}, LABELS, None, ("1.5",)),
        ({"text": "a", "label": [" x", False]}, LABELS, None, ("x", "false")),
        ('{"text": "a", "label": NaN}', LABELS, None, None),
        ({"tokens": ["a", 7, 2.0], "tags": [True, 0, "t"]}, TAGS, ("a", "7", "2"), ("true", "0", "t")),
    ],
)
def test_values_that_are_no_texts_are_written_as_in_json(tmp_path: Path, record, wanted: Target, tokens, said) -> None:
    (found,) = read(tmp_path / "a.jsonl", record, wanted=wanted)
    assert (found.tokens, found.tags if wanted is TAGS else found.labels) == (tokens, said)


@pytest.mark.parametrize(
    ("record", "wanted", "message"),
    [
        ({"tokens": ["a", None], "tags": ["t", "t"]}, TAGS, "line 2, step 2: 'tokens' must have a text or a number as each token, got null. Mend"),
        ({"tokens": ["a", True], "label": "x"}, LABELS, "line 2, step 2: 'tokens' must have a text .* got true"),
        ({"tokens": ["a", ["b"]], "label": "x"}, LABELS, r"line 2, step 2: 'tokens' must have a text .* got \[\"b\"\]"),
        ({"text": None, "label": "x"}, LABELS, "line 2: 'text' must be a text, .* got null"),
        ({"text": {"en": "a"}, "label": "x"}, LABELS, "line 2: 'text' must be a text, .* got {"),
        ({"tokens": ["a", "b"], "tags": ["t", None]}, TAGS, "line 2: 'tags' must be a list of tags"),
        ({"tokens": ["a", "b"], "tags": ["t", ""]}, TAGS, "line 2, step 2: the tag is empty"),
        ({"text": "a", "label": ["x", ""]}, LABELS, "line 2: the label is empty"),
        ({"text": "a", "label": ["x", None]}, LABELS, "line 2: 'label' must be a text, a number"),
        ('{"text": "a", "text": "b", "label": "x"}', LABELS, "line 2: the key 'text' comes twice in an object. Take one of them out"),
    ],
)  # fmt: skip
def test_what_says_nothing_becomes_no_word_and_no_label(tmp_path: Path, record, wanted: Target, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.jsonl", "", record, wanted=wanted)


def test_halves_of_characters_become_question_marks_which_is_told_once(tmp_path: Path) -> None:
    with pytest.warns(UnrolledWarning, match=r"line 2 has half of a character, such as \\ud83d,") as told:
        found = read(tmp_path / "a.jsonl", "", *(r'{"text": "a\ud83d", "label": "\udc00"}' for _ in range(2)))
    assert sum("half of a character" in str(one.message) for one in told) == 1
    assert [(e.text, e.labels) for e in found] == [("a?", ("?",))] * 2


def test_halves_of_characters_are_not_saved(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 3 has half of a character, '\\ud83d', which cannot be written. Take it out"):
        save_examples([Example("row 3", text="a\ud83d", labels=("x",))], tmp_path / "a.jsonl")
    assert not [*tmp_path.iterdir()]


def test_what_is_saved_has_the_same_keys_in_all_objects(tmp_path: Path) -> None:
    labels = [("x",), ("x", "y"), (), None]
    path = save_examples([Example("here", text="a", labels=found) for found in labels], tmp_path / "a.jsonl")
    assert [example.labels for example in read_examples(path, ReadingOptions(), LABELS)] == labels


def test_predictions_are_keys_beside_the_others(tmp_path: Path) -> None:
    examples = read(
        tmp_path / "a.jsonl", {"text": "é", "label": "x", "more": [1]}, {"text": "b", "label": None}, {"text": "c d", "label": "y"}
    )
    examples[2] = replace(examples[2], tokens=("c", "d"))
    examples.append(Example("made up", text="d", labels=("x",)))
    predictions = [
        Prediction(labels=("y",), probabilities=(0.75,), known=("x", "y"), scores=(0.25, 0.75)),
        Prediction(labels=("x", "y"), probabilities=(0.5, 0.625), known=("x", "y", "z"), scores=(0.5, 0.625, 0.125), several=True),
        Prediction(tags=("p", "q"), probabilities=(0.5, 0.125)),
        Prediction(labels=("y",), known=("y",), scores=(1,)),
    ]
    file = io.StringIO()
    write_predictions(zip(examples, predictions, strict=True), file, ReadingOptions(format="jsonl"))
    assert "é" in file.getvalue()
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        {"text": "é", "label": "x", "more": [1], "predicted": "y", "probabilities": {"x": 0.25, "y": 0.75}},
        {"text": "b", "label": None, "predicted": ["x", "y"], "probabilities": {"x": 0.5, "y": 0.625, "z": 0.125}},
        {"text": "c d", "label": "y", "tokens": ["c", "d"], "predicted": ["p", "q"], "probabilities": [0.5, 0.125]},
        {"text": "d", "labels": ["x"], "predicted": "y", "probabilities": {"y": 1}},
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
    assert [(e.text, e.labels) for e in read_examples(path, ReadingOptions(), Target.LABELS)] == [("a", ("good",)), ("b é", None)]
    tagged = from_hugging_face(Rows([{"tokens": ["x", "y"], "tags": [1, 2]}], tags=SPANS), tagged=True)
    (found,) = read_examples(save_examples(tagged, path), ReadingOptions(), Target.TAGS)
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
    reading = resolve_reading(path, ReadingOptions(), Target.LABELS)
    assert reading.learnt == ("review", "stars")
    path.write_text('{"text": "x", "review": "c", "label": "y", "stars": 3}\n{"review": "d", "label": "y"}\n{"review": "d", "stars": {}}\n')
    assert [(e.text, e.labels) for e in read_examples(path, reading.to_predict(), Target.LABELS)] == [
        ("c", ("3",)),
        ("d", None),
        ("d", None),
    ]
    path.write_text('{"review": "a", "stars": null}\n')
    with pytest.raises(DataError, match=r"line 1: the sequence has no label. .* It was looked for in 'stars', as `target` is not given"):
        list(labelled_examples(path, reading, Target.LABELS))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"x": [1, 2.5, None]}, [[1], [2.5], [2.5]]),
        ({"x": [None, -1]}, [[np.nan], [-1]]),
        ({"x": [[1, 2], [3, None]]}, [[1, 2], [3, 2]]),
        ({"x": [[7]]}, [[7]]),
        ('{"x": [NaN, 1]}', [[np.nan], [1]]),
    ],
)
def test_lists_of_numbers_are_series(tmp_path: Path, record, expected) -> None:
    (found,) = read(tmp_path / "a.jsonl", record, input="x", impute=True)
    assert (found.text, found.tokens, found.numbers.dtype) == (None, None, np.float32)
    np.testing.assert_array_equal(found.numbers, expected)


def test_series_have_labels_and_tags_as_texts_have(tmp_path: Path) -> None:
    record = {"id": 7, "x": [1, 2], "label": "up", "tags": ["u", "d"]}
    (found,) = read(tmp_path / "a.jsonl", record, input="x")
    assert (found.numbers.tolist(), found.labels, found.name) == ([[1], [2]], ("up",), "7")
    (found,) = read(tmp_path / "a.jsonl", record, wanted=TAGS, input="x", target="tags")
    assert (found.numbers.tolist(), found.tags, found.tokens) == ([[1], [2]], ("u", "d"), None)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"x": [1, "a"]}, """line 2, step 2: 'x' must have 1 number at each step as at the first, got "a". Mend the object"""),
        ({"x": [1, True]}, "line 2, step 2: 'x' must have 1 number at each step as at the first, got true"),
        ({"x": [1, 10**400]}, "line 2, step 2: 'x' must have 1 number at each step as at the first, got 1000"),
        ({"x": [[1, 2], [3]]}, r"line 2, step 2: 'x' must have 2 numbers at each step as at the first, got \[3\]"),
        ({"x": [[1, 2], 3]}, "line 2, step 2: 'x' must have 2 numbers at each step as at the first, got 3"),
        ({"x": [[], []]}, r"line 2, step 1: 'x' must have 1 number at each step as at the first, got \[\]"),
        ({"x": [1, 1e39]}, "line 2, step 2, number 1 of 'x': a value must be a finite 32-bit number"),
        ('{"x": [[1, 2], [3, -Infinity]]}', "line 2, step 2, number 2 of 'x': a value must be a finite 32-bit number"),
        ({"x": [1, None]}, "line 2, step 2, number 1 of 'x': the value is missing, one of 1 in this sequence. Pass `impute`"),
        ({"x": [1, 2], "tags": ["u"]}, "line 2: 'tags' must have as many tags as the sequence has steps, 2, got 1"),
    ],
)  # fmt: skip
def test_bad_series(tmp_path: Path, record, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.jsonl", "", record, wanted=TAGS, input="x")


@pytest.mark.parametrize(
    ("record", "options", "expected"),
    [
        ({"text": "a", "label": 2}, {}, [2]),
        ({"text": "a", "score": -0.5}, {}, [-0.5]),
        ({"text": "a", "y": [1, 2]}, {}, [1, 2]),
        ({"text": "a", "q": [2, 3], "p": 1}, {"target": "p,q"}, [1, 2, 3]),
        ({"text": "a", "p,q": 1, "p": 2}, {"target": "p,q"}, [1]),
        ({"x": [1, 2], "y": 3}, {"input": "x"}, [3]),
        ({"text": "a", "y": None}, {}, None),
        ({"text": "a", "p": 1, "q": None}, {"target": "p,q"}, None),
        ({"text": "a"}, {}, None),
    ],
)
def test_numbers_to_predict_of_one_key_or_of_several(tmp_path: Path, record, options, expected) -> None:
    (found,) = read(tmp_path / "a.jsonl", record, wanted=VALUES, **options)
    assert (None if found.values is None else found.values.tolist(), found.labels) == (expected, None)


@pytest.mark.parametrize(
    ("record", "options", "tokens", "expected"),
    [
        ({"tokens": ["a", "b c"], "y": [1, 2.5]}, {}, ("a", "b c"), [[1], [2.5]]),
        ({"tokens": ["a", "b"], "y": [[1, 2], [3, 4]]}, {}, ("a", "b"), [[1, 2], [3, 4]]),
        ({"tokens": ["a", "b"], "p": [1, 2], "q": [3, 4]}, {"target": "q,p"}, ("a", "b"), [[3, 1], [4, 2]]),
        ({"tokens": ["a", "b"], "p": [1, 2], "q": [[3, 5], [4, 6]]}, {"target": "p,q"}, ("a", "b"), [[1, 3, 5], [2, 4, 6]]),
        ({"x": [0.5, 1], "y": [1, 2]}, {"input": "x"}, None, [[1], [2]]),
        ({"text": "a bc", "y": [1, 2]}, {}, ("a", "bc"), [[1], [2]]),
        ({"text": "abc", "y": [1, 2, 3]}, {}, ("a", "b", "c"), [[1], [2], [3]]),
        ({"tokens": ["a"], "y": None}, {}, ("a",), None),
    ],
)
def test_numbers_to_predict_for_each_step(tmp_path: Path, record, options, tokens, expected) -> None:
    (found,) = read(tmp_path / "a.jsonl", record, wanted=STEP_VALUES, **options)
    assert (found.tokens, None if found.values is None else found.values.tolist(), found.tags) == (tokens, expected, None)


BAD_NUMBERS = [
    ({"text": "a", "y": "high"}, VALUES, {}, """line 2: 'y' must be numbers, got "high". Mend the object, or pass another `target`"""),
    ({"text": "a", "y": True}, VALUES, {}, "line 2: 'y' must be numbers, got true"),
    ({"text": "a", "y": 10**400}, VALUES, {}, "line 2: 'y' must be numbers, got 1000"),
    ('{"text": "a", "y": NaN}', VALUES, {}, "line 2: 'y' must be numbers, got NaN"),
    ('{"text": "a", "y": 1e999}', VALUES, {}, "line 2: 'y' must be numbers, got Infinity"),
    ({"text": "a", "y": []}, VALUES, {}, r"line 2: 'y' must be numbers, got \[\]"),
    ({"text": "a", "y": [[1]]}, VALUES, {}, r"line 2: 'y' must be numbers, got \[\[1\]\]"),
    ({"text": "a", "p": 1, "q": "b"}, VALUES, {"target": "p,q"}, r"""line 2: 'p', 'q' must be numbers, got \[1, "b"\]"""),
    ({"tokens": ["a", "b"], "y": [1]}, STEP_VALUES, {}, r"line 2: 'y' must be numbers for each step, 2 of them, got \[1\]. Mend the object"),
    ({"tokens": ["a", "b"], "y": 3}, STEP_VALUES, {}, "line 2: 'y' must be numbers for each step, 2 of them, got 3"),
    ({"tokens": ["a", "b"], "y": [[1], [2, 3]]}, STEP_VALUES, {}, "line 2: 'y' must be numbers for each step, 2 of them, got"),
    ({"tokens": ["a", "b"], "y": [1, None]}, STEP_VALUES, {}, r"line 2: 'y' must be numbers for each step, got \[1, null\]"),
    ({"tokens": ["a", "b"], "p": [1, 2], "q": [3]}, STEP_VALUES, {"target": "p,q"}, "line 2: 'p', 'q' must be numbers for each step, 2 of them"),
    ({"text": "a b", "y": [1, 2, 3, 4]}, STEP_VALUES, {}, "line 2: 'y' must be numbers for each step, 2 of them, got"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "wanted", "options", "message"), BAD_NUMBERS)
def test_bad_numbers_to_predict(tmp_path: Path, record, wanted: Target, options, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "a.jsonl", "", record, wanted=wanted, **options)


@pytest.mark.parametrize(("record", "wanted", "options", "message"), BAD_NUMBERS)
def test_numbers_that_are_not_needed_may_be_wrong(tmp_path: Path, record, wanted: Target, options, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(record if isinstance(record, str) else json.dumps(record))
    reading = ReadingOptions(**{"target": "y", **options}).to_predict()
    (found,) = read_examples(path, reading, wanted)
    assert found.values is None
    assert (found.text is None) != (found.tokens is None)


def test_an_object_without_a_number_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "p": 1, "q": null}\n')
    for wanted, what in ((VALUES, "number"), (STEP_VALUES, "numbers")):
        with pytest.raises(DataError, match=f"line 1: the sequence has no {what}. Name .* It was looked for in 'p', 'q'. To leave"):
            list(labelled_examples(path, ReadingOptions(target="p,q"), wanted))


@pytest.mark.parametrize(
    ("record", "wanted", "options", "learnt", "left"),
    [
        ({"id": 1, "text": "a", "p": 1, "q": 2, "note": 0}, VALUES, {"target": "q,p"}, ("text", "q", "p"), ("note",)),
        ({"x": [1, 2], "y": [3, 4], "label": "u"}, STEP_VALUES, {"input": "x", "target": "y"}, ("x", "y"), ("label",)),
        ({"review": "a b", "stars": 2, "when": 3}, VALUES, {}, ("review", "stars"), ("when",)),
        ({"tokens": ["a"], "label": "x", "tags": ["t"]}, TAGS, {"target": "tags"}, ("tokens", "tags"), ("label",)),
        ({"text": "a", "note": 1}, LABELS, {}, (), ()),
    ],
)
def test_what_is_learnt_and_what_is_left_out_is_said(tmp_path: Path, record, wanted: Target, options, learnt, left) -> None:
    (tmp_path / "a.jsonl").write_text(f"\n{json.dumps(record)}\n")
    reading = resolve_reading(tmp_path / "a.jsonl", ReadingOptions(**options), wanted)
    assert (reading.learnt, reading.learnt_targets, reading.left) == (learnt, learnt[1:], left)


def test_another_file_is_read_from_all_the_keys_that_were_learnt(tmp_path: Path) -> None:
    learnt = {"learnt": ("text", "p", "q")}
    (found,) = read(tmp_path / "a.jsonl", {"label": 9, "text": "a", "q": 2, "p": 1}, wanted=VALUES, **learnt)
    assert found.values.tolist() == [1, 2]
    (found,) = read(tmp_path / "a.jsonl", {"text": "b", "p": 1, "label": 9}, wanted=VALUES, **learnt)
    assert found.values is None


def test_predicted_numbers_are_keys_beside_the_others(tmp_path: Path) -> None:
    series, texts = ({"x": [1, 2]}, {"x": [3, 4]}), ({"text": "b"}, {"text": "c d"})
    examples = read(tmp_path / "a.jsonl", *series, wanted=VALUES, learnt=("x",)) + read(tmp_path / "a.jsonl", *texts, wanted=VALUES)
    examples[1:3] = examples[2:0:-1]
    examples[3] = replace(examples[3], tokens=("c", "d"))
    examples.append(Example("made up", text="e", values=np.array([0.5])))
    predictions = [
        Prediction(values=np.array([1 / 3])),
        Prediction(values=np.array([1.0, 2.0]), deviations=np.array([0.5, 0.25])),
        Prediction(values=np.array([[1.0], [2.0]])),
        Prediction(values=np.array([[1.0, 2.0], [3.0, 4.0]]), deviations=np.array([[0.5, 0.25], [1.0, 2.0]])),
        Prediction(values=np.array([1.0])),
    ]
    file = io.StringIO()
    write_predictions(zip(examples, predictions, strict=True), file, ReadingOptions(format="jsonl"))
    assert [json.loads(line) for line in file.getvalue().splitlines()] == [
        {"x": [1, 2], "predicted": 0.33333333},
        {"text": "b", "predicted": [1, 2], "deviations": [0.5, 0.25]},
        {"x": [3, 4], "predicted": [[1], [2]]},
        {"text": "c d", "tokens": ["c", "d"], "predicted": [[1, 2], [3, 4]], "deviations": [[0.5, 0.25], [1, 2]]},
        {"text": "e", "target": [0.5], "predicted": 1},
    ]


def test_numbers_to_predict_that_are_saved_are_read_again(tmp_path: Path) -> None:
    whole = Example("here", text="a", values=np.array([0.5, 2.0]))
    path = save_examples([whole], tmp_path / "some.jsonl")
    (found,) = read_examples(path, ReadingOptions(), VALUES)
    assert (found.text, found.values.tolist()) == ("a", [0.5, 2])
    steps = Example("here", tokens=("a", "b"), values=np.array([[0.5], [2.0]]))
    (found,) = read_examples(save_examples([steps], path), ReadingOptions(), STEP_VALUES)
    assert (found.tokens, found.values.tolist()) == (("a", "b"), [[0.5], [2]])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "which key has the sequence is not clear. Pass one of data.body, data.head, meta.kind as `input`"),
        ({"input": "body"}, "there is no key 'body'; the keys are data.body, data.head, meta.kind. Pass one"),
        ({"input": "data"}, "'data' must be a text, .* Pass another key as `input`, such as data.body"),
        ({"input": "data.body", "target": "kind"}, "there is no key 'kind'; the keys are data.body, data.head, meta.kind. Pass one"),
    ],
)
def test_keys_inside_others_are_named_as_they_can_be_passed(options, told, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"data": {"body": "a b", "head": "c"}, "meta": {"kind": "x"}}\n')
    with pytest.raises(UnrolledError, match=told):
        list(read_examples(path, ReadingOptions(**options), LABELS))
    found = ReadingOptions(input="data.body", target="meta.kind")
    assert [(one.text, one.labels) for one in labelled_examples(path, found, LABELS)] == [("a b", ("x",))]
    assert resolve_reading(path, found, LABELS).left == ("data.head",)
