"""Files with a token a line."""

import io
from pathlib import Path

import pytest

from unrolled.data.examples import Prediction
from unrolled.data.formats import ReadingOptions, read_examples, write_predictions
from unrolled.errors import ConfigError, DataError


def read(path: Path, content: str, predict: bool = False, **options):
    path.write_text(content, encoding="utf-8", newline="")
    asked = ReadingOptions(**options)
    return list(read_examples(path, asked.to_predict() if predict else asked, tagged=True))


def pairs(examples) -> list:
    return [list(zip(e.tokens, e.tags, strict=True)) for e in examples]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("a\tX\nb c\tY\n\t\nd\tZ\n\n\n", {}, [[("a", "X"), ("b c", "Y")], [("d", "Z")]]),
        ("a  X\r\nb X\r\n \r\nc Y", {}, [[("a", "X"), ("b", "X")], [("c", "Y")]]),
        ("-DOCSTART- -X- O\n\na N B-p\nb V O\n", {}, [[("a", "B-p"), ("b", "O")]]),
        ("-DOCSTART- O\na O\n\n-DOCSTART- O\n\nb O\n", {}, [[("a", "O")], [("b", "O")]]),
        ("a N B-p\nb V O\n", {"column": "1"}, [[("a", "N"), ("b", "V")]]),
        ("a N B-p\nb V O\n", {"column": "-2", "input": "2"}, [[("B-p", "N"), ("O", "V")]]),
        ("1 a X\n2 b Y\n\n1 c X\n", {}, [[("a", "X"), ("b", "Y")], [("c", "X")]]),
        ("# id x\n# tag Y\n#\tX\n", {}, [[("#", "X")]]),
        ("# id 9 domain=x\na _ _ X\n\n# _ _ Y\n", {}, [[("a", "X")], [("#", "Y")]]),
        ("# id 9\n# X\nb Y\n", {}, [[("#", "X"), ("b", "Y")]]),
        ("\u200b\tX\n\ufeff\tY\n\u00a0\tX\n", {}, [[("\u200b", "X"), ("\ufeff", "Y"), ("\u00a0", "X")]]),
    ],
)
def test_tokens_and_tags(tmp_path: Path, content: str, options, expected) -> None:
    assert pairs(read(tmp_path / "a.conll", content, **options)) == expected


def test_iob1_becomes_bio_over_the_whole_file(tmp_path: Path) -> None:
    found = read(tmp_path / "a.conll", "a I-p\nb B-p\n\nc I-p\n")
    assert [example.tags for example in found] == [("B-p", "B-p"), ("B-p",)]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("a X\nb\n", {}, "line 2: a line must have 2 columns as the first of the file has, got 1"),
        ("a\tX\n\n\tX\n", {}, "line 3: the token is empty"),
        ("a X\n", {"column": "2"}, "no column '2'; its columns are 0 to 1"),
        ("a X\n", {"column": "upos"}, "no column 'upos'"),
        ("# id 1\na B-p\nb O\n\nc B-p\nd O\ne I-p\n", {}, "line 7: I-p must come after B-p or I-p"),
        ("", {}, "no lines with tokens"),
    ],
)
def test_bad_files(tmp_path: Path, content: str, options, message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        read(tmp_path / "a.conll", content, **options)


def test_a_file_to_predict_has_no_tags_or_any(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.conll", "a\nb\n", predict=True, column="3")
    assert (found.tokens, found.tags) == (("a", "b"), None)
    (found,) = read(tmp_path / "b.conll", "a O\nb I-p\n\n", predict=True)
    assert found.tags == ("O", "I-p")


def test_predictions_are_one_more_column(tmp_path: Path) -> None:
    content = "-DOCSTART- O\n\n# id 1\na O\nb O\n\nc O\n\n"
    examples = read(tmp_path / "a.conll", content)
    file = io.StringIO()
    predictions = [Prediction(tags=("B-x", "I-x")), Prediction(tags=("O",))]
    write_predictions(zip(examples, predictions, strict=True), file, ReadingOptions(format="columns"))
    assert file.getvalue() == "-DOCSTART- O\n\n# id 1\na O B-x\nb O I-x\n\nc O O\n\n"
