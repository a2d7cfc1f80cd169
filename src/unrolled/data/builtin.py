"""Texts that every Python installation carries, usable wherever a path is."""

import os
import sysconfig
from collections.abc import Callable, Iterable
from functools import cache
from glob import glob
from importlib import import_module
from pathlib import Path
from typing import Any

from unrolled.errors import DataError

PREFIX = "builtin:"


def absolute(sources: tuple[str, ...]) -> tuple[str, ...]:
    """Sources with paths that hold wherever one stands, and with files for patterns."""
    return tuple(s if s.startswith(PREFIX) else str(Path(s).absolute()) for s in expanded(sources))


def expanded(sources: Iterable[str]) -> list[str]:
    """Sources with the files that a pattern such as `data/*.txt` means in its place, in the order of their names. What is there by that name is no pattern.

    A name that no file can have, or that must not be looked up, is a `DataError`.
    """
    found: list[str] = []
    for source in sources:
        _require_possible(source)
        pattern = any(mark in source for mark in "*?[") and not source.startswith(PREFIX) and not os.path.lexists(source)
        found += (sorted(glob(source, recursive=True)) if pattern else []) or [source]
    return found


def _require_possible(source: str) -> None:
    try:
        os.stat(source)
    except (FileNotFoundError, NotADirectoryError):
        # Whoever opens it says what was looked for.
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{source[:100]!r} cannot be opened: {reason}. Pass the path of a file.") from None


def paths_of(sources: Any) -> list[str]:
    """The paths of one file or several. `DataError` for what is no path, such as what a file would hold."""
    if isinstance(sources, str | os.PathLike):
        return [os.fspath(sources)]
    some = [sources] if hasattr(sources, "columns") or not isinstance(sources, Iterable) else list(sources)
    for number, one in enumerate(some, 1):
        if not isinstance(one, str | os.PathLike):
            shape = getattr(one, "shape", None)
            got = f"{type(one).__name__}{'' if shape is None else f' of shape {[*shape]}'}"
            raise DataError(f"Files are given by their paths, got {got} as number {number}. Save it as a file, and pass the path of that.")
    return [os.fspath(one) for one in some]


_SKIPPED = {"test", "tests", "idle_test", "site-packages", "dist-packages", "lib2to3", "__pycache__"}


def _python_docs() -> str:
    """The English language reference that `help()` shows, topic by topic."""
    try:
        topics: dict[str, str] = import_module("pydoc_data.topics").topics
    except ImportError:
        return ""
    return "\n\n".join(topics[name].strip() for name in sorted(topics)) + "\n"


def _python_source() -> str:
    """The standard library's modules, without their tests."""
    texts = map(module_text, module_paths())
    return "\n".join(text for text in texts if text)


def module_paths() -> list[Path]:
    """The standard library's modules, without their tests, in order of their paths below its folder."""
    root = Path(sysconfig.get_path("stdlib"))
    return [root / path for path in sorted(path.relative_to(root) for path in root.rglob("*.py")) if _SKIPPED.isdisjoint(path.parts)]


def module_text(path: Path) -> str:
    """The text of one module; empty if it cannot be read as UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""


BUILTIN: dict[str, Callable[[], str]] = {"builtin:python-docs": _python_docs, "builtin:python-source": _python_source}
"""What makes each built-in text, by its name."""


@cache
def builtin_text(name: str) -> bytes:
    """The built-in text `name`, in UTF-8. A name that does not exist, or a Python without that text, is a `DataError`."""
    if name not in BUILTIN:
        raise DataError(f"There is no built-in text {name!r}. Pass one of {', '.join(BUILTIN)}, or the path of a file.")
    content = BUILTIN[name]().encode()
    if not content:
        raise DataError(f"This Python was installed without the text of {name!r}. Pass the path of a text file.")
    return content
