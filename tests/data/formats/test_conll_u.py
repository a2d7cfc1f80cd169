"""CoNLL-U."""

import io
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, read_examples, write_predictions
from unrolled.errors import ConfigError, DataError, UnrolledWarning


def line(number: str, form: str, upos: str = "_", misc: str = "_") -> str:
    return "\t".join([number, form, form.lower(), upos, "XX", "_", "0", "root", "_", misc])


SENTENCE = "\n".join(
    [
        "# newpar",
        "# sent_id = s-1",
        "# text = Don't = go",
        line("1-2", "Don't", misc="SpaceAfter=No"),
        line("1", "Do", "AUX", "A=b=c"),
        line("2", "n't", "PART"),
        line("2.1", "you", "PRON"),
        line("3", "go", "VERB", "Predicted=X"),
        "",
        "",
    ]
)


def read(path: Path, content: str, **options):
    path.write_text(content)
    return list(read_examples(path, ReadingOptions(**options), Target.TAGS))


def test_a_key_of_misc_is_a_column_and_what_was_predicted_can_be_read_again(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.conllu", SENTENCE, column="Predicted")
    assert found.tags == ("_", "_", "X")
    file = io.StringIO()
    tags = ("A=b|C=d", "a b", "_")
    write_predictions([(found, Prediction(tags=tags, probabilities=(1.0, 1.0, 1.0)))], file, ReadingOptions(format="conllu"))
    (again,) = read(tmp_path / "a.conllu", file.getvalue(), column="predicted")
    assert (again.tokens, again.tags) == (("Do", "n't", "go"), tags)
    with pytest.raises(ConfigError, match="has no column 'other'; its columns are id"):
        read(tmp_path / "a.conllu", SENTENCE, column="other")


@pytest.mark.parametrize(
    ("column", "tags"),
    [(None, ("AUX", "PART", "VERB")), ("UPOS", ("AUX", "PART", "VERB")), ("2", ("do", "n't", "go")), ("deprel", ("root",) * 3)],
)
def test_words_and_a_column(tmp_path: Path, column: str | None, tags: tuple[str, ...]) -> None:
    (found,) = read(tmp_path / "a.conllu", SENTENCE, column=column)
    assert (found.tokens, found.tags, found.name) == (("Do", "n't", "go"), tags, "s-1")


def test_a_file_without_tags_and_one_that_names_its_columns(tmp_path: Path) -> None:
    assert read(tmp_path / "a.conllu", line("1", "Go") + "\n")[0].tags is None
    for column in ("feats", "deps", "misc"):
        assert read(tmp_path / "a.conllu", line("1", "Go") + "\n", column=column)[0].tags == ("_",)
        (unlabelled,) = read_examples(tmp_path / "a.conllu", ReadingOptions(column=column).to_predict(), Target.TAGS)
        assert unlabelled.tags is None
    content = "# global.columns = ID FORM MY:NER\n\n1\tGo\tB-x\n2\ton\tI-x\n"
    assert read(tmp_path / "a.conllup", content, column="my:ner")[0].tags == ("B-x", "I-x")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("# a\n1\tGo\n", {}, "line 2: a line must have 10 columns .* got 2"),
        (line("x1", "Go"), {}, "line 1: .*'x1' is not a valid ID"),
        (line("1-2", "Go"), {}, "line 1: the sentence has no words"),
        (SENTENCE, {"column": "pos"}, "no column 'pos'; its columns are id, form, lemma"),
        ("# global.columns = ID LEMMA\n1\ta\n", {}, "must have the columns id and form"),
    ],
)
def test_bad_files(tmp_path: Path, content: str, options, message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        read(tmp_path / "a.conllu", content, **options)


def test_the_same_sentence_twice_is_noticed(tmp_path: Path) -> None:
    with pytest.warns(UnrolledWarning, match=r"line 14: the name 's-1' has come before"):
        assert len(read(tmp_path / "a.conllu", SENTENCE * 3)) == 3


def test_predictions_stand_in_misc_and_the_rest_is_as_it_was(tmp_path: Path) -> None:
    examples = read(tmp_path / "a.conllu", SENTENCE)
    file = io.StringIO()
    write_predictions(
        [(examples[0], Prediction(tags=("P", "Q", "R"), probabilities=(0.5, 0.25, 1)))], file, ReadingOptions(format="conllu")
    )
    expected = SENTENCE.replace("A=b=c", "A=b=c|Predicted=P").replace("Predicted=X", "Predicted=R").rstrip("\n") + "\n\n"
    expected = expected.replace(line("2", "n't", "PART"), line("2", "n't", "PART", "Predicted=Q"))
    assert file.getvalue() == expected


def test_a_column_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.conllu").write_text(SENTENCE.replace("n't\tPART\tXX\t_\t0", "n't\tPART\tXX\t_\t2.5"))
    (found,) = read_examples(tmp_path / "a.conllu", ReadingOptions(column="head"), Target.STEP_VALUES)
    assert (found.tokens, found.values.tolist(), found.tags) == (("Do", "n't", "go"), [[0], [2.5], [0]], None)
    with pytest.raises(DataError, match=r"a.conllu, line 5: a target must be a number, got 'AUX'. Mend it, or take another `target`"):
        list(read_examples(tmp_path / "a.conllu", ReadingOptions(), Target.STEP_VALUES))
    with pytest.raises(ConfigError, match="has tags for words and no label for a sentence"):
        list(read_examples(tmp_path / "a.conllu", ReadingOptions(), Target.VALUES))


def test_predicted_numbers_stand_in_misc(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.conllu", SENTENCE)
    file = io.StringIO()
    said = Prediction(values=np.array([[0.5], [-2], [1e-9]]), deviations=np.array([[1.0], [2], [3]]))
    write_predictions([(found, said)], file, ReadingOptions(format="conllu"))
    cells = [row.rpartition("\t")[2] for row in file.getvalue().splitlines() if row[:2] in ("1\t", "2\t", "3\t")]
    assert cells == ["A=b=c|Predicted=0.5", "Predicted=-2", "Predicted=1e-09"]
