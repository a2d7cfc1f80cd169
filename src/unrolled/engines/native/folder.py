"""The folder where compiled recurrences are kept, and what makes it safe: programs are loaded from it."""

import atexit
import os
import shutil
import stat
import sys
import tempfile
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from unrolled.errors import BuildError, DataError, UnrolledWarning
from unrolled.folders import cache_folder

LARGEST = 256 * 2**20
"""Bytes that builds may take together."""

UNFINISHED = ".unfinished-"
_LOCKS = "lock-"
_OURS = (".so", ".c", ".sum", ".json")
_IN_USE = 600.0  # seconds for which a build that was asked for is left alone: it may not have been loaded yet
_DAY = 24 * 3600.0
_PAUSE = 0.02

if sys.platform == "win32":

    def _lock(handle: int) -> None:
        """No locks here: two processes may compile the same thing, and the last one's stays."""

    _unlock = _lock
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


_refused: dict[Path, str] = {}
_private: list[tuple[int, Path]] = []


def builds_folder() -> Path:
    """The folder `native` in the cache folder, or, if that is not safe or cannot be written, one for this process alone.

    It exists, nobody else can write to it, and programs in it can be loaded. The reason for a private folder is told once, as a warning.
    When there is no place at all, that is a `BuildError`.
    """
    try:
        folder = cache_folder() / "native"
    except DataError as error:
        raise BuildError(str(error)) from None
    if folder not in _refused and (reason := _objection(folder)):
        refuse(folder, reason)
    return _private_folder() if folder in _refused else folder


def refuse(folder: Path, reason: str) -> None:
    """Use a private folder instead of this one from now on; `BuildError` if this one is private already."""
    cure = "Let UNROLLED_CACHE name another folder."
    if any(folder == private for _, private in _private):
        raise BuildError(f"Nothing can be compiled: {reason}. {cure}")
    _refused[folder] = reason
    told = f"Compiled recurrences are not kept, and are compiled anew by each process: {reason}. {cure}"
    warnings.warn(told, UnrolledWarning, stacklevel=2)


def _objection(folder: Path) -> str:
    """Why nothing should be loaded from a folder, or cannot be kept in it; empty if all is well."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found, above = folder.stat(), folder.parent.stat()
        if hasattr(os, "getuid") and found.st_uid != os.getuid():
            return f"{folder} belongs to another user (number {found.st_uid})"
        if os.name == "posix" and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            mode = stat.S_IMODE(found.st_mode)
            return (
                f"others can write to {folder} (mode {mode:03o}), so that what lies in it need not be ours; `chmod 700 {folder}` mends that"
            )
        if os.name == "posix" and above.st_mode & stat.S_IWOTH and not above.st_mode & stat.S_ISVTX:
            return f"anybody can write to {folder.parent}, and so replace {folder}; `chmod o-w {folder.parent}` mends that"
        if hasattr(os, "ST_NOEXEC") and os.statvfs(folder).f_flag & os.ST_NOEXEC:
            return f"{folder} is on a file system from which no program can be loaded (mounted noexec)"
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"


def _private_folder() -> Path:
    """A folder for this process and those forked from it; it goes when the process that made it ends."""
    if _private and _private[-1][1].is_dir():
        return _private[-1][1]
    try:
        made = Path(tempfile.mkdtemp(prefix="unrolled-native-"))
    except OSError as error:
        raise BuildError(f"Nothing can be compiled: no temporary folder can be made ({error.strerror or error}). Set TMPDIR.") from None
    _private.append((os.getpid(), made))
    atexit.register(_remove_private, os.getpid(), made)
    return made


def _remove_private(owner: int, folder: Path) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(folder: Path, key: str, limit: float) -> Generator[None, None, None]:
    """Keeps other processes and threads from working on the same key; it waits for them for at most `limit` seconds.

    Where files cannot be locked, and after the limit, it goes on without: the work is then done twice, but not wrongly.
    There is one file for all keys that begin alike, so that their number is bounded and none has to be removed, which could not be done safely.
    """
    handle = -1
    with suppress(OSError):
        handle = os.open(folder / f"{_LOCKS}{key[:2]}", os.O_RDWR | os.O_CREAT, 0o600)
        _wait_for(handle, limit)
    try:
        yield
    finally:
        if handle >= 0:
            # Closing is not enough: a process forked in the meantime has a copy of the handle, and would keep the lock with it.
            with suppress(OSError):
                _unlock(handle)
            os.close(handle)


def _wait_for(handle: int, limit: float) -> None:
    until = time.monotonic() + limit
    while True:
        try:
            _lock(handle)
            return
        except BlockingIOError:
            if time.monotonic() > until:
                return
            time.sleep(_PAUSE)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file aside and put it in place in one step."""
    handle, aside = tempfile.mkstemp(prefix=UNFINISHED, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise


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
    for old in folder.glob(f"{UNFINISHED}*"):
        with suppress(OSError):
            if now - old.lstat().st_mtime > _DAY:
                shutil.rmtree(old) if old.is_dir() else old.unlink()


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
