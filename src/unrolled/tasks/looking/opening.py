"""Whether files are what their names say, which is worth more than what else is missing of them."""

from collections.abc import Sequence
from pathlib import Path

from unrolled.data.pictures.clips import is_filmed, read_frames
from unrolled.data.sound.recordings import Recording, rate_of
from unrolled.data.sound.waves import is_sound
from unrolled.errors import DataError, UnrolledError


def unreadable(sources: Sequence[str]) -> DataError | None:
    """What is wrong with the first picture, video or recording that is none; None where all are, or where the library that opens them is missing."""
    for path in filter(Path.is_file, map(Path, sources)):
        try:
            if is_filmed(path.name):
                next(read_frames(path))
            elif is_sound(path.name):
                rate_of(Recording(path))
        except DataError as error:
            return error
        except UnrolledError:
            continue
    return None
