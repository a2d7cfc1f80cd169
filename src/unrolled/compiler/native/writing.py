"""Pieces of C text, and lines that are not too long."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

WIDTH = 120
"""The longest line of generated text."""


def enum(*items: str) -> str:
    """Names that count from 0; nothing where there are none."""
    return f"enum {{ {', '.join(items)} }};" if items else ""


def table(name: str, items: Iterable[str]) -> str:
    """An array of small numbers; one of them is 0 where there are none, since C has no empty arrays."""
    return f"static const int {name}[] = {{{', '.join(items) or '0'}}};"


def listed(items: Sequence[object]) -> str:
    """In English: a, b and c."""
    *most, last = map(str, items)
    return f"{', '.join(most)} and {last}" if most else last


def wrapped(text: str) -> str:
    """No line longer than `WIDTH`, where it can be broken: after a comma, or else at a blank."""
    lines = []
    for line in text.split("\n"):
        rest = line
        indent = " " * (len(line) - len(line.lstrip()) + (3 if line.startswith("/*") else 4))
        mark = " \\" if line.startswith("#define") else ""
        while len(rest) > WIDTH and (cut := _cut(rest, len(indent) + 20, comment=line.startswith("/*"))):
            lines.append(rest[:cut] + mark)
            rest = indent + rest[cut + 1 :]
        lines.append(rest)
    return "\n".join(lines)


def _cut(line: str, least: int, *, comment: bool) -> int:
    comma = -1 if comment else line.rfind(", ", least, WIDTH) + 1
    return max(comma if comma > 0 else line.rfind(" ", least, WIDTH), 0)


@cache
def runtime(names: tuple[str, ...]) -> str:
    """What is the same for all kernels: files of the folder `runtime`, one after the other."""
    folder = files("unrolled.compiler.native").joinpath("runtime")
    return "\n".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
