"""Long sequences in pieces."""

from collections.abc import Iterator


def pieces(total: int, window: int, overlap: int) -> Iterator[tuple[slice, slice]]:
    """The windows of a sequence: which steps each reads, and which of these, counted from the window's start, are decided in it."""
    for start in range(0, total, window):
        first, last = max(start - overlap, 0), min(start + window + overlap, total)
        yield slice(first, last), slice(start - first, min(start + window, total) - first)
