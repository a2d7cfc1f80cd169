"""Files as text, lines and blocks of lines, packed or not; what cannot be read is told with file and line."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from io import BufferedReader, BytesIO, TextIOWrapper
from itertools import chain, groupby, islice
from pathlib import Path
from typing import BinaryIO, TextIO, TypeVar

from unrolled.data.formats.bad_rows import good
from unrolled.data.kinds import wide_encoding
from unrolled.data.opening import markup_in, open_encoded, open_unpacked, require_text
from unrolled.data.text import OTHERWISE_ENCODED, known_encoding, require_no_control
from unrolled.errors import DataError

T = TypeVar("T")

STANDARD_INPUT = Path("-")
"""What stands for the text that comes from the terminal or from another program."""

HEAD = 1000
"""Lines or examples at the beginning that are looked at to find out how a file is written."""

_LOOKED_AT = 1 << 16
"""Characters or bytes at the beginning of a file by which its format is known if its name does not say it."""

LEFT = "surrogateescape"
"""How Python leaves bytes in a text that are not in the encoding: as halves of surrogate pairs."""

_UNDECODED = re.compile("[\udc80-\udcff]")
_STRANGE = re.compile("[\x80-\x9f\udc80-\udcff]")

LONGEST_LINE = 1 << 28
"""Characters of a line from which on it is taken to have no end."""


def named(path: Path) -> str:
    """What a file is called in messages."""
    return "standard input" if path == STANDARD_INPUT else str(path)


@contextmanager
def open_text(path: Path, encoding: str, errors: str = "strict") -> Iterator[TextIO]:
    """The text of a file, unpacked, or of the standard input, which stays open; with its ends of lines as they are and without a byte-order mark.

    What is missing, damaged, not to be read, or no text is a `DataError`. With `errors="surrogateescape"` bytes that are not in the encoding
    are left to `undecoded`.
    """
    encoding = known_encoding(encoding)
    with open_encoded(path, encoding) if path != STANDARD_INPUT else nullcontext(_standard_input(encoding)) as data:
        file = TextIOWrapper(data, _without_mark(data, encoding), errors, newline="")
        try:
            yield file
        except UnicodeError as error:
            reason = getattr(error, "reason", str(error))
            raise DataError(f"{named(path)}{_line_in_error(path, encoding)} is not {encoding}: {reason}. {OTHERWISE_ENCODED}") from None
        finally:
            file.detach()


def _standard_input(encoding: str) -> BinaryIO:
    """The standard input, if it begins with text."""
    require_text(named(STANDARD_INPUT), _waiting(sys.stdin.buffer), encoding)
    return sys.stdin.buffer


def _waiting(data: BinaryIO) -> bytes:
    """The first bytes of what is read next, as far as they are there and can be seen; nothing is taken away."""
    return data.peek(_LOOKED_AT) if isinstance(data, BufferedReader) else b""


def _without_mark(data: BinaryIO, encoding: str) -> str:
    """The codec that passes over a byte-order mark, where there is one."""
    marked = wide_encoding(_waiting(data)) if encoding.startswith(("utf-16-", "utf-32-")) else None
    return "utf-8-sig" if encoding == "utf-8" else marked if marked in ("utf-16", "utf-32") else encoding


def _line_in_error(path: Path, encoding: str) -> str:
    """Where the first line stands that is not in an encoding: text is decoded in blocks, and an error does not say in which line."""
    if path == STANDARD_INPUT or encoding.startswith(("utf-16", "utf-32")):
        return ""
    with open_unpacked(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode(encoding)
            except UnicodeError:
                return f", line {number},"
    return ""


def undecoded(path: Path, number: int, line: str, encoding: str) -> DataError | None:
    """What is wrong with a line of an `open_text` that leaves bytes alone which are not in the encoding, if it has some."""
    if _STRANGE.search(line) is None:
        return None
    try:
        require_no_control(f"{named(path)}, line {number},", line, known_encoding(encoding))
    except DataError as error:
        return error
    if (found := _UNDECODED.search(line)) is None:
        return None
    byte = ord(found[0]) & 0xFF
    return DataError(f"{named(path)}, line {number}, is not {known_encoding(encoding)}: it has the byte 0x{byte:02x}. {OTHERWISE_ENCODED}")


def tried_lines(path: Path, encoding: str) -> Iterator[tuple[int, str] | DataError]:
    """The lines as `read_lines` has them, or what is wrong with one that is not in the encoding."""
    with open_text(path, encoding, LEFT) as file:
        for number, line in enumerate(whole_lines(path, file), 1):
            bad = None if line.isascii() else undecoded(path, number, line, encoding)
            yield bad or (number, line.rstrip("\r\n"))


def read_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines of a file, numbered from 1, without their ends."""
    encoding = known_encoding(encoding)
    with open_text(path, encoding) as file:
        for number, line in enumerate(whole_lines(path, file), 1):
            require_no_control(f"{named(path)}, line {number},", line, encoding)
            yield number, line.rstrip("\r\n")


def lines_of(name: str, content: bytes, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines of a text that is held in memory, numbered from 1, without their ends; errors call it by a `name`."""
    encoding = known_encoding(encoding)
    require_text(name, content[:_LOOKED_AT], encoding)
    try:
        text = content.decode(_without_mark(BufferedReader(BytesIO(content)), encoding))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{name}, line {line}, is not {encoding}: {error.reason}. {OTHERWISE_ENCODED}") from None
    yield from ((number, line.rstrip("\r")) for number, line in enumerate(text.removesuffix("\n").split("\n"), 1))


def whole_lines(path: Path, file: TextIO) -> Iterator[str]:
    """The lines of a file with their ends. One without an end is a `DataError`, so that memory stays bounded."""
    for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), ""), 1):
        if len(line) == LONGEST_LINE:
            raise DataError(f"{named(path)}, line {number}, has more than {LONGEST_LINE:,} characters. Divide it into lines.")
        yield line


def head_lines(path: Path, encoding: str) -> list[str]:
    """The first lines of a file, at most 100, without one that is too long for a look, unless it is the first. From standard input nothing is taken away."""
    if path == STANDARD_INPUT:
        text = _waiting(sys.stdin.buffer).decode(known_encoding(encoding), "ignore")
    else:
        with open_text(path, encoding, LEFT) as file:
            text = file.read(_LOOKED_AT)
    lines = [line.rstrip("\r") for line in text.split("\n")]
    return lines[: 100 if len(text) < _LOOKED_AT else max(min(100, len(lines) - 1), 1)]


def first_lines(path: Path, encoding: str) -> list[str]:
    """Those of `head_lines` that have something in them."""
    return [line for line in head_lines(path, encoding) if line.strip()]


def require_plain(path: Path, encoding: str, way_in: str, *, marks: bool = False) -> None:
    """`DataError` for a file with `markup_in` it. `way_in` says how it is read as plain text nevertheless."""
    if path != STANDARD_INPUT and (told := markup_in(path, known_encoding(encoding), marks=marks)):
        raise DataError(f"{told} If it is plain text, {way_in}.")


def read_blocks(path: Path, encoding: str) -> Iterator[list[tuple[int, str]] | DataError]:
    """The numbered lines of a file by what lies between empty lines, which may have blanks and tabs in them; or what is wrong with the first
    line of a block that is not in the encoding."""
    for empty, block in groupby(tried_lines(path, encoding), lambda item: not isinstance(item, DataError) and not item[1].strip(" \t")):
        if not empty:
            numbered = [*block]
            yield next((item for item in numbered if isinstance(item, DataError)), [*good(numbered)])


def look_ahead(items: Iterable[T], count: int) -> tuple[list[T], Iterator[T]]:
    """The first `count` items, or those there are, and all of them with these once more."""
    rest = iter(items)
    first = list(islice(rest, count))
    return first, chain(first, rest)
