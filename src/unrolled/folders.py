"""Where the package keeps what can be made again: places where nobody else can put something of theirs."""

import atexit
import getpass
import os
import shutil
import stat
import tempfile
import warnings
from pathlib import Path

from platformdirs import user_cache_path

from unrolled.errors import DataError, UnrolledWarning

CURE = "Let UNROLLED_CACHE name another folder."

_private: list[tuple[int, Path]] = []
_told: set[str] = set()


def cache_folder() -> Path:
    """`$UNROLLED_CACHE`, else the user's own cache folder, else, where that cannot be written or is not safe, one among the temporary files.

    It exists and can be written, and nobody else can write to it or put another in its place; what is not safe is told once, as a warning.
    Where the temporary files are not safe either, the folder is for this process alone. When there is no place at all, that is a `DataError`.
    """
    wanted = Path(os.environ.get("UNROLLED_CACHE") or user_cache_path("unrolled")).resolve()
    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    spare = Path(tempfile.gettempdir()).resolve() / f"unrolled-{user}"
    reason = ""
    for place in (wanted, spare):
        if _writable(place):
            objection = objection_to(place)
            if not objection:
                _tell(wanted, reason, place)
                return place
            reason = reason or objection
    try:
        place = private_folder()
    except OSError:
        raise DataError(f"Neither {wanted} nor {spare} can be written. Let UNROLLED_CACHE name a folder that can.") from None
    _tell(wanted, reason, place)
    return place


def objection_to(folder: Path) -> str:
    """Why somebody else could put something into a folder, given without links, or in its place; empty if nobody can."""
    if not hasattr(os, "getuid"):
        return ""
    found = folder.lstat()
    if stat.S_ISLNK(found.st_mode):
        return f"{folder} is a link"
    if reason := not_ours(folder, found):
        return reason
    # Root can do anything, and so can who owns the root folder: within a container or a sandbox root itself can have another number.
    trusted = {os.getuid(), 0, Path("/").stat().st_uid}
    for above in folder.parents:
        found = above.stat()
        if found.st_uid not in trusted:
            return f"{above} belongs to another user (number {found.st_uid}), who can replace {folder}"
        if (who := _writers(found)) and not found.st_mode & stat.S_ISVTX:
            return f"{who} can write to {above}, and so replace {folder}; `chmod go-w {above}` mends that"
    return ""


def not_ours(folder: Path, found: os.stat_result) -> str:
    """Why what lies in a folder, of which `found` is known, need not be ours; empty if it must be."""
    if found.st_uid != os.getuid():
        return f"{folder} belongs to another user (number {found.st_uid})"
    if _writers(found):
        mode = stat.S_IMODE(found.st_mode)
        return f"others can write to {folder} (mode {mode:03o}), so that what lies in it need not be ours; `chmod 700 {folder}` mends that"
    return ""


def private_folder() -> Path:
    """A folder for this process and those forked from it; it goes when the process that made it ends. `OSError` if none can be made."""
    if _private and _private[-1][1].is_dir():
        return _private[-1][1]
    made = Path(tempfile.mkdtemp(prefix="unrolled-"))
    _private.append((os.getpid(), made))
    atexit.register(_remove_private, os.getpid(), made)
    return made


def is_private(folder: Path) -> bool:
    """Whether a folder is the private one, or lies in it."""
    return any(private in (folder, *folder.parents) for _, private in _private)


def _remove_private(owner: int, folder: Path) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(wanted: Path, reason: str, place: Path) -> None:
    if reason and reason not in _told:
        _told.add(reason)
        told = f"The cache folder {wanted} is not used: {reason}. {place} is used in its place. {CURE}"
        warnings.warn(told, UnrolledWarning, stacklevel=3)


def _writable(folder: Path) -> bool:
    try:
        for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _writers(found: os.stat_result) -> str:
    """Who may write to a folder beside its owner; empty if nobody may."""
    if found.st_mode & stat.S_IWOTH:
        return "anybody"
    return "a group" if found.st_mode & stat.S_IWGRP and not _is_own_group(found.st_gid) else ""


def _is_own_group(group: int) -> bool:
    """Whether the user is alone in a group: many systems give each user one of the same name, and let new folders be written by it."""
    import grp  # noqa: PLC0415 -- not on every system
    import pwd  # noqa: PLC0415

    try:
        user, found = pwd.getpwuid(os.getuid()), grp.getgrgid(group)
    except KeyError:
        return False
    return user.pw_gid == group and found.gr_name == user.pw_name and set(found.gr_mem) <= {user.pw_name}
