"""Finding a C compiler that works here: each is tried on a tiny library, and what was learnt is kept until the compiler changes."""

import ctypes
import hashlib
import importlib.util
import json
import os
import platform
import shlex
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from unrolled.engines.native.folder import builds_folder, refuse
from unrolled.engines.native.processes import Outcome, processor, run
from unrolled.errors import BuildError, UnrolledWarning
from unrolled.files import UNFINISHED, read_file, write_file
from unrolled.plain import from_json

EXTRA = "UNROLLED_CFLAGS"
CURE = "Install gcc or clang, or `pip install ziglang`. UNROLLED_ENGINE=torch or UNROLLED_ENGINE=eager does without a compiler."

_FLAGS = ("-O3", "-std=gnu11", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", "-Wall", "-Wextra")
_LIBRARIES = ("-lm",)
_FORMAT = 1
_HOUR = 3600.0
# What a compiler's result can depend on besides its arguments.
_VARIABLES = (
    "CC", EXTRA, "CPATH", "C_INCLUDE_PATH", "LIBRARY_PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX", "SDKROOT", "DEVELOPER_DIR",
    "MACOSX_DEPLOYMENT_TARGET", "LD_PRELOAD",
)  # fmt: skip
# Vectors, the header files and the mathematical library are what the real sources need.
_TRIAL = """
#include <math.h>
#include <stdint.h>
#include <string.h>
typedef float vector __attribute__((vector_size(64), aligned(4)));
int64_t unrolled_trial(const float *x, int n) {
    vector sum = {0}, part;
    for (int i = 0; i < n; i++) { memcpy(&part, x + 16 * i, sizeof part); sum += part * part; }
    float total = 0;
    for (int k = 0; k < 16; k++) total += sum[k] + expf(x[k]) * 0;
    return (int64_t)total;
}
"""
_CALL = """
import ctypes, sys
trial = ctypes.CDLL(sys.argv[1]).unrolled_trial
trial.restype = ctypes.c_int64
sys.exit(0 if trial((ctypes.c_float * 48)(*range(48)), 3) == 35720 else "it computes something wrong")
"""


@dataclass(frozen=True)
class Compiler:
    """A C compiler that works here.

    `command` starts it, `flags` are those for a shared library, with those for this processor and those of UNROLLED_CFLAGS, `version` is
    the first line it says about itself and `details` all lines, `target` what it compiles for. `passed_over` tells of each
    compiler that was to be preferred and does not work.
    """

    command: tuple[str, ...]
    version: str
    flags: tuple[str, ...]
    target: str
    details: str
    passed_over: tuple[str, ...] = ()

    def arguments(self, source: Path, library: Path, defines: tuple[str, ...] = ()) -> list[str]:
        """The whole command that makes a library of a source."""
        return [*self.command, *self.flags, *(f"-D{define}" for define in defines), str(source), "-o", str(library), *_LIBRARIES]


@dataclass(frozen=True)
class _Candidate:
    """A compiler that may or may not exist; `shown` is how it is called in messages, `programs` are the files that are run."""

    shown: str
    command: tuple[str, ...]
    programs: tuple[Path, ...]


def find_compiler() -> Compiler:
    """The first compiler that works: $CC, cc, gcc, clang, or that of the Python package ziglang.

    To be found, a compiler has to make a library that can be loaded and computes what it should. What comes out is kept for this process
    and, as long as the compiler's file and the environment stay the same, for later ones. If none works, that is a `BuildError` that names
    each one's reason.
    """
    found = _find(tuple(os.environ.get(name) for name in ("PATH", *_VARIABLES)))
    if isinstance(found, Compiler):
        return found
    extra = f" {EXTRA} is {os.environ[EXTRA]!r}." if os.environ.get(EXTRA) else ""
    raise BuildError(f"No C compiler works here: {found}.{extra} {CURE}", reason=found)


@lru_cache
def _find(_environment: tuple[str | None, ...]) -> Compiler | str:
    """The compiler, or why there is none: so that a failure is found out only once, too."""
    reasons: list[str] = []
    for candidate in _candidates():
        found = _judge(candidate)
        if isinstance(found, Compiler):
            if reasons and reasons[0].startswith("$CC"):
                told = f"{reasons[0]}. {shlex.join(found.command)} is used in its place. Let CC name a compiler that works, or unset it."
                warnings.warn(told, UnrolledWarning, stacklevel=3)
            return replace(found, passed_over=tuple(reasons))
        reasons.append(f"{candidate.shown}: {found}")
    return "; ".join(reasons)


def _candidates() -> Iterator[_Candidate]:
    if wanted := os.environ.get("CC", "").strip():
        try:
            command = tuple(shlex.split(wanted))
        except ValueError:
            command = (wanted,)
        yield _candidate(f"$CC={wanted}", command)
    for name in ("cc", "gcc", "clang"):
        yield _candidate(name, (name,))
    zig = importlib.util.find_spec("ziglang")
    program = (Path(zig.origin).parent / ("zig.exe" if os.name == "nt" else "zig"),) if zig and zig.origin else ()
    yield _Candidate("ziglang", (sys.executable, "-m", "ziglang", "cc"), program)


def _candidate(shown: str, command: tuple[str, ...]) -> _Candidate:
    """The words of `ccache gcc` are all programs, whose change would make it another compiler."""
    paths = [shutil.which(word) for word in command]
    return _Candidate(shown, command, tuple(Path(path).resolve() for path in paths if path) if paths and paths[0] else ())


def _judge(candidate: _Candidate) -> Compiler | str:
    """The compiler, or why it does not work; from an earlier process if that has found out."""
    if not candidate.programs:
        return "not installed" if candidate.shown == "ziglang" else "not found"
    try:
        files = [(str(program), file.st_mtime_ns, file.st_size) for program in candidate.programs for file in [program.stat()]]
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    state = [_FORMAT, candidate.command, files, processor(), sys.executable, [os.environ.get(name) for name in _VARIABLES]]
    name = f"compiler-{hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]}.json"
    known = _recall(builds_folder() / name)
    if known is not None:
        return known
    found, hung = _try(candidate.command)
    if isinstance(found, Compiler) or hung:
        # Other failures are not kept: what they want may be installed at any time without a change to the compiler itself.
        note = {"compiler": asdict(found)} if isinstance(found, Compiler) else {"failed": found, "until": time.time() + _HOUR}
        with suppress(OSError):
            write_file(builds_folder() / name, json.dumps(note).encode())
    return found


def _recall(path: Path) -> Compiler | str | None:
    try:
        note: dict[str, Any] = from_json(read_file(path))
        if "compiler" in note:
            kept: dict[str, Any] = note["compiler"]
            return Compiler(tuple(kept["command"]), kept["version"], tuple(kept["flags"]), kept["target"], kept["details"])
        return str(note["failed"]) if note["until"] > time.time() else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _try(command: tuple[str, ...]) -> tuple[Compiler | str, bool]:
    """The compiler with the best flags that work, or why none do, and whether it hung."""
    told = run([*command, "--version"])
    if told.hung:
        return told.failure, True
    try:
        extra = tuple(shlex.split(os.environ.get(EXTRA, "")))
    except ValueError as error:
        return f"{EXTRA} cannot be read: {error}", False
    first, second = ("-march=native",), ("-mcpu=native",)
    if platform.machine().lower() in {"arm64", "aarch64"}:
        first, second = second, first
    outcome, details = Outcome(0, ""), "" if told.status else told.output.strip()
    for native in (first, second, ()):
        compiler = Compiler(command, details.partition("\n")[0], (*_FLAGS, *native, *extra), "", details)
        outcome = _try_in_folder(compiler)
        if not outcome.failure:
            return replace(compiler, target=_target(compiler)), False
        if outcome.hung:
            break
    return " / ".join(outcome.failure.splitlines()[:3]).rstrip("."), outcome.hung


def _target(compiler: Compiler) -> str:
    """What a compiler says it compiles for: clang does so along with its version, gcc when asked."""
    for line in compiler.details.splitlines():
        if line.startswith("Target: "):
            return line.removeprefix("Target: ")
    told = run([*compiler.command, "-dumpmachine"])
    return "" if told.failure else told.output.strip()


def _try_in_folder(compiler: Compiler) -> Outcome:
    """Compile and load the tiny library where the real ones will be; in a private folder if nothing can be written there."""
    for _ in range(2):
        folder = builds_folder()
        try:
            with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder, ignore_cleanup_errors=True) as aside:
                outcome = _try_flags(compiler, Path(aside))
            if not outcome.disk_full:
                return outcome
            reason = "the disk is full"
        except OSError as error:
            reason = error.strerror or str(error)
        refuse(folder, f"{folder} cannot be written: {reason}")
    raise BuildError("Nothing can be compiled: neither the cache folder nor a temporary one can be written.")


def _try_flags(compiler: Compiler, folder: Path) -> Outcome:
    source, library = folder / "trial.c", folder / "trial.so"
    source.write_text(_TRIAL)
    outcome = run(compiler.arguments(source, library), folder)
    if outcome.failure:
        return outcome
    if not library.is_file():
        return Outcome(1, "it ends well but writes no library")
    # In a process of its own, so that a wrong instruction ends that one and not this. Where Python is inside another program, which would
    # be started instead, it is only loaded.
    if Path(sys.executable or "").name.lower().startswith("python"):
        called = run([sys.executable, "-I", "-S", "-c", _CALL, str(library)])
        last = called.output.strip().splitlines()[-1:] or [called.failure]
        return replace(called, output=f"it compiles, but what comes out does not work: {last[0]}") if called.failure else called
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return Outcome(1, f"it compiles, but what comes out cannot be loaded: {error}")
    return outcome
