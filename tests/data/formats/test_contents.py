"""Files whose names do not say what they are: known by their first lines, or refused with what they seem to be."""

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, for_other_files, labelled_examples, read_examples, resolve_format, resolve_reading
from unrolled.data.formats import files as files_module
from unrolled.data.formats.guesses import are_parts
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs
from unrolled.data.text import find_sources
from unrolled.errors import ConfigError, DataError, UnrolledError, UnrolledWarning

ANY = ReadingOptions()
MARKUP = {
    "page.html": ("<!DOCTYPE html>\n<html>\n", "HTML. .*pandoc"),
    "notes.xml": ("<notes>\n  <note>a</note>\n", "XML or HTML. "),
    "news.sgm": ('<srcset setid="x"\nsrclang="any">\n<seg id="1">a</seg>\n', "XML or HTML. "),
    "film.srt": ("1\n00:00:01,000 --> 00:00:02,000\nHello.\n", "subtitles. .*grep"),
    "film.vtt": ("WEBVTT\n\n00:01.000 --> 00:04.000\nHello.\n", "subtitles. "),
    "paper.tex": ("% of 1999\n\\documentclass{article}\n", "LaTeX. .*pandoc"),
    "way.gpx": ('<gpx version="1.1"><trk><trkpt lat="1"/></trk></gpx>', "XML or HTML. "),
    "one.xml": ('<?xml version="1.0"?><notes>a</notes>', "XML or HTML. "),
    "film.sbv": ("0:00:01.000,0:00:02.000\nHello.\n", "subtitles. .*grep"),
    "film.ass": ("[Script Info]\nTitle: a\n[Events]\n", "subtitles. .*cut"),
    "song.lrc": ("[ar: a]\n[00:01.00]Hello\n", "the lyrics of a song. .*sed"),
    "a.vcf": ("##fileformat=VCFv4.2\n#CHROM\tPOS\n", "VCF"),
    "a.sto": ("# STOCKHOLM 1.0\na ACGT\n", "an alignment of sequences. "),
    "a.ics": ("BEGIN:VCALENDAR\nVERSION:2.0\n", "a calendar"),
    "a.po": ('# a\nmsgid ""\nmsgstr ""\n', "PO, translations"),
    "a.svm": ("1 1:0.5 3:-2e-3\n0 2:1\n", "LIBSVM"),
    "dump.sql": ("-- a dump\nSET x;\nINSERT INTO t VALUES (1);\n", "an SQL script. "),
}


@pytest.fixture
def write(tmp_path):
    """Writes a file, and gives its path."""

    def write(name: str, content: str) -> Path:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
        return tmp_path / name

    return write


def found(paths: list[Path] | Path, options: ReadingOptions = ANY, wanted: Target = Target.LABELS) -> str | None:
    return resolve_format(paths, options, wanted).format


@pytest.mark.parametrize("name", MARKUP)
def test_what_is_more_than_its_lines_is_no_plain_text(name: str, write) -> None:
    content, message = MARKUP[name]
    path, other = write(name, content), write(f"other.{name.rpartition('.')[2]}", content)
    told = rf"{name} seems to be {message}.*`format='\w+'`, or let its name end in .txt"
    for paths, options, wanted in (
        ([path], ANY, Target.LABELS),
        ([path, other], ANY, Target.LABELS),
        ([path], ANY, Target.TAGS),
        ([path], ANY.to_predict(), Target.LABELS),
        ([path], ANY.to_predict(), Target.TAGS),
    ):
        with pytest.raises(DataError, match=told):
            list(read_examples(paths, options, wanted))
    for options in (PairOptions(), PairOptions().to_predict()):
        with pytest.raises(DataError, match=told):
            list(read_pairs(path, options))
    with pytest.raises(DataError, match=r"let its name end in \.txt"):
        list(read_pairs([], PairOptions(source=str(path), target=(str(other),))))
    with pytest.warns(UnrolledWarning, match=f"{name} seems to be"):
        find_sources(path)


@pytest.mark.parametrize("begin", ["@user hi", "<s> hi </s>", "% hi", "@misc{a,"])
def test_lines_that_begin_with_marks_are_text_if_somebody_says_so(begin: str, write) -> None:
    pos, neg, text = write("r.pos", f"{begin}\n"), write("r.neg", "bad\n"), write("r.txt", f"{begin}\n")
    with pytest.raises(DataError, match=r"r.pos begins with .*`format='files'`, or let its name end in .txt"):
        found([pos, neg])
    examples = list(read_examples([pos, neg], replace(ANY, format="files"), Target.LABELS))
    assert [(e.text, e.labels) for e in examples] == [(begin, ("pos",)), ("bad", ("neg",))]
    assert [e.text for e in read_examples([text, write("other.txt", "bad\n")], ANY, Target.LABELS)] == [begin, "bad"]
    assert [e.text for e in read_examples(pos, ANY.to_predict(), Target.LABELS)] == [begin]
    assert find_sources(pos)


def test_a_run_of_files_of_classes_reads_no_markup_but_where_it_is_told_to(write) -> None:
    classes, page = [write("a.x", "good\n"), write("b.x", "bad\n")], write("a.html", "<html>\n")
    known = resolve_reading(classes, ANY, Target.LABELS)
    with pytest.raises(DataError, match="seems to be HTML"):
        list(read_examples(page, for_other_files(known, page), Target.LABELS))
    options = replace(for_other_files(known, page), format="files")
    assert [e.text for e in read_examples(page, options, Target.LABELS)] == ["<html>"]


def test_pages_in_folders_of_classes_are_refused_unless_they_are_meant(write) -> None:
    for label in ("course", "person"):
        write(f"{label}/1.html", "<html>\n<p>a</p>\n")
    folders = [write("course/2.html", "a").parent, write("person/2.html", "b").parent]
    with pytest.raises(DataError, match=r"1\.html seems to be HTML"):
        found(folders)
    examples = list(read_examples(folders, replace(ANY, format="files"), Target.LABELS))
    assert [e.labels for e in examples] == [("course",)] * 2 + [("person",)] * 2


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("train", "dev", "test"), True),
        (("a_train", "a_test"), True),
        (("X_TRAIN", "X_TEST"), True),
        (("imdbTrain", "imdbVal"), True),
        (("train-1", "train-2"), True),
        (("held-out", "train"), True),
        (("train", "plane", "car"), False),
        (("test",), False),
        (("training", "French"), False),
        (("latest", "contest"), False),
        (("pos", "neg"), False),
    ],
)
def test_names_of_parts(names: tuple[str, ...], parts: bool) -> None:
    assert are_parts(names) is parts


def test_parts_of_a_data_set_are_no_classes(write) -> None:
    parts = [write(f"{name}.txt", "a line\n") for name in ("train", "test")]
    for paths in (parts, parts[0].parent):
        with pytest.raises(ConfigError, match=r"classes 'test', 'train'|classes 'train', 'test'.*`validation`.*`format='files'`"):
            found(paths)
    labels = [e.labels for e in read_examples(parts, replace(ANY, format="files"), Target.LABELS)]
    assert labels == [("train",), ("test",)]
    (parts[0].parent / "folders").mkdir()
    for name in ("train", "test"):
        write(f"folders/{name}", "").unlink()
        (parts[0].parent / "folders" / name).mkdir()
        (parts[0].parent / "folders" / name / "1.txt").write_text("a")
    with pytest.raises(ConfigError, match="parts of a data set"):
        found(parts[0].parent / "folders")


def test_parts_in_fasta_are_no_classes(write) -> None:
    paths = [write(f"{name}.fa", f">{name}\nACG\n") for name in ("train", "test")]
    with pytest.raises(DataError, match="has no label"):
        list(labelled_examples(paths, ANY, Target.LABELS))


@pytest.mark.parametrize(
    ("content", "wanted", "format"),
    [
        ("ham\tGo now.\nspam\tWin, win!\n", Target.LABELS, "tsv"),
        ("text,label\ngood,pos\n", Target.LABELS, "csv"),
        ("text;label\ngood;pos\n", Target.LABELS, "csv"),
        ("text,score\ngood,1\n", Target.VALUES, "csv"),
        ("@problemName x\n@classLabel true a b\n@data\n1,2:a\n", Target.LABELS, "ts"),
        ("Well, yes\nNo, thanks\n", Target.LABELS, "lines"),
        ("a\tX\nb\tY\n", Target.TAGS, "columns"),
        ("@a\tX\n<b>\tY\n\n%\tX\n", Target.TAGS, "columns"),
        ("a\tX\nb\tY\n\na\tX\n", Target.LABELS, "columns"),
    ],
)
@pytest.mark.parametrize("name", ["data", "data.dat", "data.txt"])
def test_tables_are_known_by_their_lines(content: str, wanted: Target, format: str, name: str, write) -> None:
    assert found(write(name, content), wanted=wanted) == format


def test_files_that_may_be_tables_or_classes_are_asked_about(write) -> None:
    paths = [write(f"{name}_labelled.txt", f"Good {name}.\t1\nBad one.\t0\n") for name in ("imdb", "yelp")]
    with pytest.raises(ConfigError, match=r"imdb_labelled.txt has a tab in every line.*`format='tsv'` or `format='files'`"):
        found(paths)
    assert [e.labels for e in read_examples(paths, replace(ANY, format="tsv"), Target.LABELS)] == [("1",), ("0",)] * 2
    headed = [write(f"{name}.dat", f"text\tlabel\nGood {name}.\tpos\n") for name in ("imdb", "yelp")]
    assert [e.labels for e in read_examples(headed, ANY, Target.LABELS)] == [("pos",)] * 2


def texts(path: Path, options: ReadingOptions) -> list[str | None]:
    return [example.text for example in read_examples(path, options.to_predict(), Target.LABELS)]


def test_a_run_remembers_the_format_of_files_whose_names_do_not_say_it(write) -> None:
    known = resolve_reading(write("train", "text,label\ngood film,pos\nbad film,neg\n"), ANY, Target.LABELS)
    assert (known.format, known.unnamed) == (None, "csv")
    assert texts(write("new", "label,text\n,one film\n"), known) == ["one film"]
    assert texts(write("alone", "text\none film\n"), known) == ["one film"]
    assert texts(write("plain.txt", "one, film\n"), known) == ["one, film"]
    assert texts(write("new.jsonl", '{"text": "one film"}\n'), known) == ["one film"]
    numbered = resolve_reading(write("train", "ham\tGo now.\nspam\tWin, win!\nham\tNo.\n"), ANY, Target.LABELS)
    assert texts(write("new", "\tone\n\ttwo, three\n"), numbered) == ["one", "two, three"]
    assert texts(write("plain", "one\ntwo\n"), numbered) == ["one", "two"]
    named = resolve_reading(write("train.csv", "text,label\ngood film,pos\n"), ANY, Target.LABELS)
    assert named.unnamed is None


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"PAR1\0", "parquet"),
        (b"ARROW1\0\0", "arrow"),
        (b"\x93NUMPY\1\0", "arrays"),
        (b"\x89HDF\r\n\x1a\n\0", "arrays"),
        ("xl/workbook.xml", "excel"),
        ("x.npy", "arrays"),
        (b"% of 1999\n@relation a\n@data\n", "arff"),
        (b"<?xml version='1.0'?>\n<log>\n</log>\n", "xes"),
        (b"@r1\nACGT\n+\nIIII\n", "fastq"),
        (b"LOCUS       X1  8 bp  DNA\n", "genbank"),
        (b">s1\nACGT\n", "fasta"),
    ],
)
def test_other_kinds_are_known_by_how_they_begin(content: bytes | str, format: str, tmp_path: Path) -> None:
    path = tmp_path / "data"
    if isinstance(content, str):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(content, b"")
    else:
        path.write_bytes(content)
    assert found(path) == format


@pytest.mark.parametrize("name", ["ner.tsv", "ner.tab", "ner.txt", "ner"])
def test_a_token_a_line_is_seen_by_the_empty_lines(name: str, write) -> None:
    path = write(name, "# of news\nAda\tB-per\nwrote\tO\n\t\nParis\tB-loc\n")
    with pytest.warns(UnrolledWarning, match="left out as comments: 1"):
        examples: list[Example] = list(read_examples(path, ANY, Target.TAGS))
    assert [example.tokens for example in examples] == [("Ada", "wrote"), ("Paris",)]
    known = resolve_reading(path, ANY, Target.TAGS)
    for content in ("Bo\nsat\n\nHe\n", "Bo\nsat\n"):
        new = list(read_examples(write(f"new.{name}", content), known.to_predict(), Target.TAGS))
        assert new[0].tokens == ("Bo", "sat")


LEARNT = ReadingOptions(unnamed="columns", tags=("O", "B-X", "I-X", ".")).to_predict()


@pytest.mark.parametrize(
    "content",
    [
        "# sent_id = 1\nthe NN O\nfilm NN B-X\n\n" * 2,
        "the NN O\nfilm NN O\n",
        "film NN S-X\n",
        "O the\nB-X film\n",
        "# sent_id = 1\nthe\nfilm\n",
    ],
)
def test_a_run_of_tokens_knows_files_of_tokens_however_short(content: str, write) -> None:
    path = write("new.txt", content)
    assert found(path, LEARNT, Target.TAGS) == "columns"
    assert {"the", "film"} >= {
        token for e in read_examples(path, replace(LEARNT, input="1" if content[0] == "O" else "0"), Target.TAGS) for token in e.tokens
    }


def test_a_run_of_tokens_reads_sentences_and_tells_the_line_without_a_tag(write) -> None:
    for content in ("the film\nthe end\n", "It ended .\n", "film\n", "Or O\nso it is\nthe end\nAh\n", "# of news\nthe film\n"):
        assert found(write("plain.txt", content), LEARNT, Target.TAGS) == "lines"
    assert found(write("ragged.txt", "the\tNN\nfilm\n\nit\tNN\n"), LEARNT, Target.TAGS) == "columns"
    with pytest.raises(DataError, match=r"line 2: a line must have 3 columns .*, got 1"):
        list(read_examples(write("bad.txt", "the NN O\ngood\nfilm NN O\n"), LEARNT, Target.TAGS))


def test_a_table_of_tagged_rows_stays_a_table(write) -> None:
    for content in ("text\ttags\nAda wrote\tP O\n\nBo sat\tP O\n", "input\texpected\nACG\tLLE\nAC\tLL\n"):
        assert found(write("rows.tsv", content), wanted=Target.TAGS) == "tsv"
    assert found(write("rows", "id,input,expected\n1,ACG,LLE\n"), ReadingOptions(input="1", target="2"), Target.TAGS) == "csv"


def test_a_line_without_an_end_is_refused(write, monkeypatch) -> None:
    monkeypatch.setattr(files_module, "LONGEST_LINE", 50)
    for name in ("long.txt", "long.csv"):
        path = write(name, "text,label\n" + "a" * 50)
        with pytest.raises(UnrolledError, match=f"{name}, line 2, has more than 50 characters"):
            list(read_examples(path, ANY.to_predict(), Target.LABELS))
