"""Recordings in files of sound: where they are, and their samples, block by block, with one channel and at one rate."""

import io
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.sound.waves import LEAST_RATE, MOST_RATE, Samples, Wave
from unrolled.errors import DataError
from unrolled.extras import extra

_BLOCK = 1 << 16
"""Samples of each channel that are read at a time."""

_SHORT = re.compile(r"^ *(?:data|SSND|Data Size) *: (\d+) \(should be (\d+)\)", re.MULTILINE)
"""What libsndfile notes of a wav, aiff or au file that is shorter than its header says."""

SLACK = 0.5
"""Seconds by which a part may end after its file, as times are rounded and lengths of MP3 guessed."""

_NO_LENGTH = 0x7FFF0000
"""From where on a length in a header says that nobody knew it."""

_PAGE, _LAST, _SIZES, _ROOM = b"OggS", 4, 22, 1 << 17
"""What a page of Ogg begins with (RFC 3533), the mark of the last one in the second byte after it, at which byte the number of its parts stands, before their
sizes, and more bytes than a page has."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of sound, or the `member` of a zip archive, from the second `begin` up to the second `end`, or its own end."""

    path: Path
    member: str | None = None
    begin: float = 0.0
    end: float | None = None

    @property
    def name(self) -> str:
        """What it is called: its file, behind that of its archive."""
        return str(self.path) if self.member is None else f"{self.path}:{self.member}"

    def __str__(self) -> str:
        part = f", {self.begin:g} to {'the end' if self.end is None else f'{self.end:g}'} s" if self.begin or self.end is not None else ""
        return f"{self.name}{part}"


Sound = Recording | Wave
"""What can be heard: in a file or in memory."""


class Resampler:
    """Samples at one rate as samples at another one, by a band-limited filter (soxr); how they are divided into blocks changes no bit."""

    def __init__(self, source: int, target: int) -> None:
        self._stream = None if source == target else extra("soxr").ResampleStream(source, target, 1, dtype="float32", quality="HQ")

    def feed(self, samples: Samples, *, last: bool = False) -> Samples:
        """What is ready once some more samples are there; after the `last` ones all that is left."""
        if self._stream is None:
            return samples
        found: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples), last=last)
        return found


def rate_of(recording: Sound) -> int:
    """Its samples a second. `DataError` for what is no sound."""
    if isinstance(recording, Wave):
        return recording.rate
    with _opened(recording) as file:
        return int(file.samplerate)


def is_cut_off(recording: Sound) -> bool:
    """Whether its file ends before the length that its header says, which for sound from a pipe is no length at all, or, of Ogg, before the page that
    says that it is the last one."""
    if isinstance(recording, Wave):
        return False
    with _opened(recording) as file:
        found, ogg = _SHORT.search(str(file.extra_info)), file.format == "OGG"
    if ogg:
        return not _is_last_page(_end(recording).rpartition(_PAGE)[2])
    return found is not None and int(found[2]) < int(found[1]) < _NO_LENGTH


def _is_last_page(page: bytes) -> bool:
    """Whether a page of Ogg says, behind its first bytes, that no other follows, and is all there (RFC 3533, section 6)."""
    return len(page) > _SIZES and bool(page[1] & _LAST) and len(page) >= _SIZES + 1 + page[_SIZES] + sum(page[_SIZES + 1 :][: page[_SIZES]])


def _end(recording: Recording) -> bytes:
    """The last bytes of its file, as many as hold a page of Ogg."""
    if recording.member is not None:
        return content_of(recording)[-_ROOM:]
    with recording.path.open("rb") as file:
        file.seek(max(os.path.getsize(recording.path) - _ROOM, 0))
        return file.read()


def read_samples(recording: Sound, rate: int) -> Iterator[Samples]:
    """The samples of a recording at a `rate`, the mean of all channels, in blocks.

    `DataError` for a file that is missing, damaged or no sound, for a part that lies outside it, and for samples that are not finite.
    """
    if isinstance(recording, Wave):
        yield from _resampled(_blocks(recording), recording.rate, rate)
        return
    with _opened(recording) as file:
        first, last = _span(recording, int(file.samplerate), int(file.frames))
        with _telling(recording):
            file.seek(first)
        yield from _resampled(_blocks_of_file(recording, file, last - first), int(file.samplerate), rate)


def _resampled(blocks: Iterator[tuple[Samples, bool]], source: int, target: int) -> Iterator[Samples]:
    """Blocks at another rate; each comes with whether it is the last."""
    resampler = Resampler(source, target)
    for block, last in blocks:
        yield resampler.feed(block, last=last)


def _blocks(wave: Wave) -> Iterator[tuple[Samples, bool]]:
    """Those of samples in memory."""
    if not len(wave.samples):
        raise DataError(f"{wave} has no samples. Take it out, or record it again.")
    for at in range(0, len(wave.samples), _BLOCK):
        yield _require_finite(wave, wave.samples[at : at + _BLOCK]), at + _BLOCK >= len(wave.samples)


def _blocks_of_file(recording: Recording, file: Any, left: int) -> Iterator[tuple[Samples, bool]]:
    """Those of the samples of a file that are left."""
    while left:
        block = _read(recording, file, min(left, _BLOCK))
        left -= len(block)
        yield block, not left


def _require_finite(recording: Sound, block: Samples) -> Samples:
    if not np.isfinite(block).all():
        raise DataError(f"{recording} has samples that are not finite. Write it again, with samples from -1 to 1.")
    return block


def _read(recording: Recording, file: Any, count: int) -> Samples:
    """The next samples, of which there are at least one."""
    with _telling(recording):
        block = file.read(count, dtype="float32", always_2d=True)
    if not len(block):
        raise DataError(f"{recording} ends before the length that its header says. It is not complete: get it again.")
    _require_finite(recording, block)
    samples: Samples = block[:, 0] if block.shape[1] == 1 else block.mean(axis=1)
    return samples


@contextmanager
def _telling(recording: Recording) -> Iterator[None]:
    try:
        yield
    except extra("soundfile").LibsndfileError as error:
        raise DataError(f"{recording} cannot be read to its end: {_said(error)}. It is damaged, or not complete: get it again.") from None


def _span(recording: Recording, rate: int, frames: int) -> tuple[int, int]:
    """The first sample of a recording, and the one after its last."""
    first = round(recording.begin * rate)
    last = frames if recording.end is None else min(round(recording.end * rate), frames)
    if not frames:
        raise DataError(f"{recording} has no samples. Take it out, or record it again.")
    beyond = recording.end is not None and recording.end > frames / rate + SLACK
    if not 0 <= first < last or beyond:
        raise DataError(f"{recording}: the file lasts {frames / rate:.3f} s, and the part must begin and end inside it. Mend its times.")
    return first, last


@contextmanager
def _opened(recording: Recording) -> Iterator[Any]:
    """A recording's file, as soundfile has it."""
    soundfile = extra("soundfile")
    if not recording.path.is_file():
        raise DataError(f"{recording.path} does not exist, or is no file. Pass the path of a file of sound.")
    try:
        source = os.fspath(recording.path) if recording.member is None else io.BytesIO(content_of(recording))
        file = soundfile.SoundFile(source)
    except soundfile.LibsndfileError as error:
        raise DataError(
            f"{recording.name} cannot be read as sound: {_said(error)}. Pass wav, flac, ogg or mp3; if it is such a file, it is damaged."
        ) from None
    except OSError as error:
        raise DataError(f"{recording.name} cannot be read: {error.strerror or error}. Check its permissions and its disk.") from None
    with file:
        if not LEAST_RATE <= file.samplerate <= MOST_RATE:
            told = f"{recording.name} has {file.samplerate:,} samples a second, and sound must have {LEAST_RATE:,} to {MOST_RATE:,}"
            raise DataError(f"{told}. Write it at such a rate, or, if its header is damaged, get it again.")
        yield file


def _said(error: Exception) -> str:
    """What the library says, without its own end of sentence."""
    return str(getattr(error, "error_string", error)).rstrip(". ")


def content_of(recording: Recording) -> bytes:
    """What a member of an archive holds. `DataError` for one that is not there or damaged."""
    stamp = recording.path.stat()
    try:
        return _archive(recording.path, (stamp.st_mtime_ns, stamp.st_size)).read(str(recording.member))
    except KeyError:
        raise DataError(f"{recording.path} has no file {recording.member!r}. Pass one that it has.") from None
    except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError) as error:
        raise DataError(f"{recording.name} cannot be unpacked: {error}. Get the archive again, or unpack it.") from None


def crc_of(recording: Recording) -> str:
    """The size and the checksum of a member, as the archive has them. `OSError` if there is none."""
    stamp = recording.path.stat()
    try:
        found = _archive(recording.path, (stamp.st_mtime_ns, stamp.st_size)).getinfo(str(recording.member))
    except (KeyError, zipfile.BadZipFile) as error:
        raise OSError(str(error)) from None
    return f"{found.file_size} {found.CRC:08x}"


@lru_cache(maxsize=2)
def _archive(path: Path, stamp: tuple[int, int]) -> zipfile.ZipFile:
    """An archive, whose table of contents is read once while the file is the same. `BadZipFile` for what is none, or of a kind that is not known."""
    try:
        return zipfile.ZipFile(path)
    except (NotImplementedError, ValueError) as error:
        raise zipfile.BadZipFile(str(error)) from None


def members(path: Path) -> list[str]:
    """The names of the files in an archive. `DataError` for what is none."""
    stamp = path.stat()
    try:
        found = _archive(path, (stamp.st_mtime_ns, stamp.st_size)).infolist()
    except zipfile.BadZipFile as error:
        raise DataError(f"{path} cannot be unpacked: {error}. It is damaged, or not complete: get it again.") from None
    return [one.filename for one in found if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
