"""Files as text, lines and tables, and what is said of those that cannot be read."""

import gzip
from pathlib import Path

import pytest

from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.files import HEAD, read_lines
from unrolled.data.formats.rows import open_rows, open_table
from unrolled.errors import ConfigError, DataError

TEXT = "a,b\r\n1,é\u2028x\n\n2,\n"


@pytest.mark.parametrize("name", ["plain.csv", "packed.csv.gz", "PACKED.GZ"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_lines_are_numbered_and_unpacked(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    data = TEXT.encode(encoding)
    path.write_bytes(gzip.compress(data) if name.lower().endswith("gz") else data)
    assert list(read_lines(path, encoding)) == [(1, "a,b"), (2, "1,é\u2028x"), (3, ""), (4, "2,")]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "marked.txt"
    path.write_bytes(b"\xef\xbb\xbfa\n")
    assert list(read_lines(path, "utf-8")) == [(1, "a")]


@pytest.mark.parametrize(("delimiter"), [",", ";", "\t", "|"])
def test_a_table_finds_its_delimiter_and_its_lines(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "table"
    path.write_text(f'id{delimiter} "x y"\n1{delimiter}"two\nlines"\n\n3{delimiter}\n')
    with open_table(path, "utf-8") as table:
        assert list(table.rows) == [(3, ["1", "two\nlines"]), (5, ["3", ""])]
        assert table.find("id", "case") == 0
        with pytest.raises(ConfigError, match=r"no column 'y'; .* id, .*`case`"):
            table.find("y", "case")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no first line"),
        ("a,b\n1,2\na,b\n3,4\n", "line 3: the names of the columns come again. Take the row out."),
        ("a,b\n1,2\n1,2,3\n", "line 3: a row must have 2 cells .* got 3. Put a cell that has ',' in it between double quotes. To leave"),
        ("a,b\n1,2\n1\n", "line 3: a row must have 2 cells .* got 1. Fill the row up. To leave"),
        ("a,b\n\xe9,2\n", "bad.csv, line 2, is not utf-8"),
        ('a,b\n1,2\n"x,2\ny,3\n', "line 3: unexpected end of data"),
    ],
)
def test_bad_tables(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=message), open_table(path, "utf-8") as table:
        list(decided(table.rows))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('text, "label"\na b, "x"\nc, "x, y"\n', [["text", "label"], ["a b", "x"], ["c", "x, y"]]),
        ('"label", "text"\n"x", "a ""b"", c"\n', [["label", "text"], ["x", 'a "b", c']]),
        ('text\t "label"\na\t "x"\n', [["text", "label"], ["a", "x"]]),
        ("text,label\n a, x\n", [["text", "label"], [" a", " x"]]),
        ('text,label\n"said, ""no""", x\n', [["text", "label"], ['said, "no"', " x"]]),
        ('text,label\nx, "no" she said\n', [["text", "label"], ["x", ' "no" she said']]),
    ],
)
def test_blanks_before_double_quotes_are_none_of_the_cells(tmp_path: Path, content: str, rows: list[list[str]]) -> None:
    (tmp_path / "a.csv").write_text(content)
    with open_rows(tmp_path / "a.csv", "utf-8") as (_, found):
        assert [row for _, row in decided(found)] == rows


@pytest.mark.parametrize("source", ["a" * 300, "a" * 300 + ".csv", "a" * 300 + "/*.csv"])
def test_a_name_that_no_file_can_have_is_told(source: str) -> None:
    with pytest.raises(DataError, match=r"'aaa.*' cannot be opened: File name too long"):
        list(read_examples(source, ReadingOptions(), Target.LABELS))


@pytest.mark.parametrize("before", [0, HEAD + 5])
@pytest.mark.parametrize("row", [["two\nlines, \tx", "neg"], ["neg", "two\nlines"], ["two\n\nlines", "neg"]])
def test_cells_between_tabs_go_over_lines_wherever_they_stand(tmp_path: Path, row: list[str], before: int) -> None:
    written = "\t".join(f'"{cell}"' if "\n" in cell else cell for cell in row)
    (path := tmp_path / "t.tsv").write_text("text\tlabel\n" + "plain\tpos\n" * before + written + "\nplain\tpos\n")
    with open_rows(path, "utf-8") as (_, rows):
        found = [one for one in rows if one[1] != ["plain", "pos"]]
    assert found[1:] == [(before + 2 + written.count("\n"), row)]


def test_quotes_that_do_not_end_are_plain_between_tabs(tmp_path: Path) -> None:
    (path := tmp_path / "t.tsv").write_text("text\tlabel\n" + "plain\tpos\n" * HEAD + '"one\tneg\ntwo"\tneg\nthree\n"four\tneg\n')
    with open_rows(path, "utf-8") as (_, rows):
        told = [str(one) if isinstance(one, DataError) else one for one in rows][HEAD + 1 :]
    assert told[:2] == [(HEAD + 2, ['"one', "neg"]), (HEAD + 3, ['two"', "neg"])] and told[3] == (HEAD + 5, ['"four', "neg"])
    assert f"line {HEAD + 4}: a row must have 2 cells" in told[2]


def test_a_table_whose_first_row_does_not_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('path,"text\nb.wav,"one two\n')
    with pytest.raises(DataError, match=r"a\.csv, line 1: .*Check its double quotes"):
        list(read_examples(tmp_path / "a.csv", ReadingOptions(), Target.LABELS))


def test_long_lines_of_text_name_no_folders(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word " * 100 + "end\n" + "other " * 100 + "end\n")
    found = list(read_examples(tmp_path / "a.txt", ReadingOptions().to_predict(), Target.LABELS))
    assert [len((example.text or "").split()) for example in found] == [101, 101]
