"""Files with a token a line."""

import io
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, read_examples, write_predictions
from unrolled.errors import ConfigError, DataError, UnrolledWarning


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
        ("# id x\n# tag=Y\n#\tX\n", {}, [[("#", "X")]]),
        ("#hashtag\tO\nb\tO\n\n#\tO\n#x\tB-p\n", {}, [[("#hashtag", "O"), ("b", "O")], [("#", "O"), ("#x", "B-p")]]),
        ("# NN\ndog VB\n\n#MeToo HT\n# #\n", {}, [[("#", "NN"), ("dog", "VB")], [("#MeToo", "HT"), ("#", "#")]]),
        ("a O\u00a0\nb  O \n", {}, [[("a", "O"), ("b", "O")]]),
        ("# id 9 domain=x\na _ _ X\n\n# _ _ Y\n", {}, [[("a", "X")], [("#", "Y")]]),
        ("# id 9\n# X\nb Y\n", {}, [[("#", "X"), ("b", "Y")]]),
        ("\u200b\tX\n\ufeff\tY\n\u00a0\tX\n", {}, [[("\u200b", "X"), ("\ufeff", "Y"), ("\u00a0", "X")]]),
    ],
)
def test_tokens_and_tags(tmp_path: Path, content: str, options, expected) -> None:
    assert pairs(read(tmp_path / "a.conll", content, **options)) == expected


@pytest.mark.parametrize(
    ("content", "expected", "told"),
    [
        (
            "#\thttp://x.org/a\t[2009-10-17]\n1\ta\tO\tO\n2\tb\tO\tO\n\n#\tb\tc\td\n1\tb\tO\tO\n",
            [[("a", "O"), ("b", "O")], [("b", "O")]],
            "2, first line 1: ",
        ),
        ("#\tHigh Street\t2011\na\tN\tB-p\n#\tN\tO\n\n#\tN\tO\n", [[("a", "B-p"), ("#", "O")], [("#", "O")]], "1, first line 1: "),
        ("# sent_id\ts1\na\tO\n\n# sent_id\tO\nb\tB-p\n", [[("a", "O")], [("b", "B-p")]], "2, first line 1: '# sent_id"),
        ("#begin document (x); part 0\na N O\n\n#end document\n", [[("a", "O")]], "2, first line 1: '#begin"),
        ("a O\n\n# id 1\n## no token at all\nb O\n", [[("a", "O")], [("b", "O")]], "1, first line 4: '## no"),
    ],
)
def test_comments_are_told_from_tokens_and_counted(tmp_path: Path, content: str, expected, told: str) -> None:
    with pytest.warns(UnrolledWarning, match=f"a.conll: lines with # that are left out as comments: {told}"):
        assert pairs(read(tmp_path / "a.conll", content)) == expected
    with pytest.warns(UnrolledWarning, match=told):
        examples = read(tmp_path / "a.conll", content, predict=True)
    assert pairs(examples) == expected
    file = io.StringIO()
    said = [Prediction(tags=("B-x",) * example.steps, probabilities=(1.0,) * example.steps) for example in examples]
    write_predictions(zip(examples, said, strict=True), file, ReadingOptions(format="columns"))
    with pytest.warns(UnrolledWarning, match="left out as comments"):
        again = read(tmp_path / "b.conll", file.getvalue())
    assert pairs(again) == [[(token, "B-x") for token, _ in pair] for pair in expected]


@pytest.mark.parametrize("between", ["", "\n"])
def test_names_of_columns_are_no_token_and_are_written_again(tmp_path: Path, between: str) -> None:
    content = f"Token\tPOS\n{between}a\tX\ntag\tY\n\nword\tX\n"
    with pytest.warns(UnrolledWarning, match=r"a.txt: line 1, 'Token\\tPOS', has names of columns, and is no token"):
        found = read(tmp_path / "a.txt", content)
    assert pairs(found) == [[("a", "X"), ("tag", "Y")], [("word", "X")]]
    with pytest.warns(UnrolledWarning, match="has names of columns"):
        found = read(tmp_path / "a.txt", content, predict=True)
    written = io.StringIO()
    write_predictions(
        ((e, Prediction(tags=("p",) * len(e.tokens), probabilities=(1,) * len(e.tokens))) for e in found),
        written,
        ReadingOptions(format="columns"),
    )
    assert written.getvalue().splitlines()[:2] == ["Token\tPOS", between.strip() or ("" if between else "a\tX\tp")]


def test_tags_before_their_tokens_are_noticed(tmp_path: Path) -> None:
    expected = [[("Ada", "B-per"), ("Fox", "I-per"), ("left", "O")]]
    for predict in (False, True):
        with pytest.warns(
            UnrolledWarning, match="column 0 has tags such as 'B-per', and is read as that of the tags, and column 1 as .* tokens"
        ):
            assert pairs(read(tmp_path / "a.bio", "B-per\tAda\nI-per\tFox\nO\tleft\n", predict=predict)) == expected
    assert pairs(read(tmp_path / "a.bio", "B-per\tAda\nI-per\tFox\nO\tleft\n", input="1", column="0")) == expected
    words = "NN\tdog\nVB\tbarks\nNN\tcat\nNN\tmouse\nVB\truns\n"
    with pytest.warns(
        UnrolledWarning, match="tokens, has 2 different ones, and column 1, of the tags, 5. If .* pass `input='1', column='0'`"
    ):
        read(tmp_path / "a.bio", words)


def test_iob1_becomes_bio_over_the_whole_file(tmp_path: Path) -> None:
    found = read(tmp_path / "a.conll", "a I-p\nb B-p\n\nc I-p\n")
    assert [example.tags for example in found] == [("B-p", "B-p"), ("B-p",)]


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("a X\nb\n", {}, "line 2: a line must have 2 columns as the first of the file has, got 1"),
        ("a\tX\n\n\tX\n", {}, "line 3: the token is empty"),
        ("a\tX\nb\t\n", {}, "line 2: the tag is empty. Fill it in, or take it out"),
        ("a\tX\n\n#x\n", {}, "line 3: a line must have 2 columns"),
        ("a X\n", {"column": "2"}, "no column '2'; its columns are 0 to 1"),
        ("a X\n", {"column": "upos"}, "no column 'upos'"),
        ("", {}, "no lines with tokens"),
        ("-DOCSTART- O\n", {}, "There is no sequence in"),
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


@pytest.mark.parametrize("tokens", [("a", "b"), ("1", "2")])
def test_a_column_alone_is_that_of_the_tokens(tmp_path: Path, tokens: tuple[str, ...]) -> None:
    (found,) = read(tmp_path / "a.conll", "\n".join(tokens), predict=True)
    assert (found.tokens, found.tags) == (tokens, None)


def test_tokens_like_tags_stay_tokens_where_somebody_says_so_or_numbers_are_wanted(tmp_path: Path) -> None:
    content = "B-x\t1\nI-x\t2\nO\t3\n"
    (found,) = read(tmp_path / "a.bio", content, input="0")
    assert (found.tokens, found.tags) == (("B-x", "I-x", "O"), ("1", "2", "3"))
    (found,) = numbers(tmp_path / "a.bio", content)
    assert (found.tokens, found.values.tolist()) == (("B-x", "I-x", "O"), [[1], [2], [3]])


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
