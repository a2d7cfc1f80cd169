"""Frames of recordings that were heard before, kept in the cache folder by what the files hold and how they are heard."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import numpy as np

from unrolled.data.cache import cached
from unrolled.data.columns import Mapped, Places
from unrolled.data.sound.recordings import Recording, Sound, crc_of
from unrolled.data.sound.spectrogram import Frames
from unrolled.data.sound.waves import Wave
from unrolled.errors import DataError
from unrolled.files import digest_of, read_file

Oddities = tuple[str, ...]
"""What is odd about a recording, by name."""

Hear = Callable[[Sound], tuple[Frames, Oddities]]
"""Makes frames `[T, M]` of a recording."""

_FRAMES, _INDEX = "frames", "index.json"


@dataclass(frozen=True)
class Kept:
    """The frames of some recordings, one after the other in a file, with what is odd about each."""

    frames: Mapped
    starts: Places
    odd: tuple[Oddities, ...]
    places: dict[Sound, int]

    def of(self, recording: Sound) -> tuple[Frames, Oddities] | None:
        """Those of a recording, if it is one of them."""
        place = self.places.get(recording)
        if place is None:
            return None
        return self.frames.read(int(self.starts[place]), int(self.starts[place + 1])), self.odd[place]


def kept(recordings: Sequence[Sound], how: str, hear: Hear) -> Kept:
    """The frames of recordings, which differ, from the cache if the same sound was heard before; `how` says in words all that they depend on beside
    the recordings."""
    key = blake2b(how.encode(), digest_size=16)
    for recording in recordings:
        key.update(f"{_content(recording)}\n".encode())

    def write(folder: Path) -> None:
        lengths, odd = list[int](), list[Oddities]()
        with open(folder / _FRAMES, "wb") as file:
            for recording in recordings:
                frames, found = hear(recording)
                file.write(np.ascontiguousarray(frames, np.float32).data)
                lengths.append(len(frames))
                odd.append(found)
        index = {"bands": frames.shape[1], "lengths": lengths, "odd": odd, "digest": digest_of(folder / _FRAMES)}
        (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")

    return cached(f"sound-{key.hexdigest()}", write, lambda folder: _load(folder, recordings))


def _load(folder: Path, recordings: Sequence[Sound]) -> Kept | None:
    """What lies in a folder; None if that is damaged, or nothing."""
    try:
        index = json.loads(read_file(folder / _INDEX))
        starts = np.concatenate([[0], np.cumsum(index["lengths"], dtype=np.int64)])
        if digest_of(folder / _FRAMES) != index["digest"] or len(starts) != len(recordings) + 1:
            return None
        frames = Mapped(folder / _FRAMES, np.float32, int(starts[-1]), (int(index["bands"]),))
        return Kept(frames, starts, tuple(map(tuple, index["odd"])), {recording: at for at, recording in enumerate(recordings)})
    except (OSError, ValueError, KeyError, TypeError, DataError):
        return None


def _content(recording: Sound) -> str:
    """What is the same exactly if a recording holds the same sound."""
    if isinstance(recording, Wave):
        return f"{blake2b(recording.samples.data, digest_size=16).hexdigest()} {recording.rate}"
    return f"{_content_of_file(recording)} {recording.begin} {recording.end}"


def _content_of_file(recording: Recording) -> str:
    """What is the same exactly if the file of a recording holds the same; of a file that cannot be read its name."""
    try:
        if recording.member is not None:
            return crc_of(recording)
        stamp = recording.path.stat()
        return _digest(recording.path, (stamp.st_mtime_ns, stamp.st_size))
    except OSError:
        # Whoever hears it says what is wrong with it.
        return recording.name


@lru_cache(maxsize=64)
def _digest(path: Path, stamp: tuple[int, int]) -> str:
    """That of a file, which is read once for all of its parts."""
    return digest_of(path)
