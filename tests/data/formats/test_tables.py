"""Tables with a sequence a row."""

import io
from pathlib import Path

import pytest

from unrolled.data.examples import Prediction
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples, resolve_format, resolve_reading, write_predictions
from unrolled.errors import ConfigError, DataError, UnrolledWarning


def read(path: Path, content: str, tagged: bool = False, **options):
    path.write_text(content, newline="")
    return list(read_examples(path, ReadingOptions(**options), tagged=tagged))


def texts(examples) -> list:
    return [(example.text, example.labels) for example in examples]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("id,text,label\n1,a b,x\n2,c,y\n", {}, [("a b", ("x",)), ("c", ("y",))]),
        ("id,text,label\n1,a b,x\n2,c,y\n", {"input": "1", "target": "0"}, [("a b", ("1",)), ("c", ("2",))]),
        ("Utterance;Topic\nwhat time;time\nhello;hi\n", {}, [("what time", ("time",)), ("hello", ("hi",))]),
        ("ham|see you later\nspam|buy this now\nham|thanks a lot\n", {}, [("see you later", ("ham",)), ("buy this now", ("spam",)), ("thanks a lot", ("ham",))]),
        ("good one,1\nbad one,0\n", {}, [("good one", ("1",)), ("bad one", ("0",))]),
        ("what a day!,joy\nso sad!,gloom\n", {}, [("what a day!", ("joy",)), ("so sad!", ("gloom",))]),
        ("How was it?,mark\nfine,1\n", {}, [("fine", ("1",))]),
        ("headline,label\nrain,world news\n", {}, [("rain", ("world news",))]),
        ("headline,mood\nrain,sad\nsun,\n", {"input": "headline", "target": "mood"}, [("rain", ("sad",)), ("sun", None)]),
        ("text,labels\nfire,a; b\nice,\n", {"separator": ";"}, [("fire", ("a", "b")), ("ice", ())]),
        ("one line only\nthe other\n", {"header": False}, [("one line only", None), ("the other", None)]),
        ("yes,no\nup there,down\n", {"header": True}, [("up there", ("down",))]),
        ('text,label\r\n"two\r\nlines, quoted",x\r\n', {}, [("two\r\nlines, quoted", ("x",))]),
    ],
)  # fmt: skip
def test_columns_by_name_by_number_and_by_guess(tmp_path: Path, content: str, options, expected) -> None:
    assert texts(read(tmp_path / "a.csv", content, **options)) == expected


def test_quotes_in_a_tsv_are_plain_where_lines_are_whole(tmp_path: Path) -> None:
    content = 'text\tlabel\n"well, he said\tx\n"all ""quoted"""\ty\n'
    examples, file = read(tmp_path / "a.tsv", content), io.StringIO()
    assert texts(examples) == [('"well, he said', ("x",)), ('all "quoted"', ("y",))]
    write_predictions([(examples[0], Prediction(labels=("y",), probabilities=(0.5,)))], file, ReadingOptions(format="tsv"))
    assert file.getvalue() == 'text\tlabel\tpredicted\tprobability\n"well, he said\tx\ty\t0.5000\n'
    assert texts(read(tmp_path / "b.tsv", 'text\tlabel\n"a\tb\nc d\n\ne"\tx\n')) == [("a\tb\nc d\n\ne", ("x",))]


def test_tags_for_characters_with_and_without_a_header(tmp_path: Path) -> None:
    with_header = read(tmp_path / "a.csv", "id,len,input,expected\n7,3,ACD,HHE\n8,2,KL,EE\n", True, input="2", target="3")
    without = read(tmp_path / "b.csv", "1,3,ACD,HHE\n2,2,KL,EE\n", True, input="2", target="3")
    for found in (with_header, without):
        assert [(example.tokens, example.tags) for example in found] == [(tuple("ACD"), tuple("HHE")), (tuple("KL"), tuple("EE"))]
    with pytest.raises(ConfigError, match=r"no column 'expected'; it has no names of columns, and the columns 0 to 3.*`--target`"):
        read(tmp_path / "b.csv", "1,3,ACD,HHE\n2,2,KL,EE\n", True, input="input", target="expected")


def test_tags_for_parts_between_blanks(tmp_path: Path) -> None:
    found = read(tmp_path / "a.tsv", "words\ttags\nthe dog runs\tDET NOUN VERB\nhey\tINTJ\n", True)
    assert [(e.tokens, e.tags) for e in found] == [(("the", "dog", "runs"), ("DET", "NOUN", "VERB")), (("hey",), ("INTJ",))]


@pytest.mark.parametrize(
    ("content", "tagged", "options", "message"),
    [
        ("text,label\na,x\n,y\n", False, {}, "line 3: the input, column 'text', is empty"),
        ("1,b,c\n2,y,z\n", False, {}, "not clear, and its first row begins with '1'. Pass one of 0 to 2 as `--input`"),
        ("a,b,c\nx,y,z\n", False, {}, "which column has the sequences is not clear. Pass one of a, b, c as `--input`"),
        ("text,label\na,x\n", False, {"target": "lable"}, "no column 'lable'; it has columns text, label. .*`--target`"),
        ("text,label\na,x\n", False, {"input": "2"}, "no column '2'"),
        ("input,target\nACD,HHE\nAC,H\nACE,HHH\n", True, {}, "line 3: .* as many tags as its input has characters, 2, got 1"),
        ("input,target\na b,X Y\na b c,X Y\n", True, {}, "line 3: .* as many tags as its input has tokens, 3, got 2"),
        ("text,label\na,x,y\n", False, {}, "line 2: a row must have 2 cells"),
        ('text,label\na,x\n"b,y\nc,z\n', False, {}, "line 3: unexpected end of data. Check its double quotes"),
        ("text,label\n", False, {}, "There is no sequence in"),
        ("", False, {}, "has no rows"),
    ],
)  # fmt: skip
def test_bad_tables(tmp_path: Path, content: str, tagged: bool, options, message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        read(tmp_path / "bad.csv", content, tagged, **options)


@pytest.mark.parametrize(
    ("content", "options", "cure"),
    [
        ("CaseID,ActivityID,CompleteTimestamp\n2,1,2012-04-03\n", {}, "--case CaseID --activity ActivityID --time CompleteTimestamp"),
        ("case,activity\n1,Assign\n", {}, "--case case --activity activity"),
        ("case,activity,time,outcome\n1,Assign,3,good\n", {"target": "outcome"}, "--case case --activity activity --time time"),
        ("case,activity,time,text\n1,Assign,3,a b\n", {"input": "message"}, "--case case --activity activity --time time"),
        ("concept:name,case:concept:name,org\nAssign,a,b\n", {}, "--case case:concept:name --activity concept:name"),
        ("Case ID;Event;Date\na;Assign;x\n", {}, "--case 'Case ID' --activity Event --time Date"),
    ],
)
def test_a_table_that_seems_to_be_an_event_log_is_said_to_be_one(tmp_path: Path, content: str, options, cure: str) -> None:
    for tagged in (False, True):
        with pytest.raises(ConfigError, match=f"as `--input`. If each row is an event of a case, pass `{cure}` instead"):
            read(tmp_path / "log.csv", content, tagged, **options)


def test_a_text_beside_a_case_is_a_text(tmp_path: Path) -> None:
    assert texts(read(tmp_path / "a.csv", "case,activity,text,label\n1,call,hello you,x\n")) == [("hello you", ("x",))]


def test_a_file_to_predict_may_lack_its_target(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n4,hello\n")
    options = ReadingOptions(input="text", target="label").to_predict()
    assert texts(read_examples(tmp_path / "a.csv", options, tagged=False)) == [("hello", None)]


@pytest.mark.parametrize(
    ("learnt", "tagged", "content", "expected"),
    [
        ("text,tags\nHi .,X Y\na b c,X Y Z\n", True, "id,text\n1,Hello.\n2,I see you.\n", ["Hello.", "I see you."]),
        ("text,tags\nHi .,X Y\n", True, "text,tags\nHello.,X\n", [("Hello.",)]),
        ("text,tags\nabc,XYX\n", True, "id,text\nef,gh\n", ["gh"]),
        ("text,tags\nabc,XYX\n", True, "tags,text\nY,e\nXY,gh\n", [tuple("e"), tuple("gh")]),
        ("text,tags\nabc,XYX\n", True, "text,tags\ne f,XY\n", ["e f"]),
        ("text,label\na b,x\nc,y\n", False, "text,other\na b,1\n", [None]),
        ("text,label\na b,x\nc,y\n", False, "note,mood,sentence\na b,1,c d\n", [None]),
        ("review,stars,mood\na,1,x\n", False, "text,mood,review,stars\nno,x,c d,2\n", [("2",)]),
        ("good one,1\nbad one,0\n", False, "good one,1\nbad one,0\n", [("1",), ("0",)]),
    ],
)  # fmt: skip
def test_what_is_to_be_predicted_is_read_as_what_was_learnt(tmp_path: Path, learnt: str, tagged: bool, content: str, expected) -> None:
    (tmp_path / "old.csv").write_text(learnt)
    (tmp_path / "new.csv").write_text(content)
    reading = resolve_reading(tmp_path / "old.csv", ReadingOptions(), tagged=tagged).to_predict()
    found = list(read_examples(tmp_path / "new.csv", reading, tagged=tagged))
    assert [(example.tokens or example.text) if tagged else example.labels for example in found] == expected


def test_nothing_is_guessed_of_the_labels_of_a_file_that_is_only_to_be_labelled(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nab,XY\n")
    for options, tagged in (({}, False), ({}, True), ({"learnt": ("text", "mood")}, False)):
        (found,) = read_examples(path, ReadingOptions(**options).to_predict(), tagged=tagged)
        assert (found.text, found.tokens, found.labels, found.tags) == ("ab", None, None, None)
    (found,) = read_examples(path, ReadingOptions(learnt=("text", "label")).to_predict(), tagged=True)
    assert (found.tokens, found.tags) == (None, None)


def test_columns_that_count_are_no_labels_and_a_file_to_measure_on_is_read_as_what_was_learnt(tmp_path: Path) -> None:
    assert texts(read(tmp_path / "a.csv", "id,text\n1,a b\n2,c\n")) == [("a b", None), ("c", None)]
    path = tmp_path / "old.csv"
    path.write_text("review,stars,mood\na b,1,good\n")
    reading = resolve_reading(path, ReadingOptions(input="review", target="mood"), tagged=False)
    assert (reading.learnt, reading.input) == (("review", "mood"), "review")
    learnt = {"learnt": ("review", "mood")}
    assert texts(read(tmp_path / "a.csv", "stars,text,review,mood\n1,no,a b,bad\n", **learnt)) == [("a b", ("bad",))]
    assert texts(read(tmp_path / "a.csv", "sentence,label\na b,bad\n", **learnt)) == [("a b", ("bad",))]
    assert texts(read(tmp_path / "a.csv", "review,note\na b,bad\n", **learnt)) == [("a b", None)]


def test_where_a_missing_label_was_looked_for_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,stars\na,1\nb,\n")
    for options, message in (
        ({}, r"line 3: the sequence has no label. .* It was looked for in column 'stars', as `--target` is not given.$"),
        ({"target": "stars"}, r"line 3: the sequence has no label. .* It was looked for in column 'stars'.$"),
    ):
        with pytest.raises(DataError, match=message):
            list(labelled_examples(tmp_path / "a.csv", ReadingOptions(**options), tagged=False))
    (tmp_path / "a.csv").write_text("text,note\na,1\n")
    with pytest.raises(DataError, match=r"no label. .* It was looked for in 'mood', where those that are learnt stand.$"):
        list(labelled_examples(tmp_path / "a.csv", ReadingOptions(learnt=("text", "mood")), tagged=False))


@pytest.mark.parametrize(("steps", "expected"), [("characters", "E,EHH\n"), ("parts", "E,E H H\n")])
def test_tags_are_written_as_they_were_learnt_where_a_file_has_none(tmp_path: Path, steps: str, expected: str) -> None:
    path, file = tmp_path / "a.csv", io.StringIO()
    path.write_text("text\nE\n")
    examples = read_examples(path, ReadingOptions(steps=steps).to_predict(), tagged=True)
    write_predictions([(next(examples), Prediction(tags=("E", "H", "H")))], file, ReadingOptions(format="csv"))
    assert file.getvalue() == f"text,predicted\n{expected}"


def test_predictions_stand_beside_the_rows_as_they_were(tmp_path: Path) -> None:
    path, file = tmp_path / "a.csv", io.StringIO()
    examples = read(path, 'text,label,other\n"a, b",x,1\nc,y,2\n')
    predictions = [Prediction(labels=("x",), probabilities=(0.75,)), Prediction(labels=("p", "q"), probabilities=(0.5, 0.25))]
    write_predictions(zip(examples, predictions, strict=True), file, resolve_format(path, ReadingOptions(), tagged=False))
    assert file.getvalue() == 'text,label,other,predicted,probability\n"a, b",x,1,x,0.7500\nc,y,2,p;q,0.5000;0.2500\n'


@pytest.mark.parametrize(("text", "tags", "expected"), [("ACD", "HHE", "1,ACD,HHE,EHH\n"), ("a b c", "X Y X", "1,a b c,X Y X,E H H\n")])
def test_predicted_tags_are_written_as_tags_were(tmp_path: Path, text: str, tags: str, expected: str) -> None:
    path, file = tmp_path / "a.csv", io.StringIO()
    examples = read(path, f"1,{text},{tags}\n", True, input="1", target="2")
    options = resolve_format(path, ReadingOptions(), tagged=True)
    write_predictions([(examples[0], Prediction(tags=("E", "H", "H")))], file, options)
    assert file.getvalue() == expected


def test_rows_of_one_id_are_noticed(tmp_path: Path) -> None:
    with pytest.warns(UnrolledWarning, match=r"line 4: the name '7' has come before"):
        assert len(read(tmp_path / "a.csv", "ID,text,label\n7,a,x\n8,b,x\n7,c,y\n7,d,y\n")) == 4


def test_a_long_cell(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.csv", f"text,label\n{'ACGT' * 50_000},x\n")
    assert len(found.text) == 200_000
