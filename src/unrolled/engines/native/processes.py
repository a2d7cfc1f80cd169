"""Running other programs: with a limit of time, without leaving any of them behind; and which processor they run on."""

import ctypes
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LIMIT = 120.0
"""Seconds after which a compiler is taken to hang."""

ROOM = 1 << 22
"""Bytes that a compiler needs at most. One that finds the disk full may be unable to say so, as what it says is written there, too."""

_KEPT_LINES = 12
_FULL_DISK = ("No space left on device", "Disk quota exceeded", "Read-only file system")
_CPUINFO = "/proc/cpuinfo"
# What stays the same from one start to the next; megahertz and the number of the core do not.
_CPU_FIELDS = {"vendor_id", "cpu family", "model", "model name", "stepping", "flags", "features", "isa", "cpu", "uarch"}
_SYSCTLS = ("machdep.cpu.brand_string", "machdep.cpu.features", "machdep.cpu.leaf7_features")


@dataclass(frozen=True)
class Outcome:
    """How a program ended: `status` as its shell would tell it, `output` both of its streams together, `hung` if it was killed for time, and
    `cramped` if there was little room left where it wrote."""

    status: int
    output: str
    hung: bool = False
    cramped: bool = False

    @property
    def failure(self) -> str:
        """What went wrong, in at most a dozen lines; empty if nothing did."""
        if self.hung:
            return f"it did not end within {LIMIT:g} s and was stopped"
        if not self.status:
            return ""
        lines = [line.rstrip()[:300] for line in self.output.splitlines() if line.strip()]
        shown = lines[:_KEPT_LINES]
        if len(lines) > len(shown):
            shown.append(f"... and {len(lines) - len(shown)} more lines")
        ended = f"was killed by signal {-self.status}" if self.status < 0 else f"ended with status {self.status}"
        return "\n".join(shown) or f"it {ended} and said nothing"

    @property
    def disk_full(self) -> bool:
        """Whether it failed because nothing could be written."""
        return bool(self.status) and (self.cramped or any(words in self.output for words in _FULL_DISK))


def run(command: Sequence[str], scratch: Path | None = None) -> Outcome:
    """Run a program and everything that it starts, for at most `LIMIT` seconds.

    One that cannot be started has the status 127. Its messages are in English, whatever the user's language, as they are looked into.
    Its temporary files go to the folder `scratch`, so that they go with it, even if the program is killed.
    """
    environment = {**os.environ, "LC_ALL": "C", **({"TMPDIR": str(scratch)} if scratch else {})}
    # Not a pipe: something left behind could hold a pipe open, and then we would wait for it.
    with tempfile.TemporaryFile(dir=scratch) as output:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=environment
            )
        except (OSError, ValueError) as error:
            return Outcome(127, f"{command[0]} cannot be started: {getattr(error, 'strerror', None) or error}")
        hung = False
        try:
            process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            hung = True
        finally:
            if process.poll() is None:
                _kill(process)
        output.seek(0)
        status = process.wait()
        cramped = bool(status) and scratch is not None and shutil.disk_usage(scratch).free < ROOM
        return Outcome(status, output.read().decode(errors="replace"), hung, cramped)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a program together with those it has started, which a compiler's driver always has."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


@lru_cache(maxsize=1)
def processor() -> str:
    """What tells this machine's processor from another that cannot run code made for it: its model and what it is able to do."""
    known = _from_cpuinfo() if sys.platform.startswith("linux") else _from_sysctl() if sys.platform == "darwin" else ""
    return "\n".join([sys.platform, platform.machine(), known or platform.processor()])


def _from_cpuinfo() -> str:
    kept: list[str] = []
    with suppress(OSError), open(_CPUINFO, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name = line.partition(":")[0].strip()
            if not name:
                break  # the first core is enough, and with hundreds of them the file takes long to read
            if name.lower() in _CPU_FIELDS or name.startswith("CPU "):
                kept.append(line.strip())
    return "\n".join(kept)


def _from_sysctl() -> str:
    kept: list[str] = []
    with suppress(OSError, AttributeError):
        ask = ctypes.CDLL(None).sysctlbyname
        for name in _SYSCTLS:
            value, size = ctypes.create_string_buffer(4096), ctypes.c_size_t(4096)
            if not ask(name.encode(), value, ctypes.byref(size), None, ctypes.c_size_t(0)):
                kept.append(value.value.decode(errors="replace"))
    return "\n".join(kept)
