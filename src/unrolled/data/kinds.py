"""What kind of file something is, by its first bytes: the kinds that people pass and that are no text, and what to do with each."""

import codecs
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_UNPACK = "Unpack it, and pass what is in it."
_AS_TEXT = "Save its text as a plain text file (.txt), and pass that."
_AS_TABLE = "Save it as CSV, and pass that"
_AS_ROWS = "Write what is to be read as a table, and pass that."
_AS_NUMBERS = "Save what is to be read as numbers in a table or in JSON Lines, as docs/data.md shows, and pass that."


@dataclass(frozen=True)
class Kind:
    """A kind of file, as it stands in "this is …", and what one does to have it read, as a sentence."""

    name: str
    cure: str

    def cure_for(self, path: str | Path) -> str:
        """The cure with a path in the place of FILE, as Python writes it after a quote, and as a shell takes it elsewhere."""
        return re.sub(
            r"('?)FILE((?:\.\w+)?)", lambda found: f"'{path}{found[2]}" if found[1] else shlex.quote(f"{path}{found[2]}"), self.cure
        )


def _with_pandas(name: str, reader: str) -> Kind:
    return Kind(name, f"{_AS_TABLE}: python -c \"import pandas; pandas.{reader}('FILE').to_csv('FILE.csv', index=False)\".")


GZIP = Kind("packed with gzip", _UNPACK)
BZIP2 = Kind("packed with bzip2", _UNPACK)
XZ = Kind("packed with xz", _UNPACK)
ZSTANDARD = Kind("packed with Zstandard", _UNPACK)
ZIP = Kind("a zip archive", _UNPACK)
PARQUET = _with_pandas("a Parquet table", "read_parquet")
ARROW = _with_pandas("an Arrow table", "read_feather")
EXCEL = _with_pandas("an Excel workbook", "read_excel")
HDF5 = _with_pandas("an HDF5 file", "read_hdf")
NUMPY = Kind("a NumPy array", "Save it as a table: numpy.savetxt('FILE.csv', array, delimiter=',').")
NUMPY_ARRAYS = Kind("a file of NumPy arrays", "Save one as a table: numpy.savetxt('FILE.csv', array, delimiter=',').")
ARFF = Kind("ARFF", "Pass it as `format='arff'`.")
XES = Kind("XES, an event log", "Pass it as `format='xes'`.")
TMX = Kind("TMX, a translation memory", "Pass it to `train translate`.")
FASTQ = Kind("FASTQ", "Pass it as `format='fastq'`.")
GENBANK = Kind("GenBank", "Pass it as `format='genbank'`.")
_AS_VIDEO = "Let its name say so, as in FILE.mp4, and pass it to a task for videos, such as `train classify`."
_WEIGHTS = Kind("a file of weights", "Pass text, or a table.")
SOUND = Kind("sound", _AS_NUMBERS)
PICTURE = Kind("a picture", "Let its name say so, as in FILE.png, and pass it to a task for pictures, such as `train classify`.")

_SURE: tuple[tuple[bytes, Kind], ...] = (
    (rb"\x1f\x8b", GZIP),
    (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", BZIP2),
    (rb"\xfd7zXZ\0", XZ),
    (rb"\x28\xb5\x2f\xfd", ZSTANDARD),
    (rb"PK\x03\x04", ZIP),
    (rb"PK\x05\x06", Kind("an empty zip archive", "Pass one with a file in it.")),
    (rb"\x04\x22\x4d\x18", Kind("packed with LZ4", _UNPACK)),
    (rb"\x1f\x9d", Kind("packed with compress", _UNPACK)),
    (rb"7z\xbc\xaf\x27\x1c", Kind("a 7z archive", _UNPACK)),
    (rb"Rar!\x1a\x07", Kind("a RAR archive", _UNPACK)),
    (rb".{257}ustar", Kind("a tar archive", _UNPACK)),
    (rb"\x93NUMPY", NUMPY),
    (rb"\xff\xff\xff\xff..\0\0", ARROW),
    (rb"Obj\x01", Kind("an Avro file", f"{_AS_TABLE}.")),
    (rb"\x89HDF\r\n\x1a\n", HDF5),
    (
        rb"SQLite format 3\0",
        Kind("an SQLite database", "Write a table of it as CSV: sqlite3 -header -csv FILE 'SELECT * FROM name' > FILE.csv."),
    ),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind("an old Word or Excel file", "Save it as CSV or as plain text (.txt), and pass that.")),
    (rb"%PDF-\d", Kind("a PDF document", "Take its text out, for instance with pdftotext, and pass that.")),
    (rb"\{\\rtf\d", Kind("an RTF document", _AS_TEXT)),
    (rb"\x89PNG\r\n|\xff\xd8\xff|II\*\0|MM\0\*|BM.{4}\0{4}", PICTURE),
    (rb"\xff[\xfb\xf3\xf2]", SOUND),
    (rb"\x1aE\xdf\xa3", Kind("a video", _AS_VIDEO)),
    (rb"\x80[\x02-\x05][\x95}\]\x8a(c\x8c]", Kind("a Python pickle", f"{_AS_TABLE} or as JSON Lines, from the program that wrote it.")),
    (rb"BAM\x01|BCF\x02", Kind("a BAM or BCF file", "Write its sequences as FASTA: samtools fasta FILE > FILE.fa.")),
    (rb".{6}\0\0\{\"", _WEIGHTS),
    (rb"\0\0\x08\x03", Kind("a file of images in the idx format", "Pass `format='idx'`, or end its name in images-idx3-ubyte.")),
    (rb"\0\0\x08\x01", Kind("a file of labels in the idx format", "Pass the file with the images; the labels are found beside it.")),
    (rb"\x7fELF|MZ\x90\0", Kind("a program", "Pass text, or a table.")),
)
"""Kinds by how their files begin, where no text begins so."""

_WITH_ZEROS: tuple[tuple[bytes, Kind], ...] = (
    (rb"PAR1", PARQUET),
    (rb"ARROW1|FEA1", ARROW),
    (rb"ORC", _with_pandas("an ORC table", "read_orc")),
    (rb"MATLAB 5.0 MAT-file", Kind("a MATLAB file", f"{_AS_TABLE}, or its series as JSON Lines.")),
    (rb"GIF8[79]a|RIFF.{4}WEBP", PICTURE),
    (rb"ID3|OggS|fLaC|MThd|RIFF.{4}WAVE", SOUND),
    (rb"RIFF.{4}AVI |.{4}ftyp", Kind("a video or sound", _AS_VIDEO)),
    (rb"GGUF", _WEIGHTS),
)
"""Kinds that begin with letters, and have zeros among their bytes."""

_ARCHIVES = (
    (r"^xl/", EXCEL),
    (r"^word/", Kind("a Word document", _AS_TEXT)),
    (r"^ppt/", Kind("a PowerPoint presentation", _AS_TEXT)),
    (r"^mimetype$", Kind("an OpenDocument file or an EPUB", _AS_TEXT)),
    (r"\.npy$", NUMPY_ARRAYS),
    (r"(^|/)data\.pkl$", _WEIGHTS),
)
"""Kinds that are zip archives, by the name of a file in them."""

_WORD2VEC = Kind(
    "a file of word vectors in word2vec's binary form",
    "Save them as text: python -c \"from gensim.models import KeyedVectors as K; K.load_word2vec_format('FILE', binary=True)"
    ".save_word2vec_format('FILE.txt')\".",
)
_BINARY = Kind("binary", "Save what is in it as text, as a table or as JSON Lines, and pass that.")

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte-order marks, and what they say; the longer ones first."""

_CONTROL = frozenset(map(chr, [*range(9), *range(14, 27), *range(28, 32), 127]))
"""Characters that text does not have, or hardly ever."""

_STRAY, _MOST_CONTROL = 4, 0.01
"""Such characters that any text may have, and the share beyond them from which on something is no text."""


def kind_of(head: bytes, encoding: str) -> Kind | None:
    """What kind of file begins with some bytes, if it is none of text in an `encoding`, by its codec's name; None for text."""
    if known := known_kind(head):
        return known
    if not encoding.startswith(("utf-16", "utf-32")) and (other := wide_encoding(head)):
        return Kind(f"{other.upper()} text", f"Pass `encoding={other!r}`.")
    text = codecs.getincrementaldecoder(encoding)("ignore").decode(head)
    if "\0" not in text.partition("\n")[0] and sum(map(text.count, _CONTROL)) <= _STRAY + _MOST_CONTROL * len(text):
        return None
    return _WORD2VEC if re.match(rb"\d+ \d+\n", head) else _BINARY


def known_kind(head: bytes) -> Kind | None:
    """What kind of file begins with some bytes, as far as the kind has a beginning of its own."""
    known = _SURE + _WITH_ZEROS if b"\0" in head else _SURE
    return next((kind for beginning, kind in known if re.match(beginning, head, re.DOTALL)), None)


def kind_of_archive(members: Sequence[str]) -> Kind | None:
    """What a zip archive is to those who pass it, by the names in it; None for an archive of files."""
    return next((kind for name, kind in _ARCHIVES if any(re.search(name, member) for member in members)), None)


def wide_encoding(head: bytes) -> str | None:
    """The encoding, of two or four bytes a character, that a byte-order mark tells of, or that every second byte is 0."""
    marked = next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)
    if marked or len(head) < 4:
        return marked
    first, second = (head[at::2].count(0) / (len(head) // 2) for at in (0, 1))
    return "utf-16-le" if second > 0.4 > 4 * first else "utf-16-be" if first > 0.4 > 4 * second else None


_PROLOGUE = r"(?:<\?[^>]*>\s*|<!--(?:(?!-->)[\s\S])*-->\s*|<!doctype\b[^<>]*>\s*)*"
"""What may stand before the first element of XML."""

_TAG = r"<[?!A-Za-z][^<>]*(?:>?$|><[?!A-Za-z])"
"""A line that is a tag, the beginning of one, or several tags after each other."""

_WRITTEN: tuple[tuple[str, Kind], ...] = (
    (
        r"(?:%.*\n)*@relation\b",
        ARFF,
    ),
    (
        rf"{_PROLOGUE}<log\b",
        XES,
    ),
    (rf"{_PROLOGUE}<tmx\b", TMX),
    (
        rf"{_PROLOGUE}<(!doctype html|html)\b|<!doctype html\b",
        Kind("HTML", "Take its text out: pandoc -t plain FILE -o FILE.txt, and pass that."),
    ),
    (_TAG, Kind("XML or HTML", "Write what is to be read as a table, as JSON Lines or as plain text, and pass that.")),
    (
        r"(?:WEBVTT\b|\d+\n[\d:,.]+ --> |(?:\d+:)?\d+:\d\d\.\d{3},\d)",
        Kind("subtitles", "Keep their text: grep -v -e '-->' -e '^[0-9:.,]*.$' FILE > FILE.txt, and pass that."),
    ),
    (r"\[Script Info\]", Kind("subtitles", "Keep their text: grep ^Dialogue FILE | cut -d , -f 10- > FILE.txt, and pass that.")),
    (
        r"(?:\[[a-z]+:.*\]\n)*\[\d+:\d\d[.:]\d\d\d?\]",
        Kind("the lyrics of a song", "Keep their text: sed 's/^\\[[^]]*\\]//' FILE > FILE.txt, and pass that."),
    ),
    (
        r"(?:%.*\n)*\\(documentclass|begin\{|input\{|usepackage)",
        Kind("LaTeX", "Take its text out: pandoc -t plain FILE -o FILE.txt, and pass that."),
    ),
    (
        r"(?-i:(?:.*\n)*(CREATE TABLE|INSERT INTO) )",
        Kind("an SQL script", "Load it into its database, and write a table as CSV; pass that."),
    ),
    (r"@\S.*\n.+\n\+.*\n", FASTQ),
    (r"LOCUS  ", GENBANK),
    (r"##fileformat=VCF", Kind("VCF, variants of a genome", _AS_ROWS)),
    (r"# STOCKHOLM|CLUSTAL|#NEXUS", Kind("an alignment of sequences", "Write it as FASTA, for instance with Bio.AlignIO, and pass that.")),
    (r"BEGIN:V(CALENDAR|CARD)\b", Kind("a calendar or address book", _AS_ROWS)),
    (
        r"(?:#.*\n)*msgid \"",
        Kind("PO, translations of a program", "Write a source, a tab and its translation on each line, and pass that."),
    ),
    (
        r"[-+]?\d+(?:\.\d+)?(?: \d+:[-+.\de]+)+$",
        Kind(
            "LIBSVM, sparse rows of numbers", "Write them as a table, for instance with sklearn.datasets.load_svmlight_file, and pass that."
        ),
    ),
    (r"##gff-version|##gtf", Kind("GFF", "Pass the sequences as FASTA, and this file as `regions`.")),
    (r"\[\s*(\{.*)?$", Kind("a JSON array", "Write an object on each line: jq -c '.[]' FILE > FILE.jsonl, and pass that.")),
    (r"%!PS", Kind("PostScript", "Take its text out, for instance with ps2ascii, and pass that.")),
)
"""Kinds of text that are more than their lines, by a pattern at the beginning of the first lines that have something in them."""


def written_kind(lines: Sequence[str]) -> Kind | None:
    """The kind of file that begins with some lines, if these are no plain text, with a sentence or the like on each."""
    text = "\n".join(line.strip() for line in lines)
    return next((kind for pattern, kind in _WRITTEN if re.match(pattern, text, re.IGNORECASE | re.MULTILINE)), None)
