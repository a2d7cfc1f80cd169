"""Plain lines, files of classes, and how a format is found."""

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats import FORMATS, ReadingOptions, read_examples, resolve_format, write_predictions
from unrolled.errors import ConfigError, DataError

ANY = ReadingOptions()
LABELS, TAGS = Target.LABELS, Target.TAGS


def make(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def labelled(sources) -> list:
    return [(example.text, example.labels) for example in read_examples(sources, ANY, Target.LABELS)]


EXPECTED = [("c", ("neg",)), ("a", ("pos",)), ("b", ("pos",))]


@pytest.mark.parametrize(
    "files",
    [
        {"pos_dot_txt": "a\n\n b\n".replace(" ", ""), "neg_dot_txt": "c", "README_dot_md": "about", "LICENSE": "no"},
        {"rt_dot_pos": "a\nb\n", "rt_dot_neg": "c\n"},
        {"pos__1_dot_txt": "a\n", "pos__2_dot_txt": "b", "neg__1_dot_txt": " c\r\n", "urls_dot_txt": "no"},
    ],
)
def test_a_folder_has_a_file_or_a_folder_for_each_class(tmp_path: Path, files) -> None:
    assert labelled(make(tmp_path, **files)) == EXPECTED


def test_labels_that_look_like_files_about_data(tmp_path: Path) -> None:
    make(tmp_path, notice_dot_txt="a", license_dot_txt="b", NOTICE_dot_txt="no")
    assert labelled([tmp_path]) == [("b", ("license",)), ("a", ("notice",))]


def test_files_and_folders_of_classes_by_name(tmp_path: Path) -> None:
    make(tmp_path, pos_dot_txt="a\nb", neg_dot_txt="c", LICENSE="no")
    assert labelled([tmp_path / "neg.txt", tmp_path / "pos.txt"]) == EXPECTED
    assert labelled(sorted(tmp_path.glob("*"))) == EXPECTED[:1] + EXPECTED[1:]
    make(tmp_path, neg__x="c", pos__x="a", pos__y="b")
    assert labelled([tmp_path / "neg", tmp_path / "pos"]) == EXPECTED
    packed = [tmp_path / "p" / "French.txt.gz", tmp_path / "p" / "Dutch.txt.gz"]
    (tmp_path / "p").mkdir()
    for path in packed:
        path.write_bytes(gzip.compress(b"x\n"))
    assert labelled(packed) == [("x", ("French",)), ("x", ("Dutch",))]


def test_odd_characters_do_not_end_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffa\x0b\x1c\x85b\u2028c\r\nd\x00".encode())
    assert [(e.text, e.place) for e in read_examples(path, ANY, Target.LABELS)] == [
        ("a\x0b\x1c\x85b\u2028c", f"{path}, line 1"),
        ("d\x00", f"{path}, line 2"),
    ]


def test_lines_with_predictions(tmp_path: Path) -> None:
    make(tmp_path, a_dot_txt="x y\nz")
    examples = list(read_examples(tmp_path / "a.txt", ANY, Target.LABELS))
    file = io.StringIO()
    predictions = [Prediction(labels=("p",), probabilities=(0.75,)), Prediction(labels=("p", "q"), probabilities=(0.75, 0.5))]
    write_predictions(zip(examples, predictions, strict=True), file, resolve_format(tmp_path / "a.txt", ANY, Target.LABELS))
    assert file.getvalue() == "p\t0.7500\tx y\np;q\t0.7500;0.5000\tz\n"


def test_lines_with_tags_have_a_line_for_each_token_and_characters_of_one_tag_together() -> None:
    file = io.StringIO()
    found = [
        (Example("1", tokens=("Ada", "runs", "far")), Prediction(tags=("N", "V", "V"), probabilities=(0.5, 0.25, 0.75))),
        (Example("2", tokens=tuple("ab\t\nc")), Prediction(tags=tuple("NNOON"), probabilities=(0.5, 0.25, 1, 1, 0.75))),
    ]
    write_predictions(found, file, ReadingOptions(format="lines"))
    assert file.getvalue() == ("Ada\tN\t0.5000\nruns\tV\t0.2500\nfar\tV\t0.7500\n\nab\tN\t0.3750\n\\t\\n\tO\t1.0000\nc\tN\t0.7500\n\n")


TOKENS = "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n"


@pytest.mark.parametrize(
    ("name", "content", "wanted", "options", "expected"),
    [
        ("a.CSV.gz", "", LABELS, {}, "csv"),
        ("a.csv", "", LABELS, {"case": "c", "activity": "a"}, "events"),
        ("a.csv", "", LABELS, {"series": "s"}, "series"),
        ("a.txt", "one line\n", LABELS, {}, "lines"),
        ("a.txt", "\n{}\n", LABELS, {}, "jsonl"),
        ("a.dat", ">s1\nACGT\n", TAGS, {}, "fasta"),
        ("a", "# x\n" + TOKENS, TAGS, {}, "conllu"),
        ("a.annotated", "a O\nb O\n", TAGS, {}, "columns"),
        ("a.txt", "a\tx\n", LABELS, {"target": "1"}, "tsv"),
        ("a.txt", "a,x\n", LABELS, {"target": "1"}, "csv"),
        ("a.txt", "a,x\n", LABELS, {"format": "tsv"}, "tsv"),
        ("train-images-idx3-ubyte", "", LABELS, {}, "idx"),
    ],
)
def test_the_format_is_found(tmp_path: Path, name: str, content: str, wanted: Target, options, expected: str) -> None:
    data = content.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert resolve_format(tmp_path / name, ReadingOptions(**options), wanted).format == expected


def test_text_to_tag_is_a_sequence_a_line_and_columns_are_seen(tmp_path: Path) -> None:
    make(tmp_path, a_dot_txt="the dog\nit runs fast\nhey you\n", b_dot_txt="the O\ndog O\n\nhey O\n")
    asked = ReadingOptions().to_predict()
    assert resolve_format(tmp_path / "a.txt", asked, Target.TAGS).format == "lines"
    assert resolve_format(tmp_path / "a.txt", ReadingOptions(input="text").to_predict(), Target.LABELS).format == "lines"
    assert resolve_format(tmp_path / "b.txt", asked, Target.TAGS).format == "columns"


def test_a_folder_of_one_format(tmp_path: Path) -> None:
    make(tmp_path, a_dot_jsonl='{"text": "a"}', b_dot_jsonl='{"text": "b"}', README="about")
    assert labelled(tmp_path) == [("a", None), ("b", None)]


@pytest.mark.parametrize(("typed", "expected"), [(b"What time\nis it", ["What time", "is it"]), (b'{"text": "a"}\n', ["a"])])
def test_standard_input(monkeypatch, typed: bytes, expected: list[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(typed))))
    assert [example.text for example in read_examples("-", ANY.to_predict(), Target.TAGS)] == expected


def test_typed_lines_are_sequences_where_files_are(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"a\nb\n"))))
    whole = ReadingOptions(format="lines", whole=True).to_predict()
    assert [example.text for example in read_examples("-", whole, Target.LABELS)] == ["a", "b"]
    (tmp_path / "a.txt").write_text(" \n")
    with pytest.raises(DataError, match=r"a.txt is empty, and should be a sequence. Fill it"):
        list(read_examples(tmp_path / "a.txt", whole, Target.LABELS))


def test_nothing_typed(monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"\n \n"))))
    with pytest.raises(DataError, match=r"standard input has no text. Give a sequence a line"):
        list(read_examples("-", ReadingOptions(format="lines").to_predict(), Target.TAGS))


def test_built_in_sources() -> None:
    (example, *_) = read_examples("builtin:intents", ANY, Target.LABELS)
    assert example.labels
    assert resolve_format("builtin:intents", ANY, Target.LABELS).format == "jsonl"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    make(tmp_path, a_dot_csv="", b_dot_jsonl="", c_dot_txt="", d_dot_pos="x\n", empty__README="x")
    (tmp_path / "latin.txt").write_bytes(b"fine\ncaf\xe9\n")
    cases = [
        ([], ANY, "No data was given"),
        (tmp_path / "none.csv", ANY, "none.csv does not exist"),
        (tmp_path / "c.txt", ANY, "c.txt has no text"),
        (tmp_path / "b.jsonl", ANY, "no sequence in .*b.jsonl"),
        (tmp_path / "latin.txt", ANY, "latin.txt, line 2, is not utf-8: .*`encoding='cp1252'`"),
        (tmp_path / "latin.txt", ReadingOptions(encoding="latin1x"), "no text encoding 'latin1x'"),
        (tmp_path / "empty", ANY, "empty has no files with data"),
        ([tmp_path / "a.csv", tmp_path / "b.jsonl"], ANY, "several formats: csv, jsonl"),
        ([tmp_path / "a.csv", tmp_path / "d.pos"], ANY, "several formats: csv, other"),
        (tmp_path / "a.csv", ReadingOptions(format="xml"), f"no format 'xml'. Pass one of {', '.join(FORMATS)}"),
        ("builtin:intent", ANY, "no built-in examples 'builtin:intent'"),
        (tmp_path, ReadingOptions(format="lines"), "c.txt has no text"),
    ]
    for sources, options, message in cases:
        with pytest.raises((DataError, ConfigError), match=message):
            list(read_examples(sources, options, Target.LABELS))


def test_lines_with_predicted_numbers() -> None:
    file = io.StringIO()
    found = [
        (Example("1", text="x\ny"), Prediction(values=np.array([1.25]), deviations=np.array([0.5]))),
        (Example("2", text="z"), Prediction(values=np.array([1.0, -2.0]))),
        (Example("3", tokens=("Ada", "\t")), Prediction(values=np.array([[0.5], [1.0]]), deviations=np.array([[0.1], [0.2]]))),
        (Example("4", tokens=tuple("aab")), Prediction(values=np.array([[1.0, 2.0]] * 3))),
    ]
    write_predictions(found, file, ReadingOptions(format="lines"))
    steps = "Ada\t0.5\t0.1\n\\t\t1\t0.2\n\na\t1,2\na\t1,2\nb\t1,2\n\n"
    assert file.getvalue() == f"1.25\t0.5\tx y\n1;-2\tz\n{steps}"


def test_files_of_classes_that_are_numbers(tmp_path: Path) -> None:
    paths = [tmp_path / "1.txt", tmp_path / "-2.5.txt"]
    for path in paths:
        path.write_text("a\n")
    assert [example.values.tolist() for example in read_examples(paths, ANY, Target.VALUES)] == [[1], [-2.5]]
    paths[1].rename(tmp_path / "many.txt")
    with pytest.raises(DataError, match=r"many.txt, line 1: a target must be a number, got 'many'"):
        list(read_examples([paths[0], tmp_path / "many.txt"], ANY, Target.VALUES))
    with pytest.raises(ConfigError, match="have a label for each sequence and none for its steps"):
        list(read_examples(paths[:1], ReadingOptions(format="files"), Target.STEP_VALUES))
