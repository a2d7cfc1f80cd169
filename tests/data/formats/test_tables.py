"""Tables with a sequence a row."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples, resolve_format, resolve_reading, write_predictions
from unrolled.errors import ConfigError, DataError, UnrolledWarning

LABELS, TAGS, VALUES, STEP_VALUES = Target.LABELS, Target.TAGS, Target.VALUES, Target.STEP_VALUES


def read(path: Path, content: str, wanted: Target = Target.LABELS, **options):
    path.write_text(content, newline="")
    return list(read_examples(path, ReadingOptions(**options), wanted))


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


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("content", "options", "expected", "left"),
    [
        ("v1,v2,,,\nham,see you,,,\nspam,buy now,or else,,\n", {"input": "v2"}, ("see you", ("ham",)), ["2", "3", "4"]),
        (",text,label\n0,a b,x\n1,c,y\n", {}, ("a b", ("x",)), ["0"]),
        (",text,label\nu7,a b,x\nu3,c,y\n", {}, ("a b", ("x",)), ["0"]),
        ("Unnamed: 0,headline,mood\n5,a b,x\n3,c,y\n", {}, ("a b", ("x",)), ["Unnamed: 0"]),
        (",headline,mood\n5,a b,x\n3,c,y\n", {}, ("a b", ("x",)), ["0"]),
        (",headline,mood\nu5,a b,x\nu3,c,y\n", {"input": "headline", "target": "mood"}, ("a b", ("x",)), ["0"]),
        (",0,1\n0,a b,x\n1,c,y\n", {"input": "0", "target": "2"}, ("0", ("x",)), ["0 (1)"]),
        ("0,1\na b c,x\nd e,y\n", {}, ("a b c", ("x",)), []),
        ("\ufefftext , label\na b,x\n", {}, ("a b", ("x",)), []),
        ("text,text,label\nno,a b,x\nno,c,y\n", {"input": "text (1)"}, ("a b", ("x",)), ["text (0)"]),
        ("text,text,label\nno,a b,x\nno,c,y\n", {"input": "1", "target": "2"}, ("a b", ("x",)), ["text (0)"]),
        ("label,1,2,3\nx,a b,5,6\ny,c,7,8\n", {"input": "1"}, ("a b", ("x",)), ["2", "3"]),
        ("text,label\na b,x\ntext,label of it\n", {}, ("a b", ("x",)), []),
        ("text,when,label\na b,2024,label\n", {}, ("a b", ("label",)), ["when"]),
        ("n,says,mood\n4,a b,x\n5,c,y\n6,d,z\n", {}, ("a b", ("x",)), ["n"]),
    ],
)  # fmt: skip
def test_a_header_with_gaps_numbers_and_names_that_come_twice(tmp_path: Path, content, options, expected, left, delimiter) -> None:
    path = tmp_path / ("a.tsv" if delimiter == "\t" else "a.csv")
    path.write_text(content.replace(",", delimiter), encoding="utf-8")
    assert list(resolve_reading(path, ReadingOptions(**options), LABELS).left) == left
    first, *rest = texts(read_examples(path, ReadingOptions(**options), LABELS))
    assert (first, len(rest)) == (expected, len(content.splitlines()) - 2)


TITLED = [f'{n % 3},"Title {n} here","And so the {n}-th text is longer than it, and told."' for n in range(9)]
"""Rows whose first cell says what they are about, before a title and a text."""


@pytest.mark.parametrize(
    ("header", "rows", "columns"),
    [
        ("", TITLED, ("2", "0")),
        ("Class Index,Title,Description\n", TITLED, ("Description", "Class Index")),
        ("", [f"{row},user{n * n}" for n, row in enumerate(TITLED)], ("2", "0")),
        ("", [f"{row[2:]},{'World' if n % 2 else 'Sci/Tech'}" for n, row in enumerate(TITLED)], ("1", "2")),
        ("topic,headline,story,day\n", [f"{row},{n * n}" for n, row in enumerate(TITLED)], ("story", "topic")),
    ],
)
def test_of_several_columns_few_values_are_the_label_and_the_longest_texts_the_input(tmp_path: Path, header: str, rows, columns) -> None:
    path = tmp_path / "a.csv"
    path.write_text(header + "\n".join(rows) + "\n")
    reading = resolve_reading(path, ReadingOptions(), LABELS)
    assert reading.learnt == columns
    path.write_text(header + "\n".join(rows[:2]) + "\n")
    (first, _) = read_examples(path, reading, LABELS)
    assert first.text.startswith("And so the 0-th") and first.labels in (("0",), ("Sci/Tech",))


@pytest.mark.parametrize(
    "rows",
    [
        sorted(TITLED),
        [f"{row},{n % 2}" for n, row in enumerate(TITLED)],
        [f"{n % 3},a story {n} of so many words,another one {n} of many words" for n in range(9)],
        [f"{n % 3 / 2},a story {n},another one {n} of many more words" for n in range(9)],
        [f"{n % 3},story{n},anotherof{n}manymorewords" for n in range(9)],
        TITLED[:6],
    ],
    ids=["one class after the other", "two columns of classes", "texts of one length", "numbers", "single words", "too few rows"],
)
def test_where_several_columns_may_be_label_or_text_it_is_not_clear(tmp_path: Path, rows) -> None:
    with pytest.raises(ConfigError, match=r"which column has the sequences is not clear.* Pass one of 0 to"):
        read(tmp_path / "a.csv", "\n".join(rows) + "\n")


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ("ham,see you,,,\nspam,buy now,,,\nham,bye,,,\n", 3),
        ("good one,\nbad one,0\n", 2),
        ("3,a b\n4,c d\n5,e\n", 3),
        ("0,1\n5,3\n", 2),
        ("what a day!,joy,\nso sad!,gloom,x\n", 2),
    ],
)
def test_a_first_row_that_is_no_header_is_an_example(tmp_path: Path, content: str, count: int) -> None:
    assert len(read(tmp_path / "a.csv", content, input="1" if content.count(",,") or content[0] == "3" else "0")) == count


def test_a_header_that_comes_again_is_no_example(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: the names of the columns come again. Take the row out"):
        read(tmp_path / "a.csv", "text,label\na,x\ntext,label\nb,y\n")


def test_a_header_with_gaps_is_written_as_it_was(tmp_path: Path) -> None:
    (example,) = read(tmp_path / "a.csv", ", text,label,\n0,a,x,\n")
    prediction = Prediction(labels=("y",), probabilities=(0.5,))
    assert written(tmp_path / "a.csv", [example], prediction, wanted=LABELS) == [", text,label,,predicted,probability", "0,a,x,,y,0.5000"]


def test_quotes_in_a_tsv_are_plain_where_lines_are_whole(tmp_path: Path) -> None:
    content = 'text\tlabel\n"well, he said\tx\n"all ""quoted"""\ty\n'
    examples, file = read(tmp_path / "a.tsv", content), io.StringIO()
    assert texts(examples) == [('"well, he said', ("x",)), ('all "quoted"', ("y",))]
    write_predictions([(examples[0], Prediction(labels=("y",), probabilities=(0.5,)))], file, ReadingOptions(format="tsv"))
    assert file.getvalue() == 'text\tlabel\tpredicted\tprobability\n"well, he said\tx\ty\t0.5000\n'
    assert texts(read(tmp_path / "b.tsv", 'text\tlabel\n"a\tb\nc d\n\ne"\tx\n')) == [("a\tb\nc d\n\ne", ("x",))]


def test_tags_for_characters_with_and_without_a_header(tmp_path: Path) -> None:
    with_header = read(tmp_path / "a.csv", "id,len,input,expected\n7,3,ACD,HHE\n8,2,KL,EE\n", TAGS, input="2", target="3")
    without = read(tmp_path / "b.csv", "1,3,ACD,HHE\n2,2,KL,EE\n", TAGS, input="2", target="3")
    for found in (with_header, without):
        assert [(example.tokens, example.tags) for example in found] == [(tuple("ACD"), tuple("HHE")), (tuple("KL"), tuple("EE"))]
    with pytest.raises(ConfigError, match=r"no column 'expected'; it has no names of columns, and the columns 0 to 3.*`target`"):
        read(tmp_path / "b.csv", "1,3,ACD,HHE\n2,2,KL,EE\n", TAGS, input="input", target="expected")


def test_tags_for_parts_between_blanks(tmp_path: Path) -> None:
    found = read(tmp_path / "a.tsv", "words\ttags\nthe dog runs\tDET NOUN VERB\nhey\tINTJ\n", TAGS)
    assert [(e.tokens, e.tags) for e in found] == [(("the", "dog", "runs"), ("DET", "NOUN", "VERB")), (("hey",), ("INTJ",))]


@pytest.mark.parametrize(
    ("content", "wanted", "options", "message"),
    [
        ("text,label\na,x\n,y\n", LABELS, {}, "line 3: the input, column 'text', is empty"),
        ("1,b,c\n2,y,z\n", LABELS, {}, "not clear, and its first row begins with '1'. Pass one of 0 to 2 as `input`"),
        ("a,b,c\nx,y,z\n", LABELS, {}, "which column has the sequences is not clear. Pass one of a, b, c as `input`"),
        ("text,label\na,x\n", LABELS, {"target": "lable"}, "no column 'lable'; it has columns text, label. .*`target`"),
        ("text,label\na,x\n", LABELS, {"input": "2"}, "no column '2'"),
        ("input,target\nACD,HHE\nAC,H\nACE,HHH\n", TAGS, {}, "line 3: .* as many tags as its input has characters, 2, got 1"),
        ("input,target\na b,X Y\na b c,X Y\n", TAGS, {}, "line 3: .* as many tags as its input has tokens, 3, got 2"),
        ("sentence,word,tag\n0,Ada,B\n0,ran,O\n1,Bo,B\n1,ran,O\n", TAGS, {}, "Pass `case='sentence', activity='word', target='tag'`"),
        ("document,pos,token\n a,X,Ada\n,Y,ran\n,X,Bo\nb,X,Ed\n", TAGS, {"target": "pos"}, "case='document', activity='token', target='pos'`"),
        ("text,label\na,x,y\n", LABELS, {}, "line 2: a row must have 2 cells"),
        ('text,label\na,x\n"b,y\nc,z\n', LABELS, {}, "line 3: unexpected end of data. Check its double quotes"),
        ("text,label\n", LABELS, {}, "There is no sequence in"),
        ("", LABELS, {}, "has no rows"),
    ],
)  # fmt: skip
def test_bad_tables(tmp_path: Path, content: str, wanted: Target, options, message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        read(tmp_path / "bad.csv", content, wanted, **options)


@pytest.mark.parametrize(
    ("content", "options", "cure"),
    [
        ("CaseID,ActivityID,CompleteTimestamp\n2,1,2012-04-03\n", {}, "case='CaseID', activity='ActivityID', time='CompleteTimestamp'"),
        ("case,activity\n1,Assign\n", {}, "case='case', activity='activity'"),
        ("case,activity,time,outcome\n1,Assign,3,good\n", {"target": "outcome"}, "case='case', activity='activity', time='time'"),
        ("case,activity,time,text\n1,Assign,3,a b\n", {"input": "message"}, "case='case', activity='activity', time='time'"),
        ("concept:name,case:concept:name,org\nAssign,a,b\n", {}, "case='case:concept:name', activity='concept:name'"),
        ("Case ID;Event;Date\na;Assign;x\n", {}, "case='Case ID', activity='Event', time='Date'"),
    ],
)
def test_a_table_that_seems_to_be_an_event_log_is_said_to_be_one(tmp_path: Path, content: str, options, cure: str) -> None:
    for wanted in (LABELS, TAGS):
        with pytest.raises(ConfigError, match=f"as `input`. If each row is an event of a case, pass `{cure}` instead"):
            read(tmp_path / "log.csv", content, wanted, **options)


def test_a_text_beside_a_case_is_a_text(tmp_path: Path) -> None:
    assert texts(read(tmp_path / "a.csv", "case,activity,text,label\n1,call,hello you,x\n")) == [("hello you", ("x",))]


def test_a_file_to_predict_may_lack_its_target(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n4,hello\n")
    options = ReadingOptions(input="text", target="label").to_predict()
    assert texts(read_examples(tmp_path / "a.csv", options, Target.LABELS)) == [("hello", None)]


@pytest.mark.parametrize(
    ("learnt", "wanted", "content", "expected"),
    [
        ("text,tags\nHi .,X Y\na b c,X Y Z\n", TAGS, "id,text\n1,Hello.\n2,I see you.\n", ["Hello.", "I see you."]),
        ("text,tags\nHi .,X Y\n", TAGS, "text,tags\nHello.,X\n", [("Hello.",)]),
        ("text,tags\nabc,XYX\n", TAGS, "id,text\nef,gh\n", ["gh"]),
        ("text,tags\nabc,XYX\n", TAGS, "tags,text\nY,e\nXY,gh\n", [tuple("e"), tuple("gh")]),
        ("text,tags\nabc,XYX\n", TAGS, "text,tags\ne f,XY\n", ["e f"]),
        ("text,label\na b,x\nc,y\n", LABELS, "text,other\na b,1\n", [None]),
        ("text,label\na b,x\nc,y\n", LABELS, "note,mood,sentence\na b,1,c d\n", [None]),
        ("review,stars,mood\na,1,x\n", LABELS, "text,mood,review,stars\nno,x,c d,2\n", [("2",)]),
        ("good one,1\nbad one,0\n", LABELS, "good one,1\nbad one,0\n", [("1",), ("0",)]),
    ],
)  # fmt: skip
def test_what_is_to_be_predicted_is_read_as_what_was_learnt(tmp_path: Path, learnt: str, wanted: Target, content: str, expected) -> None:
    (tmp_path / "old.csv").write_text(learnt)
    (tmp_path / "new.csv").write_text(content)
    reading = resolve_reading(tmp_path / "old.csv", ReadingOptions(), wanted).to_predict()
    found = list(read_examples(tmp_path / "new.csv", reading, wanted))
    assert [(example.tokens or example.text) if wanted is TAGS else example.labels for example in found] == expected


def test_nothing_is_guessed_of_the_labels_of_a_file_that_is_only_to_be_labelled(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\nab,XY\n")
    for options, wanted in (({}, LABELS), ({}, TAGS), ({"learnt": ("text", "mood")}, LABELS)):
        (found,) = read_examples(path, ReadingOptions(**options).to_predict(), wanted)
        assert (found.text, found.tokens, found.labels, found.tags) == ("ab", None, None, None)
    (found,) = read_examples(path, ReadingOptions(learnt=("text", "label")).to_predict(), Target.TAGS)
    assert (found.tokens, found.tags) == (None, None)


def test_columns_that_count_are_no_labels_and_a_file_to_measure_on_is_read_as_what_was_learnt(tmp_path: Path) -> None:
    assert texts(read(tmp_path / "a.csv", "id,text\n1,a b\n2,c\n")) == [("a b", None), ("c", None)]
    path = tmp_path / "old.csv"
    path.write_text("review,stars,mood\na b,1,good\n")
    reading = resolve_reading(path, ReadingOptions(input="review", target="mood"), Target.LABELS)
    assert (reading.learnt, reading.input) == (("review", "mood"), "review")
    learnt = {"learnt": ("review", "mood")}
    assert texts(read(tmp_path / "a.csv", "stars,text,review,mood\n1,no,a b,bad\n", **learnt)) == [("a b", ("bad",))]
    assert texts(read(tmp_path / "a.csv", "sentence,label\na b,bad\n", **learnt)) == [("a b", ("bad",))]
    assert texts(read(tmp_path / "a.csv", "review,note\na b,bad\n", **learnt)) == [("a b", None)]


def test_where_a_missing_label_was_looked_for_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,stars\na,1\nb,\n")
    for options, message in (
        ({}, r"line 3: the sequence has no label. .* It was looked for in column 'stars', as `target` is not given. To leave"),
        ({"target": "stars"}, r"line 3: the sequence has no label. .* It was looked for in column 'stars'. To leave"),
    ):
        with pytest.raises(DataError, match=message):
            list(labelled_examples(tmp_path / "a.csv", ReadingOptions(**options), Target.LABELS))
    (tmp_path / "a.csv").write_text("text,note\na,1\n")
    with pytest.raises(DataError, match=r"no label. .* It was looked for in 'mood', where those that are learnt stand. To leave"):
        list(labelled_examples(tmp_path / "a.csv", ReadingOptions(learnt=("text", "mood")), Target.LABELS))


@pytest.mark.parametrize(
    ("tokens", "tags", "written"),
    [
        (("Dr.", "Ada", ",", "Fox"), "O B-x O B-x", 'text,tokens,predicted\n"Dr. Ada, Fox","Dr. Ada , Fox",O B-x O B-x\n'),
        (("Dr.", "Ada,", "Fox"), "O B-x O", 'text,predicted\n"Dr. Ada, Fox",O B-x O\n'),
        (tuple("Dr. Ada, Fox"), "O B-x" + " O" * 10, f'text,predicted\n"Dr. Ada, Fox",O B-x{" O" * 10}\n'),
        (tuple("Dr. Ada, Fox"), "H E" + " H" * 10, 'text,predicted\n"Dr. Ada, Fox",HEHHHHHHHHHH\n'),
    ],
)
def test_predicted_tags_can_be_read_again_however_texts_were_cut(tmp_path: Path, tokens, tags: str, written: str) -> None:
    path, file, said = tmp_path / "a.csv", io.StringIO(), tuple(tags.split())
    path.write_text('text\n"Dr. Ada, Fox"\n')
    (found,) = read_examples(path, ReadingOptions().to_predict(), Target.TAGS)
    prediction = Prediction(tags=said, probabilities=(1.0,) * len(said))
    write_predictions([(replace(found, tokens=tokens), prediction)], file, ReadingOptions(format="csv"))
    assert file.getvalue() == written
    path.write_text(written)
    for learnt in ((), ("text", "tags")):
        (again,) = read_examples(path, ReadingOptions(target="predicted", learnt=learnt), Target.TAGS)
        assert (again.tokens, again.tags) == (tokens, said)


@pytest.mark.parametrize(("steps", "expected"), [("characters", "E,EHH\n"), ("parts", "E,E H H\n")])
def test_tags_are_written_as_they_were_learnt_where_a_file_has_none(tmp_path: Path, steps: str, expected: str) -> None:
    path, file = tmp_path / "a.csv", io.StringIO()
    path.write_text("text\nE\n")
    examples = read_examples(path, ReadingOptions(steps=steps).to_predict(), Target.TAGS)
    write_predictions(
        [(next(examples), Prediction(tags=("E", "H", "H"), probabilities=(0.5, 0.25, 1)))], file, ReadingOptions(format="csv")
    )
    assert file.getvalue() == f"text,predicted\n{expected}"


def test_predictions_stand_beside_the_rows_as_they_were(tmp_path: Path) -> None:
    path, file = tmp_path / "a.csv", io.StringIO()
    examples = read(path, 'text,label,other\n"a, b",x,1\nc,y,2\n')
    predictions = [Prediction(labels=("x",), probabilities=(0.75,)), Prediction(labels=("p", "q"), probabilities=(0.5, 0.25))]
    write_predictions(zip(examples, predictions, strict=True), file, resolve_format(path, ReadingOptions(), Target.LABELS))
    assert file.getvalue() == 'text,label,other,predicted,probability\n"a, b",x,1,x,0.7500\nc,y,2,p;q,0.5000;0.2500\n'


@pytest.mark.parametrize(("text", "tags", "expected"), [("ACD", "HHE", "1,ACD,HHE,EHH\n"), ("a b c", "X Y X", "1,a b c,X Y X,E H H\n")])
def test_predicted_tags_are_written_as_tags_were(tmp_path: Path, text: str, tags: str, expected: str) -> None:
    path, file = tmp_path / "a.csv", io.StringIO()
    examples = read(path, f"1,{text},{tags}\n", TAGS, input="1", target="2")
    options = resolve_format(path, ReadingOptions(), Target.TAGS)
    write_predictions([(examples[0], Prediction(tags=("E", "H", "H"), probabilities=(0.5, 0.25, 1)))], file, options)
    assert file.getvalue() == expected


def test_rows_of_one_id_are_noticed(tmp_path: Path) -> None:
    with pytest.warns(UnrolledWarning, match=r"line 4: the name '7' has come before"):
        assert len(read(tmp_path / "a.csv", "ID,text,label\n7,a,x\n8,b,x\n7,c,y\n7,d,y\n")) == 4


def test_a_long_cell(tmp_path: Path) -> None:
    (found,) = read(tmp_path / "a.csv", f"text,label\n{'ACGT' * 50_000},x\n")
    assert len(found.text) == 200_000


def written(path: Path, examples, *predictions: Prediction, wanted: Target) -> list[str]:
    file = io.StringIO()
    write_predictions(zip(examples, predictions, strict=True), file, resolve_format(path, ReadingOptions(), wanted))
    return file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("text,label\na b,1.5\nc,-2e3\n", {}, [("a b", [1.5]), ("c", [-2000])]),
        ("id,text,weight,height\n1,a b,1,2\n2,c, 3 ,4\n", {"target": "height,weight"}, [("a b", [2, 1]), ("c", [4, 3])]),
        ("id,text,weight,height\n1,a b,1,2\n", {"target": "weight, height"}, [("a b", [1, 2])]),
        ("a b,1,2\nc,3,4\n", {"input": "0", "target": "2,1"}, [("a b", [2, 1]), ("c", [4, 3])]),
        ('text,"x,y",x\na,1,2\n', {"target": "x,y"}, [("a", [1])]),
        ("compound,x,y\nCCO,0.5,1\nCC,2,3\n", {"target": "x,y"}, [("CCO", [0.5, 1]), ("CC", [2, 3])]),
        (",name,x,y\n0,CCO,1,2\n", {"target": "x,y"}, [("CCO", [1, 2])]),
        ("text,x,y\na,1,\nb,2,3\n", {"target": "x,y"}, [("a", None), ("b", [2, 3])]),
        ("text,note\na,1\n", {"learnt": ("text", "stars")}, [("a", None)]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_numbers_of_one_column_or_of_several(tmp_path: Path, content: str, options, expected, delimiter: str) -> None:
    if delimiter == "\t":
        content = content.replace('"x,y"', "x;y").replace(",", "\t").replace("x;y", "x,y")
    found = read(tmp_path / ("a.csv" if delimiter == "," else "a.tsv"), content, VALUES, **options)
    assert [(example.text, None if example.values is None else example.values.tolist()) for example in found] == expected
    assert all(example.labels is None and example.tags is None for example in found)


@pytest.mark.parametrize(
    ("content", "options", "tokens", "expected"),
    [
        ("words,heights\nthe dog,1 2.5\n", {}, ("the", "dog"), [[1], [2.5]]),
        ("seq,y\nACD,120\n", {}, ("A", "C", "D"), [[1], [2], [0]]),
        ("text,x,y\na b,1 2,3 4\n", {"target": "y,x"}, ("a", "b"), [[3, 1], [4, 2]]),
        ("text,x,y\nab,12,34\n", {"target": "x,y", "steps": "characters"}, ("a", "b"), [[1, 3], [2, 4]]),
    ],
)
def test_numbers_for_each_step(tmp_path: Path, content: str, options, tokens, expected) -> None:
    (found,) = read(tmp_path / "a.csv", content, STEP_VALUES, **options)
    assert (found.tokens, found.values.tolist(), found.tags) == (tokens, expected, None)


@pytest.mark.parametrize(
    ("content", "wanted", "options", "message"),
    [
        ("text,x\nb,1\na,high\n", VALUES, {}, "a.csv, line 3: a target must be a number, got 'high'. Mend it, or take another `target`"),
        ("text,x,y\na,1,nan\n", VALUES, {"target": "x,y"}, "a.csv, line 2: a target must be a finite number, got 'nan'. Mend it, or take the row"),
        ("text,x\na,-inf\n", VALUES, {}, "a.csv, line 2: a target must be a finite number, got '-inf'"),
        ("text,x\nb 1,2 1\na b,1 high\n", STEP_VALUES, {}, "a.csv, line 3, step 2: a target must be a number, got 'high'"),
        ("text,x,y\na b,1 2,3 inf\n", STEP_VALUES, {"target": "x,y"}, "a.csv, line 2, step 2: a target must be a finite number, got 'inf'"),
        ("text,x,y\na b,1 2,3\n", STEP_VALUES, {"target": "x,y"}, "a.csv, line 2: .* as its input has tokens, 2, got 1"),
        ("text,x,y\na,1,2\n", VALUES, {"target": "x,z"}, "a.csv has no column 'z'; it has columns text, x, y. Pass one of them as `target`"),
        ("text,x,y\na,1,2\n", LABELS, {"target": "x,y"}, "a.csv has no column 'x,y'"),
    ],
)  # fmt: skip
def test_bad_numbers_to_predict(tmp_path: Path, content: str, wanted: Target, options, message: str) -> None:
    with pytest.raises((DataError, ConfigError), match=message):
        read(tmp_path / "a.csv", content, wanted, **options)


def test_where_a_missing_number_was_looked_for_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text,x,y\na,1,2\nb,,3\n")
    for wanted, message in (
        (VALUES, r"line 3: the sequence has no number. Name their column .* It was looked for in column 'x', column 'y'. To leave"),
        (STEP_VALUES, r"line 3: the sequence has no numbers. Name their column .* It was looked for in column 'x', column 'y'. To leave"),
    ):
        with pytest.raises(DataError, match=message):
            list(labelled_examples(tmp_path / "a.csv", ReadingOptions(target="x,y"), wanted))


@pytest.mark.parametrize(
    ("content", "wanted", "target", "expected"),
    [
        ("text,x\na,high\nb,2\n", VALUES, "x", [None, [2]]),
        ("text,x,y\na,1,inf\nb,2,3\n", VALUES, "x,y", [None, [2, 3]]),
        ("text,x\na,1\n", VALUES, "x,y", [None]),
        ("text,x\na b,1 high\n", STEP_VALUES, "x", [None]),
        ("text,x,y\na b,1 2,3 high\n", STEP_VALUES, "x,y", [None]),
        ("text,x,y\na b,1 2,3\nc d,1 2,3 4\n", STEP_VALUES, "x,y", [None, [[1, 3], [2, 4]]]),
    ],
)
def test_numbers_that_are_not_needed_may_be_wrong_or_missing(tmp_path: Path, content: str, wanted: Target, target: str, expected) -> None:
    (tmp_path / "a.csv").write_text(content)
    options = ReadingOptions(input="text", target=target, steps="parts").to_predict()
    found = list(read_examples(tmp_path / "a.csv", options, wanted))
    assert [None if example.values is None else example.values.tolist() for example in found] == expected
    assert all(example.labels is None and example.tags is None for example in found)


@pytest.mark.parametrize(
    ("content", "wanted", "options", "learnt", "left"),
    [
        ("id,text,x,y,note\n1,a b,1,2,z\n", VALUES, {"target": "y,x"}, ("text", "y", "x"), ("note",)),
        ("id,text,x,y,note\n1,a b,1 2,2 3,z\n", STEP_VALUES, {"target": "x"}, ("text", "x"), ("y", "note")),
        ("review,stars,mood,when\na,1,x,2\n", LABELS, {"target": "mood"}, ("review", "mood"), ("stars", "when")),
        ("review,stars,mood,when\na,1,x,2\n", VALUES, {}, ("review", "stars"), ("mood", "when")),
        ("len,sequence,tags\n2,ab,XY\n", TAGS, {}, ("sequence", "tags"), ("len",)),
        ("text,note,more\na,1,x\n", LABELS, {}, (), ()),
        ("a b,1,2\nc,3,4\n", VALUES, {"input": "0", "target": "1"}, ("0", "1"), ("2",)),
    ],
)
def test_what_is_learnt_and_what_is_left_out_is_said(tmp_path: Path, content: str, wanted: Target, options, learnt, left) -> None:
    (tmp_path / "a.csv").write_text(content)
    reading = resolve_reading(tmp_path / "a.csv", ReadingOptions(**options), wanted)
    assert (reading.learnt, reading.learnt_targets, reading.left) == (learnt, learnt[1:], left)


def test_another_file_is_read_from_all_the_columns_that_were_learnt(tmp_path: Path) -> None:
    learnt = {"learnt": ("text", "x", "y")}
    (found,) = read(tmp_path / "a.csv", "y,label,text,x\n2,9,a b,1\n", VALUES, **learnt)
    assert (found.text, found.values.tolist()) == ("a b", [1, 2])
    (found,) = read(tmp_path / "a.csv", "y,note,text\n2,9,a b\n", VALUES, **learnt)
    assert (found.text, found.values) == ("a b", None)


def test_predicted_numbers_stand_beside_the_rows_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    examples = read(path, "text,x\na,1\nb,2\n", VALUES)
    one, two = np.array([1.25]), np.array([-2e-7, 1 / 3])
    said = [Prediction(values=one, deviations=np.array([0.5])), Prediction(values=two, deviations=np.array([3.0, 0.1]))]
    expected = ["text,x,predicted,deviation", "a,1,1.25,0.5", "b,2,-2e-07;0.333333,3;0.1"]
    assert written(path, examples, *said, wanted=VALUES) == expected
    alone = written(path, examples, Prediction(values=one), Prediction(values=one), wanted=VALUES)
    assert alone == ["text,x,predicted", "a,1,1.25", "b,2,1.25"]
    tabs = tmp_path / "a.tsv"
    (example,) = read(tabs, "text\tx\na\t1\n", VALUES)
    assert written(tabs, [example], said[0], wanted=VALUES) == ["text\tx\tpredicted\tdeviation", "a\t1\t1.25\t0.5"]


def test_predicted_numbers_of_steps_are_written_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    examples = read(path, "text,x\na b,1 2\nc,3\n", STEP_VALUES)
    values = [np.array([[0.5], [-1]]), np.array([[1e-9]])]
    said = [Prediction(values=found, deviations=abs(found)) for found in values]
    lines = written(path, examples, *said, wanted=STEP_VALUES)
    assert lines == ["text,x,predicted,deviation", "a b,1 2,0.5 -1,0.5 1", "c,3,1e-09,1e-09"]
    again = read(tmp_path / "b.csv", "\n".join(lines), STEP_VALUES, input="text", target="predicted,deviation")
    for example, found in zip(again, values, strict=True):
        np.testing.assert_array_equal(example.values, np.concatenate([found, abs(found)], axis=1))
    tabs = tmp_path / "a.tsv"
    (example,) = read(tabs, "text\tx\na b\t1 2\n", STEP_VALUES)
    several = Prediction(values=np.array([[1.0, 2.0], [3.0, 4.0]]))
    assert written(tabs, [example], several, wanted=STEP_VALUES) == ["text\tx\tpredicted", "a b\t1 2\t1,2 3,4"]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("text,title,label\na b,T,x\n", "title,label\nT,x\n", "b.csv: .*a.csv has the input in 'text', and here it would be 'title'; the col.* `input`"),
        ("text,stars\na b,1\n", "text,label\na b,x\n", "b.csv: .*a.csv has the target in 'stars', and here it would be 'label'"),
        ("text,label\na b,x\n", "review,label\na b,x\n", "has the input in 'text', and here it would be 'review'"),
        ("body,heading,label\na b,H,x\n", "heading,text,label\nH,a b,x\n", "has the input in 'body', and here it would be 'text'"),
    ],
)  # fmt: skip
def test_tables_that_would_be_read_by_other_columns_than_the_first_are_refused(tmp_path: Path, first: str, second: str, told: str) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, content in zip(paths, (first, second), strict=True):
        path.write_text(content)
    with pytest.raises(DataError, match=told):
        list(read_examples(paths, resolve_reading(paths, ReadingOptions(), LABELS), LABELS))
    paths[1].write_text(first.upper())
    assert len(list(read_examples(paths, ReadingOptions(), LABELS))) == 2


def test_columns_of_other_names_that_are_asked_for_are_read(tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, name in zip(paths, ("text", "review"), strict=True):
        path.write_text(f"{name},label\na b,x\n")
    assert texts(read_examples(paths, ReadingOptions(input="0"), LABELS)) == [("a b", ("x",))] * 2
