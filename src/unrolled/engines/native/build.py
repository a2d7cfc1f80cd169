"""From C source to a library that is loaded: compiled once for each source, compiler and processor, and kept on disk."""

import ctypes
import hashlib
import json
import os
import re
import shlex
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from unrolled.engines.native.compilers import CURE, Compiler, find_compiler
from unrolled.engines.native.folder import builds_folder, locked, make_room, refuse, touch
from unrolled.engines.native.processes import LIMIT, processor, run
from unrolled.errors import BuildError, UnrolledWarning
from unrolled.files import UNFINISHED, read_file, write_file
from unrolled.folders import not_ours

__all__ = ["Compiler", "build", "find_compiler", "load", "notice"]

_FORMAT = 1
_ATTEMPTS = 4
_noticed: set[str] = set()


def build(name: str, source: str, defines: Sequence[str] = ()) -> Path:
    """The path of a shared library made of C source, with macros like `"WIDTH=8"` defined; from the cache if it is there.

    `name` is for people: it begins the file's name. Any number of processes may ask for the same library at once; one of them compiles it.
    Beside it lie its source (`.c`) and its digest (`.sum`), by which a damaged one is noticed and made again. A source that
    does not compile, a compiler that hangs, and a machine without one or without a place to write, are a `BuildError`.
    """
    compiler = find_compiler()
    stem = f"{re.sub(r'[^A-Za-z0-9_-]+', '_', name)[:60] or 'build'}-{_key(compiler, source, defines)}"
    for _ in range(_ATTEMPTS):
        folder = builds_folder()
        library = folder / f"{stem}.so"
        touch(library)
        try:
            if not _whole(library):
                with locked(folder, stem[-32:], 2 * LIMIT):
                    if not _whole(library):
                        _compile(compiler, library, source, tuple(defines))
                make_room(folder)
            return library
        except OSError as error:
            if folder.is_dir():  # otherwise somebody has just removed it, which is no reason not to use it
                refuse(folder, f"{folder} cannot be written: {error.strerror or error}")
    raise BuildError(
        "Nothing can be compiled: neither the cache folder nor a temporary one can be written. Let UNROLLED_CACHE name another."
    )


def load(path: Path) -> ctypes.CDLL:
    """The library, loaded; `BuildError` if it cannot be, and then it is made again when it is next asked for."""
    try:
        with _place(path) as name:
            if not _whole(name):
                raise OSError("it is not what was compiled")
            return ctypes.CDLL(str(name))
    except OSError as error:
        with suppress(OSError):
            path.with_suffix(".sum").unlink()
        raise BuildError(f"The compiled recurrence {path} cannot be loaded: {error}. Delete it and try again; {CURE}") from None


@contextmanager
def _place(library: Path) -> Iterator[Path]:
    """A name of a library in the folder that is at its path now, whatever lies there later. `OSError` if the folder is not ours alone."""
    if not hasattr(os, "getuid"):
        yield library
        return
    folder = os.open(library.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if reason := not_ours(library.parent, os.fstat(folder)):
            raise OSError(reason)
        name = Path(f"/proc/self/fd/{folder}", library.name)
        yield name if name.exists() else library
    finally:
        os.close(folder)


def notice(reason: str) -> None:
    """Say once in this process, as an `UnrolledWarning`, that recurrences run slower for want of a compiler, and why."""
    if not _noticed:
        _noticed.add(reason)
        told = f"No C compiler works here ({reason}), so recurrences run on the slower engine. {CURE}"
        warnings.warn(told, UnrolledWarning, stacklevel=2)


def _key(compiler: Compiler, source: str, defines: Sequence[str]) -> str:
    """What a build depends on, as 32 hexadecimal digits."""
    parts = [_FORMAT, source, list(defines), compiler.flags, compiler.command, compiler.details, compiler.target, processor()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _whole(library: Path) -> bool:
    """Whether a library is there as it was written; a damaged one must not be loaded, as that can end the process."""
    try:
        return hashlib.sha256(read_file(library)).hexdigest().encode() == read_file(library.with_suffix(".sum"))
    except (OSError, ValueError):
        return False


def _compile(compiler: Compiler, library: Path, source: str, defines: tuple[str, ...]) -> None:
    kept = library.with_suffix(".c")
    write_file(kept, source.encode())
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=library.parent, ignore_cleanup_errors=True) as aside:
        fresh = Path(aside, "fresh.so")
        command = compiler.arguments(kept, fresh, defines)
        outcome = run(command, Path(aside))
        if outcome.disk_full:
            raise OSError("the disk is full")
        if outcome.failure or not fresh.is_file():
            reason = outcome.failure or "it ended well but wrote no library"
            told = f"{compiler.command[0]} did not compile {kept}:"
            raise BuildError(f"{told}\n{reason}\nThe command was: {shlex.join(command)}", reason=f"{told} {reason.splitlines()[0]}")
        digest = hashlib.sha256(read_file(fresh)).hexdigest()
        fresh.chmod(0o700)
        os.replace(fresh, library)
    write_file(library.with_suffix(".sum"), digest.encode())
