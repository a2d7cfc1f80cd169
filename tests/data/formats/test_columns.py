"""Files with a token a line."""

import io
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, read_examples, write_predictions
from unrolled.errors import ConfigError, DataError


def read(path: Path, content: str, predict: bool = False, **options):
    path.write_text(content, encoding="utf-8", newline="")
    asked = ReadingOptions(**options)
    return list(read_examples(path, asked.to_predict() if predict else asked, Target.TAGS))


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
    predictions = [Prediction(tags=("B-x", "I-x"), probabilities=(0.5, 0.25)), Prediction(tags=("O",), probabilities=(1,))]
    write_predictions(zip(examples, predictions, strict=True), file, ReadingOptions(format="columns"))
    assert file.getvalue() == "-DOCSTART- O\n\n# id 1\na O B-x\nb O I-x\n\nc O O\n\n"


def numbers(path: Path, content: str, predict: bool = False, **options) -> list:
    path.write_text(content)
    asked = ReadingOptions(**options)
    return list(read_examples(path, asked.to_predict() if predict else asked, Target.STEP_VALUES))


def test_numbers_beside_tokens(tmp_path: Path) -> None:
    first, second = numbers(tmp_path / "a.conll", "a N 1\nb V -2.5\n\nc N 3e2\n")
    assert (first.tokens, first.values.tolist(), first.tags) == (("a", "b"), [[1], [-2.5]], None)
    assert second.values.tolist() == [[300]]
    (found,) = numbers(tmp_path / "a.conll", "a 7 N\nb 8 V\n", column="1")
    assert found.values.tolist() == [[7], [8]]
    with pytest.raises(ConfigError, match="has tags for tokens and no label for a sequence"):
        list(read_examples(tmp_path / "a.conll", ReadingOptions(), Target.VALUES))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a 1\n\nb 2\nc high\n", "a.conll, line 4: a target must be a number, got 'high'. Mend it, or take another `target`"),
        ("a 1\nb NaN\n", "a.conll, line 2: a target must be a finite number, got 'NaN'. Mend it, or take the row out"),
        ("a inf\n", "a.conll, line 1: a target must be a finite number, got 'inf'"),
    ],
)
def test_bad_numbers_to_predict(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        numbers(tmp_path / "a.conll", content)
    *_, last = numbers(tmp_path / "a.conll", content, predict=True)
    assert (last.values, last.tags) == (None, None)


def test_predicted_numbers_are_one_more_column(tmp_path: Path) -> None:
    first, second = numbers(tmp_path / "a.conll", "a 1\nb 2\n\nc 3\n")
    file = io.StringIO()
    said = [Prediction(values=np.array([[0.5], [1e-9]]), deviations=np.array([[0.1], [0.2]])), Prediction(values=np.array([[7.0]]))]
    write_predictions(zip([first, second], said, strict=True), file, ReadingOptions(format="columns"))
    assert file.getvalue() == "a 1 0.5\nb 2 1e-09\n\nc 3 7\n\n"
    again = numbers(tmp_path / "b.conll", file.getvalue())
    assert [example.values.tolist() for example in again] == [[[0.5], [1e-9]], [[7]]]
