"""Whether a video in a Matroska file (webm, mkv; RFC 9559) is all there."""

from pathlib import Path
from typing import BinaryIO

_HEADER, _SEGMENT = 0x1A45DFA3, 0x18538067
"""What a file and the part with everything in it begin with."""


def is_cut_off(path: Path) -> bool:
    """Whether a file ends before the end that it says it has; other files, and those that do not say it, as from a camera, are not."""
    with path.open("rb") as file:
        if _number(file, keep=True) != _HEADER:
            return False
        header = _number(file)
        file.seek(header or 0, 1)
        if header is None or _number(file, keep=True) != _SEGMENT:
            return False
        size = _number(file)
        return size is not None and file.tell() + size > path.stat().st_size


def _number(file: BinaryIO, *, keep: bool = False) -> int | None:
    """A number of variable length (RFC 8794, section 4), with the mark of its length if `keep`; None for one that says "unknown", or is none."""
    first = file.read(1)
    length = 9 - first[0].bit_length() if first else 9
    content = first + file.read(length - 1)
    if length > 8 or len(content) < length:
        return None
    found, mark = int.from_bytes(content), 1 << 7 * length
    return found if keep else None if found == 2 * mark - 1 else found - mark
