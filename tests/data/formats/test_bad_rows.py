"""A bad row ends the reading or is left out, in every format in the same way; what is left out is counted, and the first is told."""

from pathlib import Path

import pytest

from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, labelled_examples, read_examples
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs
from unrolled.data.formats.rows import open_rows
from unrolled.errors import ConfigError, DataError, UnrolledWarning

LABELS, TAGS, VALUES = Target.LABELS, Target.TAGS, Target.VALUES
TREE = "1\tA\t_\tX\t_\t_\t0\t_\t_\t_\n"

CASES = [
    ("a.csv", 'text,label\na,x\n"b,y\nc,y\n"d e",x\n', {}, LABELS, 2, ("line 3", 1), ["x", "y", "x"]),
    ("a.csv", "text,label\na,x\nb\nc,y,z\nd,\n,x\ne,y\n", {}, LABELS, 2, ("line 3", 4), ["x", "y"]),
    ("a.csv", "text,n\na,1\nb,high\nc,inf\nd,2.5\n", {"target": "n"}, VALUES, 3, ("line 3", 2), [1.0, 2.5]),
    ("a.csv", "text,label\nab,XY\nabc,XY\nb,X\n", {}, TAGS, 2, ("line 3", 1), [("X", "Y"), ("X",)]),
    ("a.jsonl", '{"text":"a","label":"x"}\n{"text"\n[]\n{"text":null,"label":"y"}\n{"t":1}\n{"text":"b","label":"y"}\n', {}, LABELS, 2, ("line 2", 4), ["x", "y"]),
    ("a.conll", "A O\nB O\n\nC\n\n\nD B-X\n", {}, TAGS, 2, ("line 4", 1), [("O", "O"), ("B-X",)]),
    ("a.conllu", f"{TREE}\n1\tB\n\n{TREE}\n", {}, TAGS, 2, ("line 3", 1), [("X",), ("X",)]),
    ("a.ts", "@univariate true\n@classLabel true u v\n@data\n1,2:u\n1,x:v\n1:w\n3:v\n", {}, LABELS, 2, ("line 5", 2), ["u", "v"]),
    ("a.fa", ">a label=x\nAC\n>b\n>c label=y\nG\n", {}, LABELS, 2, ("sequence b", 1), ["x", "y"]),
    ("a.csv", "id,x,y\na,1,u\nb,?,v\n,2,u\na,1\na,2,u\nc,3,v\n", {"series": "id", "target": "y"}, LABELS, 2, ("line 4", 3), ["u", "v"]),
    ("a.csv", "id,what,y\na,go,u\na,,u\nb,go,v\n", {"case": "id", "activity": "what", "target": "y"}, LABELS, 2, ("line 3", 1), ["u", "v"]),
]  # fmt: skip


def said(example):
    if example.values is not None:
        return example.values[0]
    return example.tags if example.tags is not None else example.labels[0]


@pytest.mark.parametrize(("name", "content", "options", "wanted", "least", "bad", "found"), CASES)
def test_bad_rows_are_left_out_and_counted(name, content, options, wanted, least, bad, found, tmp_path: Path) -> None:
    path, (place, count) = tmp_path / name, bad
    path.write_text(content)
    with pytest.raises(DataError, match=f"{name}, {place}.* To leave such rows out, pass `bad_rows='skip'`"):
        list(labelled_examples(path, ReadingOptions(**options), wanted))
    with pytest.warns(UnrolledWarning, match=f"^{count} bad rows? (is|are) left out. The first: .*{name}, {place}"):
        assert [said(example) for example in labelled_examples(path, ReadingOptions(bad_rows="skip", **options), wanted)] == found


def test_lines_keep_their_numbers_after_a_quote_too_many(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text,label\n"a,x\nb,y\nc\n')
    with open_rows(path, "utf-8") as (_, rows):
        header, quote, row, short = rows
    assert (header, row) == ((1, ["text", "label"]), (3, ["b", "y"]))
    assert "a.csv, line 2: " in str(quote) and "a.csv, line 4: a row must have 2 cells" in str(short)


LATIN = "café".encode("latin-1")

UNDECODED = [
    ("a.csv", b"text,label\na,x\n%s,y\nb,y\n", {}, LABELS, 3, ["x", "y"]),
    ("a.csv", b'text,label\na,x\n"b\n%s",y\nc,y\n', {}, LABELS, 4, ["x", "y"]),
    ("a.tsv", b"label\ttext\nx\ta\ny\t%s\ny\tb\n", {}, LABELS, 3, ["x", "y"]),
    ("a.jsonl", b'{"text":"a","label":"x"}\n{"text":"%s","label":"x"}\n{"text":"b","label":"y"}\n', {}, LABELS, 2, ["x", "y"]),
    ("a.ft", b"__label__x a\n__label__x %s\n__label__y b\n", {}, LABELS, 2, ["x", "y"]),
    ("a.conll", b"A O\nB O\n\nC O\n%s O\n\nD B-X\n", {}, TAGS, 5, [("O", "O"), ("B-X",)]),
    ("a.conllu", TREE.encode() + b"\n1\t%s\n\n" + TREE.encode(), {}, TAGS, 3, [("X",), ("X",)]),
    ("a.csv", b"id,x,y,note\na,1,u,\nb,2,v,%s\nb,2,v,\n", {"series": "id", "target": "y", "channels": ("x",)}, LABELS, 3, ["u", "v"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "options", "wanted", "line", "found"), UNDECODED)
def test_a_row_that_is_not_in_the_encoding_is_bad(name, content, options, wanted, line, found, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content % LATIN)
    told = rf"{name}, line {line}, is not utf-8: it has the byte 0xe9. .*`encoding='cp1252'`"
    with pytest.raises(DataError, match=f"{told}.* To leave such rows out, pass `bad_rows='skip'`"):
        list(labelled_examples(path, ReadingOptions(**options), wanted))
    with pytest.warns(UnrolledWarning, match=f"^1 bad row is left out. The first: .*{told}"):
        assert [said(example) for example in labelled_examples(path, ReadingOptions(bad_rows="skip", **options), wanted)] == found


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.ts"])
def test_quotes_of_windows_are_no_latin_1(name, tmp_path: Path) -> None:
    begin = (
        "@classLabel true x y\n@data\n1:x\n# “\n"
        if name == "a.ts"
        else "text,label\na,x\n\nb “,y\n".replace(",", "," if name == "a.csv" else "\t")
    )
    (tmp_path / name).write_bytes(begin.encode("cp1252"))
    with pytest.raises(DataError, match=rf"{name}, line 4, has the byte 0x93, .*`encoding='cp1252'`"):
        list(read_examples(tmp_path / name, ReadingOptions(encoding="latin1"), LABELS))


def test_an_empty_file_among_those_of_a_class_is_a_bad_row(tmp_path: Path) -> None:
    for name, text in (("pos/1.txt", "good"), ("pos/2.txt", ""), ("neg/1.txt", "bad")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.warns(UnrolledWarning, match="1 bad row is left out. The first: .*2.txt is empty"):
        assert [said(example) for example in read_examples(tmp_path, ReadingOptions(bad_rows="skip"), LABELS)] == ["neg", "pos"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "a\tb\nbroken\nc\td\n"),
        ("a.csv", 'source,target\na,b\nx,y,z\n"c,d\nc,d\n'),
        ("a.jsonl", '{"source":"a","target":"b"}\n{"source":"a"}\n{}\nno\n{"source":"c","target":"d"}\n'),
        ("a.txt", "IN: a OUT: b\nIN a\nIN: c OUT: d\n"),
    ],
)
def test_pairs(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=r"line .*`bad_rows='skip'`"):
        list(read_pairs(path, PairOptions()))
    with pytest.warns(UnrolledWarning, match="left out"):
        pairs = [(pair.text, pair.texts) for pair in read_pairs(path, PairOptions(bad_rows="skip"))]
    assert pairs == [("a", ("b",)), ("c", ("d",))]


def test_where_all_rows_are_bad_nothing_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n,x\n,y\n")
    with pytest.raises(DataError, match=r"Nothing is left, as 2 rows are bad. The first: .*line 2"):
        list(read_examples(path, ReadingOptions(bad_rows="skip", input="text"), LABELS))


def test_lines_after_a_quote_without_end_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + '"b,y\na,x\n' * 2000)
    with pytest.warns(UnrolledWarning, match=r"^2,000 bad rows are left out. The first: .*line 2"):
        assert len(list(read_examples(path, ReadingOptions(bad_rows="skip"), LABELS))) == 2000


def test_other_ways_are_refused() -> None:
    for options in (ReadingOptions, PairOptions):
        with pytest.raises(ConfigError, match="`bad_rows` must be one of error, skip, got 'drop'"):
            options(bad_rows="drop")
