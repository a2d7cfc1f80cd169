"""Where and with what a measurement was made."""

import datetime
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("unrolled", "torch", "numpy", "jax", "jaxlib", "onnx", "onnxruntime")


def describe_machine() -> dict[str, object]:
    """Processor, cores that this process may use, load, versions, date."""
    return {
        "processor": _processor(),
        "cores": count_cores(),
        "load": os.getloadavg()[0],
        "system": platform.platform(),
        "versions": {"python": platform.python_version(), **{p: v for p in PACKAGES if (v := _version(p))}},
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Others:
    """How many cores other processes, and other machines on the same processor, take from now on; known on Linux only."""

    def __init__(self) -> None:
        self._begun = time.perf_counter(), time.process_time(), _busy_seconds()

    def cores(self) -> float | None:
        """Cores on average since this was made."""
        clock, own, busy = self._begun
        now = _busy_seconds()
        if busy is None or now is None:
            return None
        return max(now - busy - (time.process_time() - own), 0.0) / (time.perf_counter() - clock)


def is_installed(package: str) -> bool:
    """Whether a distribution of that name is installed."""
    return bool(_version(package))


def _busy_seconds() -> float | None:
    """Seconds that all cores were not idle since the system started."""
    counts = Path("/proc/stat")
    if not counts.exists():
        return None
    user, nice, system, _, _, interrupts, soft, stolen = (int(part) for part in counts.read_text().split()[1:9])
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
