"""Files of the toolkit's own: read only where they are ordinary files, never through links, and written whole or not at all.

What goes wrong is an `OSError` whose `strerror` says why; who asked says what that means.
"""

import errno
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

LARGEST = 1 << 30
"""Bytes that a file may have which is read as a whole."""

UNFINISHED = ".unfinished-"
"""How the names of files and folders begin that are not in their place yet."""

_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_KINDS = {
    stat.S_IFREG: "an ordinary file",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}

_WITHOUT_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK}
_PAUSE = 0.02
_BLOCK = 1 << 20

if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None

    def _unlock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path, limit: float = 0.0) -> Iterator[None]:
    """Keep others from locking the same file, which is made if it is missing; its content is left alone.

    `BlockingIOError` if somebody else has it for `limit` seconds. Where the system cannot lock files it goes on without.
    """
    handle = _open(path, os.O_RDWR | os.O_CREAT)
    try:
        _wait_for(handle, limit)
        yield
    finally:
        # Closing is not enough: a process forked in the meantime has a copy of the handle, and would keep the lock with it.
        with suppress(OSError):
            _unlock(handle)
        os.close(handle)


def _wait_for(handle: int, limit: float) -> None:
    until = time.monotonic() + limit
    while True:
        try:
            return _lock(handle)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
            return None
        time.sleep(_PAUSE)


def open_file(path: Path) -> BinaryIO:
    """A file open for reading; nothing but an ordinary file is opened."""
    return os.fdopen(_open(path, os.O_RDONLY), "rb")


def read_file(path: Path, most: int = LARGEST) -> bytes:
    """The content of a file of at most `most` bytes."""
    with open_file(path) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"it has more than {most:,} bytes")
        return file.read()


def digest_of(path: Path) -> str:
    """A hash of a file's content."""
    content = sha256()
    with open_file(path) as file:
        while block := file.read(_BLOCK):
            content.update(block)
    return content.hexdigest()


def append_to(path: Path, content: bytes) -> None:
    """Add to a file, which is made if it is missing. One that has another name elsewhere, a hard link, is left alone."""
    with os.fdopen(_open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab") as file:
        if os.fstat(file.fileno()).st_nlink > 1:
            raise OSError(errno.EMLINK, "the same file has another name elsewhere (a hard link), whose content would change, too")
        file.write(content)


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file beside `path`, and put it in place only when it is safely on the disk.

    If anything fails, `path` is as it was. A process that is killed leaves the file beside it, which `sweep` removes.
    """
    require_ordinary(path)
    aside = path.with_name(UNFINISHED + secrets.token_hex(8))
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFULLY, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(aside)
        raise
    _sync(path.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a file in one step, as `replace_file` does."""
    replace_file(path, lambda file: file.write(content))


def name_of(file: BinaryIO, path: Path) -> str:
    """A name of an open file that leads to it whatever `path` has become since; `path` where the system has none."""
    names = (f"{place}/{file.fileno()}" for place in ("/proc/self/fd", "/dev/fd"))
    return next((name for name in names if os.path.exists(name)), str(path))


def require_ordinary(path: Path) -> None:
    """Refuse what is there and is no ordinary file: a link, a folder, a pipe, a device."""
    with suppress(FileNotFoundError):
        _require_ordinary(os.lstat(path))


def require_folder(path: Path) -> None:
    """Refuse what is there and is no folder itself: a link to one, an ordinary file, a pipe, a device."""
    with suppress(FileNotFoundError):
        found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode):
            raise OSError(errno.ENOTDIR, f"it is {_kind(found)} and not a folder")


def sweep(folder: Path, age: float) -> None:
    """Remove what killed processes left unfinished in a folder, if it is at least so many seconds old."""
    for old in folder.glob(f"{UNFINISHED}*"):
        with suppress(OSError):
            found = old.lstat()
            if time.time() - found.st_mtime >= age:
                shutil.rmtree(old, ignore_errors=True) if stat.S_ISDIR(found.st_mode) else old.unlink()


def _open(path: Path, flags: int) -> int:
    require_ordinary(path)  # before it is opened: opening a device can do something
    handle = os.open(path, flags | _CAREFULLY, 0o666)
    try:
        _require_ordinary(os.fstat(handle))
    except BaseException:
        os.close(handle)
        raise
    return handle


def _require_ordinary(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, f"it is {_kind(found)} and not an ordinary file")


def _kind(found: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(found.st_mode), "something else")


def _sync(folder: Path) -> None:
    """Have the folder's names on the disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
