"""Spans of texts as tags of words, and JSON as annotators write it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples
from unrolled.data.formats.spans import spans_in, tagged_words
from unrolled.data.words import split_words
from unrolled.errors import DataError


def tags_of(path: Path, **options: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [(e.tokens, e.tags) for e in labelled_examples(path, ReadingOptions(**options), Target.TAGS)]


@pytest.mark.parametrize(
    ("key", "spans"),
    [
        ("entities", [[0, 12, "PER"], [22, 27, "LOC"]]),
        ("label", [[22, 27, "LOC"], [0, 12, "PER"]]),
        ("spans", [{"start": 0, "end": 12, "label": "PER"}, {"start": 22, "end": 27, "label": "LOC"}]),
        (
            "entities",
            [{"start_offset": 0, "end_offset": 12, "label": "PER", "id": 1}, {"start_offset": 22, "end_offset": 27, "label": "LOC"}],
        ),
    ],
)
def test_spans_become_tags(key: str, spans: list, tmp_path: Path) -> None:
    text = "Ada Lovelace\nlived in Paris."
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": text, key: spans}) + "\n" + json.dumps({"text": "no one", key: []}) + "\n")
    assert tags_of(tmp_path / "a.jsonl", target=key) == [
        (("Ada", "Lovelace", "lived", "in", "Paris", "."), ("B-PER", "I-PER", "O", "O", "B-LOC", "O")),
        (("no", "one"), ("O", "O")),
    ]


@given(st.text("ab é.\u0301", min_size=1, max_size=12), st.data())
def test_the_characters_of_a_span_are_those_of_its_tags(text: str, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text) - 1))
    last = data.draw(st.integers(first + 1, len(text)))
    words, tags = tagged_words(text, [(first, last, "X")])
    inside = [word for word, tag in zip(words, tags, strict=True) if tag != "O"]
    kept = "".join(text[first:last].split())
    assert "".join(inside) == "".join(split_words(kept)) or any(not part.isascii() for part in text)
    assert [tag for tag in tags if tag != "O"][:1] in ([], ["B-X"]) and tags.count("B-X") <= 1
    assert tagged_words(text, [])[1] == ("O",) * len(tagged_words(text, [])[0])


def test_a_word_is_cut_where_a_span_ends_in_it() -> None:
    assert tagged_words("Paris-based", [(0, 3, "X"), (3, 5, "Y")]) == (("Par", "is", "-", "based"), ("B-X", "B-Y", "O", "O"))


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([[0, 3, "A"], [2, 5, "B"]], "the span 'B' from 2 to 5 overlaps with one that ends at 3"),
        ([[0, 99, "A"]], "the span 'A' from 0 to 99 is not inside the text of 10 characters"),
        ([[3, 3, "A"]], "the span 'A' from 3 to 3 is not inside"),
        ([[0, 3]], "must be a list of tags"),
    ],
)
def test_bad_spans(spans: list, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "one two 3.", "entities": spans}))
    with pytest.raises(DataError, match=f"a.jsonl, line 1: .*{message}"):
        tags_of(tmp_path / "a.jsonl", target="entities")


def test_what_is_no_span() -> None:
    for value in ("B", ["B", "O"], [[0, 1]], [[0, 1, ""]], [{"start": 0}], None, 3):
        assert spans_in(value) is None


def test_arrays_of_objects_and_of_spacy(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"text": "a b", "label": "x"}, {"text": "c", "label": "y"}], indent=1))
    assert [(e.text, e.labels, e.place) for e in read_examples(path, ReadingOptions(), Target.LABELS)] == [
        ("a b", ("x",), f"{path}, object 1"),
        ("c", ("y",), f"{path}, object 2"),
    ]
    path.write_text(json.dumps([["Ada ran", {"entities": [[0, 3, "PER"]]}]]))
    assert tags_of(path, target="entities") == [(("Ada", "ran"), ("B-PER", "O"))]
    tokens = [
        {"orth": "Ada", "tag": "NNP", "ner": "B-PER"},
        {"orth": "Lovelace", "tag": "NNP", "ner": "L-PER"},
        {"orth": "ran", "tag": "VBD", "ner": "O"},
    ]
    path.write_text(json.dumps([{"id": 0, "paragraphs": [{"raw": "…", "sentences": [{"tokens": tokens}]}]}]))
    assert tags_of(path, target="ner_tags", input="tokens") == [(("Ada", "Lovelace", "ran"), ("B-PER", "I-PER", "O"))]
    path.write_text('[{"text": "a", "label": "x"}, 3, {"paragraphs": [{}]}]')
    with pytest.raises(DataError, match=r"a.json, object 2 must be a JSON object, got '3'"):
        list(read_examples(path, ReadingOptions(), Target.LABELS))


def test_keys_inside_objects(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"data": {"text": "a b"}, "meta": {"y": {"label": "x"}}}\n{"data": {"text": "c"}, "meta": {"y": {}}}\n')
    options = ReadingOptions(input="data.text", target="meta.y.label")
    with pytest.raises(DataError, match=r"line 2: there is no key 'meta.y.label', which is read since .* line 1"):
        list(read_examples(path, options, Target.LABELS))
    first, second = read_examples(path, options.to_predict(), Target.LABELS)
    assert (first.text, first.labels, second.text, second.labels) == ("a b", ("x",), "c", None)
