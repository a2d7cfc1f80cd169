"""Text files and built-in texts, read in pieces: one after the other, decoded, with plain newlines."""

import codecs
import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from unrolled.data.builtin import PREFIX, builtin_text, expanded, paths_of
from unrolled.data.folders import visible
from unrolled.data.opening import markup_in, open_unpacked, unpacked_size
from unrolled.errors import DataError, UnrolledWarning

Source = str | os.PathLike[str]
"""The path of a file, or the name of a built-in text."""

BLOCK = 4 << 20
"""Bytes read at a time."""

NEAR = 10_000
"""Characters after a cut within which a line should begin; else the text is one long line, and is cut between words."""

BLANKS = " \n\t"

LONGEST_WORD = 16 << 20
"""Characters without a blank after which a text is cut anyway, so that memory stays bounded."""

_HALVES = b"+2AA-\\ud800"
"""Half of a surrogate pair, which is no character and can be written nowhere, in the encodings that let it through."""

OTHERWISE_ENCODED = (
    "If it is text, save it in that encoding, or pass its own, for instance `encoding='cp1252'` for languages of Western Europe."
)
"""The cure for bytes that are not in the encoding."""

_LATIN_1 = "iso8859-1"
_CONTROL = re.compile("[\x80-\x9f]")
"""What latin-1 makes of bytes that no text in it has."""


class Chunk(NamedTuple):
    """A piece of text: whether it lies after the cut, and the number of bytes read so far."""

    text: str
    after: bool
    position: int


@dataclass(frozen=True)
class TextSource:
    """One text that can be read: its name, its number of bytes, its encoding, and its bytes themselves if it is a built-in one."""

    name: str
    size: int
    encoding: str
    content: bytes | None = field(default=None, repr=False)

    def blocks(self, block: int = BLOCK) -> Iterator[bytes]:
        """The bytes, unpacked, at most `block` at a time. A file that cannot be read, or has changed its size, is a `DataError`."""
        if self.content is not None:
            yield from (self.content[start : start + block] for start in range(0, self.size, block))
            return
        done = 0
        with open_unpacked(Path(self.name)) as file:
            while data := file.read(block):
                done += len(data)
                yield data
        if done != self.size:
            raise DataError(f"{self.name} had {self.size} bytes and now has {done}. Start again when nothing writes to it any more.")


def find_sources(sources: Source | Sequence[Source], encoding: str = "utf-8") -> tuple[TextSource, ...]:
    """The texts that `sources` names, in order, of a folder those of its files; built-in ones are in UTF-8 whatever `encoding` says.

    No source, a missing or empty file, a folder without any, what is no text, a name that is not built in, and an unknown encoding are a `DataError`. Markup is an `UnrolledWarning`.
    """
    names = paths_of(sources)
    if not names:
        raise DataError("No text was given. Pass at least one file, or a built-in text such as builtin:python-docs.")
    encoding = known_encoding(encoding)
    files = [file for name in expanded(names) for file in (map(str, visible(Path(name))) if Path(name).is_dir() else [name])]
    return tuple(_find(name, encoding) for name in files)


def _find(name: str, encoding: str) -> TextSource:
    if name.startswith(PREFIX):
        content = builtin_text(name)
        return TextSource(name, len(content), "utf-8", content)
    size = unpacked_size(Path(name), encoding)
    if not size:
        raise DataError(f"{name} is empty. Pass a file that has text in it.")
    if told := markup_in(Path(name), encoding):
        warnings.warn(f"{told} As it is, its marks are read as text, too.", UnrolledWarning, stacklevel=4)
    return TextSource(name, size, encoding)


def known_encoding(encoding: str) -> str:
    """The codec's own name, so that `UTF8` and `utf-8` are one. `DataError` for what is no encoding of text, and for one of halves of characters."""
    try:
        if "\ud800" in _HALVES.decode(encoding, "ignore"):
            raise LookupError
        codecs.getincrementaldecoder(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise DataError(f"There is no text encoding {encoding!r}. Pass one that Python knows, such as utf-8, latin-1 or cp1252.") from None


def require_no_control(name: str, text: str, encoding: str) -> None:
    """`DataError` for text in cp1252, as Windows writes it, that is read as latin-1: its quotes and dashes would be what no font has."""
    if encoding == _LATIN_1 and (found := _CONTROL.search(text)):
        told = f"{name} has the byte 0x{ord(found[0]):02x}, which is no character of text in latin-1"
        raise DataError(f"{told}. Pass `encoding='cp1252'`, in which it is {found[0].encode(encoding).decode('cp1252', 'replace')!r}.")


def read_text(sources: Iterable[TextSource], cut: int | None = None, block: int = BLOCK) -> Iterator[Chunk]:
    """The sources as one text, in chunks; none of them is empty.

    A newline is put between two sources if the first does not end with one; every end of line becomes a newline; a byte-order mark at
    the start of a source is dropped. `cut` counts the bytes of the sources: a character that begins before it does not lie after it, and
    a chunk lies on one side only. Bytes that are not in the encoding are a `DataError` that names their offset.
    """
    cut = sys.maxsize if cut is None else cut
    start, last = 0, "\n"
    for source in sources:
        if last != "\n":
            yield Chunk("\n", start > cut, start)
        for text, after, position in _decode(source, cut - start, block):
            if text:
                yield Chunk(text, after, start + position)
                last = text[-1]
        start += source.size


def _decode(source: TextSource, cut: int, block: int) -> Iterator[Chunk]:
    decoder = _Decoder(source)
    passed = cut <= 0
    for data in source.blocks(block):
        head = 0
        if not passed:
            head = min(cut - decoder.position, len(data)) if decoder.position < cut else 0
            text = decoder.feed(data[:head])
            while decoder.position >= cut and decoder.pending and head < len(data):
                text += decoder.feed(data[head : head + 1])
                head += 1
            passed = decoder.position >= cut and not decoder.pending
            yield Chunk(text, False, decoder.position)
        if passed:
            yield Chunk(decoder.feed(data[head:]), True, decoder.position)
    yield Chunk(decoder.feed(b"", final=True), passed, decoder.position)


class _Decoder:
    """Bytes to text with plain newlines and without the byte-order mark, wherever the bytes are divided."""

    def __init__(self, source: TextSource) -> None:
        self.position = 0
        self._source = source
        self._decoder = codecs.getincrementaldecoder(source.encoding)()
        self._begun = self._after_return = False

    @property
    def pending(self) -> int:
        """Bytes of a character that is not complete yet."""
        return len(self._decoder.getstate()[0])

    def feed(self, data: bytes, final: bool = False) -> str:
        first = self.position - self.pending
        try:
            text = self._decoder.decode(data, final)
        except UnicodeError as error:
            offset = first + getattr(error, "start", 0)
            name, encoding = self._source.name, self._source.encoding
            reason = getattr(error, "reason", str(error))
            raise DataError(f"{name} is not {encoding}: {reason} at byte {offset}. {OTHERWISE_ENCODED}") from None
        self.position += len(data)
        require_no_control(self._source.name, text, self._source.encoding)
        return self._plain(text) if text else ""

    def _plain(self, text: str) -> str:
        if not self._begun:
            text = text.removeprefix("\ufeff")
        if self._after_return:
            text = text.removeprefix("\n")
        self._begun, self._after_return = True, text.endswith("\r")
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def whole_words(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The same text divided at blanks only, so that no word is cut, and with the cut moved to the next start of a line, or to that of a word
    where no line begins within `NEAR` characters."""
    pending, position = "", 0
    for text, after, position in _moved(chunks):
        pending += text
        end = max(map(pending.rfind, BLANKS)) + 1
        if not end and len(pending) > LONGEST_WORD:
            end = len(pending)
        if end:
            yield Chunk(pending[:end], after, position)
            pending = pending[end:]
    if pending:
        yield Chunk(pending, after, position)


def _moved(chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    """The chunks, with the cut where a line begins, or a word."""
    beyond, passed, last, position = "", False, "\n", 0
    for text, after, position in chunks:
        if after and not passed:
            beyond += text
            begin = 0 if last == "\n" else beyond.find("\n", 0, NEAR) + 1
            if last != "\n" and not begin and len(beyond) < NEAR:
                continue
            yield from _parts(beyond, begin if last == "\n" else begin or _word(beyond), position)
            passed = True
        else:
            yield Chunk(text, passed, position)
            last = text[-1:] or last
    if beyond and not passed:
        yield from _parts(beyond, _word(beyond), position)


def _parts(text: str, begin: int, position: int) -> Iterator[Chunk]:
    """What lies before the cut and what lies after it."""
    parts = Chunk(text[:begin], False, position), Chunk(text[begin:], True, position)
    return (part for part in parts if part.text)


def _word(text: str) -> int:
    """Where the first word begins that is whole, or else the end."""
    return min((at + 1 for at in map(text.find, BLANKS) if at >= 0), default=len(text))
