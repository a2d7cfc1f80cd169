"""The folder where compiled recurrences are kept, and what makes it safe: programs are loaded from it."""

import os
import tempfile
import time
import warnings
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from unrolled.errors import BuildError, DataError, UnrolledWarning
from unrolled.files import UNFINISHED, sweep
from unrolled.files import locked as lock_file
from unrolled.folders import CURE, cache_folder, is_private, objection_to, private_folder

LARGEST = 256 * 2**20
"""Bytes that builds may take together."""

_LOCKS = "lock-"
_OURS = (".so", ".c", ".sum", ".json")
_IN_USE = 600.0  # seconds for which a build that was asked for is left alone: it may not have been loaded yet
_DAY = 24 * 3600.0

_refused: dict[Path, str] = {}


def builds_folder() -> Path:
    """The folder `native` in the cache folder, or, if that is not safe or cannot be written, one for this process alone.

    It exists, nobody else can write to it, and programs in it can be loaded. The reason for a private folder is told once, as a warning.
    When there is no place at all, that is a `BuildError`.
    """
    try:
        folder = cache_folder() / "native"
        if folder not in _refused and (reason := _objection(folder)):
            refuse(folder, reason)
        return private_folder() if folder in _refused else folder
    except DataError as error:
        raise BuildError(str(error)) from None
    except OSError as error:
        raise BuildError(f"Nothing can be compiled: no temporary folder can be made ({error.strerror or error}). Set TMPDIR.") from None


def refuse(folder: Path, reason: str) -> None:
    """Use a private folder instead of this one from now on; `BuildError` if this one is private already."""
    if is_private(folder):
        raise BuildError(f"Nothing can be compiled: {reason}. {CURE}")
    _refused[folder] = reason
    told = f"Compiled recurrences are not kept, and are compiled anew by each process: {reason}. {CURE}"
    warnings.warn(told, UnrolledWarning, stacklevel=2)


def _objection(folder: Path) -> str:
    """Why nothing should be loaded from a folder, or cannot be kept in it; empty if all is well."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if reason := objection_to(folder):
            return reason
        if hasattr(os, "ST_NOEXEC") and os.statvfs(folder).f_flag & os.ST_NOEXEC:
            return f"{folder} is on a file system from which no program can be loaded (mounted noexec)"
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"


@contextmanager
def locked(folder: Path, key: str, limit: float) -> Generator[None, None, None]:
    """Keeps other processes and threads from working on the same key; it waits for them for at most `limit` seconds.

    Where files cannot be locked, and after the limit, it goes on without: the work is then done twice, but not wrongly.
    There is one file for all keys that begin alike, so that their number is bounded and none has to be removed, which could not be done safely.
    """
    with ExitStack() as stack:
        with suppress(OSError):
            stack.enter_context(lock_file(folder / f"{_LOCKS}{key[:2]}", limit))
        yield


def touch(path: Path) -> None:
    """Note that a build is in use; the file's own time of access is often not kept."""
    with suppress(OSError):
        os.utime(path)


def contents(folder: Path) -> tuple[int, int]:
    """How many builds a folder holds, and how many bytes they take with their sources."""
    groups = _groups(folder)
    return sum(any(path.suffix == ".so" for path in files) for _, _, files in groups), sum(size for _, size, _ in groups)


def make_room(folder: Path) -> None:
    """Remove the builds that were not used for longest until all take at most `LARGEST` bytes, and what killed processes left behind.

    Those used in the last ten minutes stay. Removing a library that somebody has loaded does it no harm.
    """
    groups = sorted(_groups(folder))
    total = sum(size for _, size, _ in groups)
    now = time.time()
    for used, size, files in groups:
        if total <= LARGEST or now - used < _IN_USE:
            break
        for path in sorted(files, key=lambda path: path.suffix != ".so"):  # a library without the rest is never left
            with suppress(OSError):
                path.unlink()
        total -= size
    sweep(folder, _DAY)


def _groups(folder: Path) -> list[tuple[float, int, list[Path]]]:
    """The files of each build: when it was last used, its size in bytes, and where they are."""
    found: dict[str, list[tuple[float, int, Path]]] = {}
    with suppress(OSError):
        for file in os.scandir(folder):
            if file.name.endswith(_OURS) and not file.name.startswith(UNFINISHED):
                with suppress(OSError):
                    held = file.stat(follow_symlinks=False)
                    found.setdefault(Path(file.name).stem, []).append((held.st_mtime, held.st_size, Path(file.path)))
    return [(max(t for t, _, _ in files), sum(s for _, s, _ in files), [path for _, _, path in files]) for files in found.values()]
