"""The way into every file: whether it is one, what it is packed with, and the bytes of what is in it."""

import bz2
import codecs
import gzip
import io
import lzma
import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from unrolled.data import kinds
from unrolled.data.kinds import Kind
from unrolled.errors import DataError, UnrolledError
from unrolled.extras import extra

PACKED = (".gz", ".xz", ".bz2", ".zst", ".zip")
"""The ends of names of packed files, which are read as what is in them."""

PLAIN_TEXT = (".txt", ".text")
"""The ends of names that say that a file is plain text."""

_LOOKED_AT = 1 << 16
"""Bytes at the beginning of a file by which it is known what it is."""

_WRITTEN = 1 << 12
"""Bytes of a text by which it is known whether it is more than its lines."""

_NO_ARCHIVE = (OSError, ValueError, NotImplementedError, zipfile.BadZipFile)
"""What is raised where a file is no zip archive that can be read."""

_ABOUT = ("README", "Readme", "readme", "LICENSE", "LICENCE", "COPYING", "NOTICE", "CHANGELOG", "_", ".")
"""How names of files begin that tell about data and are none. In small letters most of them may be labels."""


def is_about(path: Path) -> bool:
    """Whether a file tells about data and is none."""
    return path.name.startswith(_ABOUT)


def inner_name(path: Path) -> str:
    """The name of what is in a file: that of a packed one without its end, or of the only member of an archive whose own says nothing else."""
    if path.suffix.lower() not in PACKED:
        return path.name
    if path.suffix.lower() == ".zip" and not Path(path.stem).suffix[1:2].isalpha():
        # Whoever opens a damaged archive to read it says so.
        with suppress(*_NO_ARCHIVE), zipfile.ZipFile(path) as archive:
            members = _members(archive)
            return Path(members[0].filename).name if len(members) == 1 else path.stem
    return path.stem


@contextmanager
def open_unpacked(path: Path) -> "Iterator[io.BufferedReader[Any]]":
    """The bytes of a file, and if it is packed those of what is in it, whatever its name is; they are unpacked as they are read.

    What is missing, no regular file, damaged, or not to be read is a `DataError`.
    """
    require_file(path)
    try:
        with open(os.fspath(path), "rb") as file, io.BufferedReader(_Unpacked(path, file), _LOOKED_AT) as unpacked:
            yield unpacked
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Check its permissions and its disk.") from None


def kind_in(path: Path) -> Kind | None:
    """The kind of what is in a file, packed or not, as far as its beginning says it; None for plain text, and for what cannot be opened."""
    try:
        require_file(path)
        with open(os.fspath(path), "rb") as file:
            kind = kinds.known_kind(file.read(_LOOKED_AT))
            if kind is kinds.ZIP and (document := kinds.kind_of_archive(zipfile.ZipFile(file).namelist())):
                return document
        if kind is not None and kind not in _UNPACKERS:
            return kind
        with open_unpacked(path) as unpacked:
            head = unpacked.peek()
    except (*_NO_ARCHIVE, DataError):
        return None
    return kinds.known_kind(head) or kinds.written_kind(
        [line for line in head[:_WRITTEN].decode("utf-8", "ignore").splitlines() if line.strip()]
    )


@contextmanager
def open_encoded(path: Path, encoding: str) -> "Iterator[io.BufferedReader[Any]]":
    """The same of a file that should be text in an encoding, by its codec's name. Another kind of file is a `DataError` that says what to do."""
    with open_unpacked(path) as file:
        require_text(str(path), file.peek(), encoding)
        yield file


def unpacked_size(path: Path, encoding: str) -> int:
    """How many bytes a text has once it is unpacked; errors as in `open_encoded`."""
    with open_encoded(path, encoding) as file:
        if not file.raw.packed:
            return os.path.getsize(path)
        return sum(map(len, iter(lambda: file.read(_LOOKED_AT), b"")))


def require_text(name: str, head: bytes, encoding: str) -> None:
    """`DataError` if what begins with some bytes is no text in an encoding, with what it is and how it can be read."""
    kind = kinds.kind_of(head, encoding)
    if kind is not None:
        raise _another(name, kind, encoding)


def markup_in(path: Path, encoding: str, *, marks: bool = False) -> str | None:
    """What a file seems to be that begins as ARFF, XML and the like do, or with `marks` as other markup does, and what to do, in sentences.

    None for plain text, and where the name says that it is that.
    """
    if Path(inner_name(path)).suffix.lower() in PLAIN_TEXT:
        return None
    with open_encoded(path, encoding) as file:
        text = codecs.getincrementaldecoder(encoding)("ignore").decode(file.peek()).removeprefix("\ufeff")
    lines = [line for line in text.splitlines()[:100] if line.strip()]
    if kind := kinds.written_kind(lines):
        return f"{path} seems to be {kind.name}. {kind.cure_for(path)}"
    if marks and lines and lines[0].lstrip()[0] in "@<%":
        told = f"begins with {lines[0].strip()[:30]!r}, as files of data and markup do and plain text seldom does"
        return f"{path} {told}. Write it as a table or as JSON Lines."
    return None


def _another(name: str, kind: Kind, encoding: str = "plain") -> DataError:
    return DataError(f"{name} is {kind.name}, not {encoding} text. {kind.cure_for(name)}")


def require_file(path: Path) -> None:
    """`DataError` if a path is not that of a regular file, which has an end and can be read more than once."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        if path.name == "-":
            told = "The standard input is read once, and what is learnt, measured or looked at more often."
            raise DataError(f"{told} Save it to a file, and pass that.") from None
        raise DataError(f"{path} does not exist. Pass the path of a file.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{str(path)!r} cannot be opened: {error}. Pass the path of a file.") from None
    if stat.S_ISDIR(mode):
        raise DataError(f"{path} is a folder. Pass files, for instance {path / '*'}.")
    if not stat.S_ISREG(mode):
        what = "a pipe" if stat.S_ISFIFO(mode) else "a device" if stat.S_ISCHR(mode) else "no regular file"
        packed = f"one that ends in {', '.join(PACKED)} is unpacked on the way"
        raise DataError(f"{path} is {what}, and a file is read more than once. Save it to a file first; {packed}.")


class _Unpacked(io.RawIOBase):
    """What is in a file. Whatever an unpacker raises is a `DataError`: each library has its own."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        unpack = _UNPACKERS.get(kinds.known_kind(file.read(_LOOKED_AT)))
        self.packed = unpack is not None
        file.seek(0)
        with self._telling():
            self._file = unpack(file) if unpack else file

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As much as there is, up to the length of the buffer."""
        with self._telling():
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (UnrolledError, MemoryError):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno:
                raise
            raise DataError(f"{self._path} cannot be unpacked: {error}. It is damaged, or not complete: get it again.") from None


def _zstandard(file: BinaryIO) -> Any:
    zstandard = import_module("compression.zstd") if sys.version_info >= (3, 14) else extra("backports.zstd")
    return zstandard.open(file)


def _member(file: BinaryIO) -> Any:
    """The only member of an archive. Several, a locked one, and what its owner knows as a document are a `DataError`."""
    archive = zipfile.ZipFile(file)
    if kind := kinds.kind_of_archive(archive.namelist()):
        raise _another(file.name, kind)
    members = _members(archive)
    if len(members) != 1:
        names = ", ".join(member.filename for member in members[:5]) + (", …" if len(members) > 5 else "")
        raise DataError(f"{file.name} has {len(members)} files in it, and one is read: {names}. Unpack it, and pass those to read.")
    if members[0].flag_bits & 1:
        raise DataError(f"{file.name} is locked with a password. Unpack it, and pass {members[0].filename}.")
    return archive.open(members[0])


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files in an archive, without those about the data if there are others."""
    files = [member for member in archive.infolist() if not member.is_dir() and not member.filename.startswith("__MACOSX/")]
    return [member for member in files if not is_about(Path(member.filename))] or files


_UNPACKERS: dict[Kind | None, Callable[[BinaryIO], Any]] = {
    kinds.GZIP: gzip.open,
    kinds.BZIP2: bz2.open,
    kinds.XZ: lzma.open,
    kinds.ZSTANDARD: _zstandard,
    kinds.ZIP: _member,
}
"""What unpacks each packing."""
