"""A folder of things that can be made again: each is written aside, then put in place in one step."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from unrolled.errors import DataError
from unrolled.files import UNFINISHED, sweep
from unrolled.folders import cache_folder

T = TypeVar("T")

_DAY = 24 * 3600
_ATTEMPTS = 5


def cached(name: str, write: Callable[[Path], None], load: Callable[[Path], T | None]) -> T:
    """What `load` finds in the cache's entry `name`, a folder, which `write` fills if it is missing or damaged (`load` gives None).

    Any number of processes may do this at once. A disk that is full or cannot be written is a `DataError`, and nothing unfinished stays.
    """
    entry = cache_folder() / name
    sweep(entry.parent, _DAY)
    for _ in range(_ATTEMPTS):
        found = load(entry)
        if found is not None:
            return found
        _build(entry, write)
    raise DataError(f"{entry} was damaged each time it was written. Let UNROLLED_CACHE name a folder on another disk.")


def _build(entry: Path, write: Callable[[Path], None]) -> None:
    try:
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=entry.parent, ignore_cleanup_errors=True) as aside:
            with suppress(FileNotFoundError):
                os.rename(entry, Path(aside, "damaged"))
            fresh = Path(aside, "fresh")
            fresh.mkdir()
            write(fresh)
            _install(fresh, entry)
    except OSError as error:
        cure = "Make room there, or let UNROLLED_CACHE name a folder on another disk."
        raise DataError(f"The cache folder {entry.parent} cannot be written: {error.strerror or error}. {cure}") from None


def _install(fresh: Path, entry: Path) -> None:
    """Put `fresh` in the place of `entry`; if somebody else was quicker, theirs stays."""
    try:
        os.rename(fresh, entry)
    except OSError:
        if not entry.exists():
            raise
