"""CoNLL-U."""

import io
from pathlib import Path

import pytest

from unrolled.data.examples import Prediction
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
    return list(read_examples(path, ReadingOptions(**options), tagged=True))


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
        (unlabelled,) = read_examples(tmp_path / "a.conllu", ReadingOptions(column=column).to_predict(), tagged=True)
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
    write_predictions([(examples[0], Prediction(tags=("P", "Q", "R")))], file, ReadingOptions(format="conllu"))
    expected = SENTENCE.replace("A=b=c", "A=b=c|Predicted=P").replace("Predicted=X", "Predicted=R").rstrip("\n") + "\n\n"
    expected = expected.replace(line("2", "n't", "PART"), line("2", "n't", "PART", "Predicted=Q"))
    assert file.getvalue() == expected
