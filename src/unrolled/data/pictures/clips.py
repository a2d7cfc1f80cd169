"""Clips: pictures, videos and folders of frames, and their frames one by one, each with its time."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from unrolled.data.kinds import PICTURE, known_kind
from unrolled.data.pictures.matroska import is_cut_off
from unrolled.errors import DataError
from unrolled.extras import extra

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".tif", ".tiff", ".bmp", ".webp")
"""How names of files of pictures end, in lower case; GIF, TIFF and WebP may have several frames."""

VIDEOS = (".mp4", ".avi", ".webm", ".mov", ".mkv", ".m4v", ".mpg", ".mpeg")
"""How names of files of videos end, in lower case."""

FILMED = (*PICTURES, *VIDEOS)
"""Both."""

_UNEVEN = 0.1
"""By which part of itself the time from one frame to the next may differ from the mean, in a video of an even rate."""

_COMPLETE = 0.9
"""The part of the frames of which a video tells that must be there; some tools count one or two too many."""

_ABOUT = re.compile(r"^\[Errno -?\d+\] |: '[^']*'$")
"""What libraries put around what they say: numbers, and the path."""

_MOVE, _LASTS = ("GIF", "PNG", "WEBP"), 100
"""Kinds of pictures of which each frame has a time, and the milliseconds of one that says none, as browsers show it."""

_HEAD = 64
"""Bytes by which a picture is known."""

_LOOKED_AT = 50
"""Frames by which it is found out whether the rate of a video is even."""


def is_picture(name: str) -> bool:
    """Whether the name of a file says that it is a picture."""
    return name.lower().endswith(PICTURES)


def is_filmed(name: str) -> bool:
    """Whether the name of a file says that it is a picture or a video."""
    return name.lower().endswith(FILMED)


def holds_picture(path: Path) -> bool:
    """Whether a file is a picture, by its first bytes, or by its name where these are of no kind that is known or cannot be read."""
    try:
        with path.open("rb") as file:
            kind = known_kind(file.read(_HEAD))
    except OSError:
        kind = None
    return kind is PICTURE or is_picture(path.name)


@dataclass(frozen=True, slots=True)
class Clip:
    """A picture, a video or a folder of frames, from the time `begin` up to the time `end`, or its own end; or a table with a frame of that `shape`
    in each row.

    Times are in seconds, or in frames of what has no times, such as a folder.
    """

    path: Path
    begin: float = 0.0
    end: float | None = None
    shape: tuple[int, int, int] | None = None

    def __str__(self) -> str:
        part = f", {self.begin:g} to {'the end' if self.end is None else f'{self.end:g}'}" if self.begin or self.end is not None else ""
        return f"{self.path}{part}"


@dataclass(frozen=True, slots=True)
class Timed:
    """A frame as Pillow has it, and its time from the beginning of its file in seconds; None where the file has no times."""

    image: Any
    time: float | None


def read_frames(path: Path) -> Iterator[Timed]:
    """All frames of a file, or of a folder in the order of the numbers in their names.

    `DataError` for what is missing, damaged, no picture or video, or without a frame.
    """
    frames = _of_folder(path) if path.is_dir() else _of_picture(path) if holds_picture(path) else _of_video(path)
    count = 0
    for count, frame in enumerate(frames, 1):  # noqa: B007
        yield frame
    if not count:
        raise DataError(f"{path} has no frame. Take it out, or get it again.")


def rate_of(path: Path) -> float | None:
    """The mean number of frames a second, by the first ones; None for what has one frame or no times."""
    times = _first_times(path)
    return None if len(times) < 2 else round((len(times) - 1) / (times[-1] - times[0]), 4)


def is_uneven(path: Path) -> bool:
    """Whether the times between the first frames of a file are not all the same."""
    times = _first_times(path)
    apart = [after - before for before, after in pairwise(times)]
    mean = sum(apart) / max(len(apart), 1)
    return any(abs(one - mean) > _UNEVEN * mean for one in apart)


def _first_times(path: Path) -> tuple[float, ...]:
    """The times of the first frames of a file that has times; those of the last file are kept."""
    if path.is_dir() or not path.exists():
        return ()
    state = path.stat()
    return _times_of(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=1)
def _times_of(path: Path, changed: int, size: int) -> tuple[float, ...]:
    return tuple(frame.time for frame in islice(read_frames(path), _LOOKED_AT) if frame.time is not None)


def frames_in(folder: Path) -> list[Path]:
    """The pictures that lie in a folder, in the order of the numbers in their names."""
    return sorted((path for path in folder.iterdir() if is_picture(path.name) and not path.name.startswith(".")), key=natural)


def natural(path: Path) -> list[tuple[int, str]]:
    """What sorts names so that 2 comes before 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _of_folder(folder: Path) -> Iterator[Timed]:
    for path in frames_in(folder):
        yield Timed(next(_of_picture(path)).image, None)


def _of_picture(path: Path) -> Iterator[Timed]:
    """The frames of a picture, the way they were held, with times where the kind of picture moves."""
    image_module = extra("PIL.Image")
    with _telling(path, "a picture", "PNG, JPEG, GIF, TIFF, BMP or WebP"), image_module.open(os.fspath(path)) as image:
        count, time, kind = getattr(image, "n_frames", 1), 0.0, image.format
        for number in range(count):
            image.seek(number)
            image.load()
            if image.mode == "F" or (image.mode == "I" and kind != "PNG"):
                told = f"{path} holds real numbers, or whole ones of 32 bits, which do not say what is white"
                raise DataError(f"{told}. Save it with 8 or 16 bits, or its numbers in a .npy file.")
            yield Timed(extra("PIL.ImageOps").exif_transpose(image), time if count > 1 and kind in _MOVE else None)
            time += float(image.info.get("duration") or _LASTS) / 1000


def _of_video(path: Path) -> Iterator[Timed]:
    """The frames of a video with the times at which they are shown, the first at 0."""
    av = extra("av")
    with _telling(path, "a video", "mp4, avi, webm, mov or mkv"), av.open(os.fspath(path)) as container:
        if not container.streams.video:
            raise DataError(f"{path} has no pictures in it. Pass a video; if it is one, it is damaged: get it again.")
        stream, begin, number = container.streams.video[0], None, -1
        for number, frame in enumerate(container.decode(video=0)):
            time = float(frame.time) if frame.time is not None else number / float(stream.average_rate or 1)
            begin = time if begin is None else begin
            yield Timed(frame.to_image(), time - begin)
        if number + 1 < _COMPLETE * stream.frames:
            raise DataError(f"{path} has {number + 1} of the {stream.frames} frames that it says it has. It is not complete: get it again.")
    if is_cut_off(path):
        raise DataError(f"{path} is shorter than it says it is. It is not complete: get it again.")


@contextmanager
def _telling(path: Path, what: str, kinds: str) -> Iterator[None]:
    """Errors of libraries as `DataError`."""
    if not path.is_file():
        raise DataError(f"{path} does not exist, or is no file. Pass the path of {what}, or of a folder of frames.")
    try:
        yield
    except (DataError, GeneratorExit):
        raise
    except PermissionError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Check its permissions.") from None
    except Exception as error:
        # Decoders of damaged files raise what they come upon, from struct.error to SyntaxError.
        if type(error).__module__.startswith("unrolled"):
            raise
        told = f"{path} cannot be read as {what}: {_said(error)}"
        raise DataError(f"{told}. Pass {kinds}; if it is such a file, it is damaged: get it again.") from None


def _said(error: Exception) -> str:
    """What a library says, on one line and without its own end of sentence."""
    first = (str(error).splitlines() or [""])[0]
    return _ABOUT.sub("", first).rstrip(". ")[:120] or type(error).__name__
