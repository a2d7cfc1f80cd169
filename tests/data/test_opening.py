"""Files are opened in one way: unpacked, and refused where they are no text, with what they are."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import sqlite3
import sys
import tarfile
import tracemalloc
import wave
import zipfile
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, read_examples, resolve_format
from unrolled.data.formats.files import read_lines
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import read_pairs
from unrolled.data.opening import open_unpacked
from unrolled.data.text import find_sources, read_text
from unrolled.data.vectors import read_vectors
from unrolled.errors import DataError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TEXT = "one,two\r\nthree é,four\n"


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


PACKINGS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
    ".zip": lambda content: zipped({"README.md": b"about", "__MACOSX/._inner.csv": b"\0", "inner.csv": content}),
}


@pytest.fixture(params=PACKINGS)
def packed(request, tmp_path):
    """Writes a packed file."""

    def write(name: str, content: str, *, suffix: bool = True, encoding: str = "utf-8", damage: int = 0) -> Path:
        path = tmp_path / (name + request.param * suffix)
        data = PACKINGS[request.param](content.encode(encoding))
        path.write_bytes(data[: len(data) - damage] if damage else data)
        return path

    return write


def test_what_is_packed_is_read_whatever_its_name_is(packed) -> None:
    for path in (packed("a.csv", TEXT), packed("a", TEXT, suffix=False)):
        assert list(read_lines(path, "utf-8")) == [(1, "one,two"), (2, "three é,four")]
        (source,) = find_sources(path)
        assert source.size == len(TEXT.encode())
        assert "".join(chunk.text for chunk in read_text([source], block=5)) == TEXT.replace("\r", "")
    assert list(read_lines(packed("b.csv", TEXT, encoding="utf-16"), "utf-16")) == [(1, "one,two"), (2, "three é,four")]


def test_every_reader_unpacks(packed) -> None:
    table = packed("table.csv", "text,label\ngood film,pos\n")
    assert resolve_format(table, ReadingOptions(), Target.LABELS).format == "csv"
    assert [example.labels for example in read_examples(table, ReadingOptions(), Target.LABELS)] == [("pos",)]
    classes = [packed("pos.txt", "good\n"), packed("neg.txt", "bad\n")]
    assert [example.labels for example in read_examples(classes, ReadingOptions(), Target.LABELS)] == [("pos",), ("neg",)]
    tagged, regions = packed("s.fa", ">s\nACGT\n"), packed("r.gff3", "s\t.\texon\t2\t3\t.\t+\t.\t.\n")
    (example,) = read_examples(tagged, ReadingOptions(regions=(str(regions),)), Target.TAGS)
    assert example.tags == ("O", "exon", "exon", "O")
    (pair,) = read_pairs(packed("pairs.tsv", "a\tb\n"), PairOptions())
    assert (pair.text, pair.texts) == ("a", ("b",))
    assert read_vectors(packed("v.txt", "a 1 2\n"), ("a",))[0].tolist() == [[1, 2]]


def test_what_is_cut_short_is_an_error_everywhere(packed) -> None:
    path = packed("short.csv", "text,label\n" + "".join(f"film {i * i % 977},pos\n" for i in range(50_000)), damage=20)
    for read in (read_lines(path, "utf-8"), read_examples(path, ReadingOptions(), Target.LABELS)):
        with pytest.raises(DataError, match=r"short.csv.* cannot be unpacked: .* get it again"):
            list(read)
    with pytest.raises(DataError, match="cannot be unpacked"):
        find_sources(path)


def test_a_cure_names_the_file_as_python_and_shells_take_it(tmp_path: Path) -> None:
    for name, command in (
        ("my book.xlsx", "read_excel('{}').to_csv('{}.csv', index=False)"),
        ("my base.db", "-csv '{}' 'SELECT * FROM name' > '{}.csv'."),
    ):
        path = tmp_path / name
        path.write_bytes(OTHERS["book.xlsx"][0]) if name.endswith("xlsx") else _sqlite(path)
        with pytest.raises(DataError) as caught:
            find_sources(path)
        assert command.format(path, path) in str(caught.value)


def test_the_name_of_the_only_member_says_the_format(tmp_path: Path) -> None:
    path = tmp_path / "download-1.0.zip"
    path.write_bytes(PACKINGS[".zip"](b"text,label\ngood,pos\n"))
    assert resolve_format(path, ReadingOptions(), Target.LABELS).format == "csv"


def test_damaged_archives_are_told(tmp_path: Path) -> None:
    path = tmp_path / "download.zip"
    whole = zipped({"a.csv": b"text,label\ngood,pos\n"})
    for data in (whole[:-30], whole.replace(b"PK\x01\x02", b"PK\x01\x09"), whole.replace(b"PK\x03\x04", b"PK\x03\x04\0", 1)):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"download.zip cannot be unpacked: .* get it again"):
            list(read_examples(path, ReadingOptions(), Target.LABELS))
    with pytest.raises(DataError, match="cannot be opened"):
        list(read_examples("a\0b.zip", ReadingOptions(), Target.LABELS))


def test_archives_of_several_files_and_locked_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "several.zip"
    path.write_bytes(zipped({"train.csv": b"a", "test.csv": b"b"}))
    locked = tmp_path / "locked.zip"
    data = bytearray(zipped({"a.txt": b"a"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(data)
    for file, message in ((path, r"has 2 files in it.*train.csv, test.csv"), (locked, "locked with a password.*a.txt")):
        with pytest.raises(DataError, match=message):
            list(read_lines(file, "utf-8"))


@pytest.mark.parametrize("suffix", [".gz", ".zip"])
def test_what_unpacks_to_very_much_is_not_held_in_memory(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(PACKINGS[suffix](b"a" * 79 + b"\n" + b"a line\n" * 8_000_000))
    tracemalloc.start()
    assert next(read_lines(path, "utf-8")) == (1, "a" * 79)
    with open_unpacked(path) as file:
        assert sum(len(block) for block in iter(lambda: file.read(1 << 16), b"")) == 80 + 56_000_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def _wave(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\2" * 100)


def _sqlite(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("create table t (a)")
    database.commit()
    database.close()


def _tar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        archive.add(__file__, "inside")


OTHERS = {
    "book.xlsx": (zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b""}), "an Excel workbook, .*read_excel.*book.xlsx"),
    "text.docx": (zipped({"word/document.xml": b""}), "a Word document, .*plain text"),
    "text.odt": (zipped({"mimetype": b"", "content.xml": b""}), "an OpenDocument"),
    "old.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old Word or Excel file"),
    "array.npy": (lambda path: np.save(path, np.ones(9)), "a NumPy array, .*savetxt"),
    "arrays.npz": (lambda path: np.savez(path, a=np.ones(9)), "a file of NumPy arrays"),
    "table.parquet": (b"PAR1\x15\4\x15" + bytes(50) + b"PAR1", "a Parquet table, .*read_parquet"),
    "text.pdf": (b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\n", "a PDF document"),
    "picture.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture"),
    "picture.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture"),
    "sound.wav": (_wave, "sound"),
    "base.sqlite": (_sqlite, "an SQLite database, .*sqlite3 -header -csv"),
    "object.pkl": (lambda path: path.write_bytes(pickle.dumps({"a": [1]})), "a Python pickle"),
    "model.pt": (zipped({"model/data.pkl": b"", "model/data/0": b""}), "a file of weights"),
    "data.h5": (b"\x89HDF\r\n\x1a\n" + bytes(50), "an HDF5 file"),
    "data.tar.gz": (_tar, "a tar archive"),
    "data.7z": (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive"),
    "vectors.bin": (b"2 3\nthe " + np.ones(3, np.float32).tobytes() + b"\n", "a file of word vectors in word2vec's binary form, .*gensim"),
    "letter.rtf": (b"{\\rtf1\\ansi Hello}", "an RTF document"),
    "t10k-images": (b"\0\0\x08\3\0\0\0\1\0\0\0\1\0\0\0\1\0", "a file of images in the idx format.*`format='idx'`"),
    "twice.gz": (gzip.compress(gzip.compress(b"text")), "packed with gzip"),
    "numbers.raw": (np.random.default_rng(1).standard_normal(500).astype(np.float32).tobytes(), "binary"),
    "lines.txt": ("a\n".encode("utf-16"), "UTF-16 text, .*`encoding='utf-16'`"),
    "big.txt": ("a\n".encode("utf-32"), "UTF-32 text, .*`encoding='utf-32'`"),
    "little.txt": ("a line\n".encode("utf-16-le"), "UTF-16-LE text, .*`encoding='utf-16-le'`"),
    "other.txt": ("a line\n".encode("utf-16-be"), "UTF-16-BE text, .*`encoding='utf-16-be'`"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_text_is_named_in_every_encoding(name: str, tmp_path: Path) -> None:
    content, message = OTHERS[name]
    path = tmp_path / name
    path.write_bytes(content) if isinstance(content, bytes) else content(path)
    for encoding in ("utf-8", "latin-1", "cp1252"):
        for read in (lambda path, encoding: list(read_lines(path, encoding)), find_sources):
            with pytest.raises(DataError, match=f"{name} is {message}") as caught:
                read(path, encoding)
            assert "latin" not in str(caught.value).partition(" text. ")[2]


@pytest.mark.parametrize(
    "content",
    [
        b"ORC and elf\n", b"PAR1 is a word\n", b"ID3 tags\n", b"BM is short\n", b"GIF89a\n", b"\x1b[31mred\x1b[0m\n", b"a\x0cb\n", b"7z\n",
        b"MM of rain\n", b"a" * 200 + b"\x01\n", b"line\n" * 99 + b"a stray \0\n", "één\n".encode(), b"", b"BZh9 x\n", b"PK\n", b"@user hi\n",
    ],
)  # fmt: skip
def test_text_is_text(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    assert "\n".join(line for _, line in read_lines(path, "utf-8")) == content.decode().rstrip("\n")


def test_text_in_other_encodings_is_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp037", "shift-jis", "gb18030"):
        text = "日本\n" if encoding in ("shift-jis", "gb18030") else "one two\nthree\n"
        path.write_bytes(text.encode(encoding))
        assert "".join(f"{line}\n" for _, line in read_lines(path, encoding)) == text
        assert "".join(chunk.text for chunk in read_text(find_sources(path, encoding))) == text


def test_a_mark_before_text_in_two_bytes_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\n".encode("utf-16-le"))
    assert list(read_lines(path, "utf-16-le")) == [(1, "one")]


def test_a_plain_file_with_the_name_of_a_packed_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv.gz"
    path.write_text("one\n")
    assert list(read_lines(path, "utf-8")) == [(1, "one")]


def test_what_is_no_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    cases = [(tmp_path, "is a folder|has no files with data"), (tmp_path / "none", "does not exist"), (Path("a\0b"), "cannot be opened")]
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        cases += [(tmp_path / "pipe", r"is a pipe.*Save it to a file first.*\.zst"), (Path("/dev/zero"), "is a device")]
    for path, message in cases:
        for read in (lambda path: list(read_lines(path, "utf-8")), find_sources):
            with pytest.raises(DataError, match=message):
                read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_before_it_is_known_what_it_has(tmp_path: Path) -> None:
    for name in ("pipe", "pipe.csv", "pipe.parquet", "pipe.npz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(DataError, match=f"{name} is a pipe"):
            list(read_examples(tmp_path / name, ReadingOptions(), Target.LABELS))
