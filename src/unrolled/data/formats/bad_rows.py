"""Rows that cannot be read, as values: what is wrong with each takes its place among the others, until it is decided what becomes of it.

What a reader raises is wrong with a whole file; what it yields as an error is wrong with one row, object or sequence, and the next one can be read.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from unrolled.errors import ConfigError, DataError, UnrolledWarning

T = TypeVar("T")
U = TypeVar("U")

ERROR, SKIP = BAD_ROWS = ("error", "skip")
"""What may become of a bad row: it ends the reading, or it is left out."""

CURE = f" To leave such rows out, pass `bad_rows='{SKIP}'`."
"""What is added to an error about a row, object or sequence."""

HELP = f"What becomes of rows, objects and sequences that cannot be read: {ERROR}, or {SKIP}, which counts them and names the first."


def require_known(bad_rows: str) -> None:
    """`ConfigError` for what is no way to treat bad rows."""
    if bad_rows not in BAD_ROWS:
        raise ConfigError(f"`bad_rows` must be one of {', '.join(BAD_ROWS)}, got {bad_rows!r}.")


@contextmanager
def none_left_out() -> Iterator[None]:
    """Where rows cannot be left out the error about one does not say how."""
    try:
        yield
    except DataError as error:
        if not str(error).endswith(CURE):
            raise
        raise type(error)(str(error).removesuffix(CURE)) from None


def tried(items: Iterable[T | DataError], make: Callable[[T], U]) -> Iterator[U | DataError]:
    """What `make` makes of each item, or the `DataError` that it raised; what is an error already stays one."""
    for item in items:
        if isinstance(item, DataError):
            yield item
            continue
        try:
            made = make(item)
        except DataError as error:
            yield error.with_traceback(None)
        else:
            yield made


def good(items: Iterable[T | DataError]) -> Iterator[T]:
    """The items that are no errors."""
    return (item for item in items if not isinstance(item, DataError))


def decided(items: Iterable[T | DataError], bad_rows: str = ERROR) -> Iterator[T]:
    """The items without bad ones, which are left out if `bad_rows` says so: one `UnrolledWarning` counts them and tells the first.

    Otherwise the first bad one is raised. So it is where no other item is left.
    """
    first, count, some = None, 0, False
    for item in items:
        if not isinstance(item, DataError):
            some = True
            yield item
            continue
        if bad_rows == ERROR:
            raise DataError(f"{item}{CURE}") from None
        first, count = first or item, count + 1
    if first and not some:
        raise DataError(f"Nothing is left, as {count:,} {'row is' if count == 1 else 'rows are'} bad. The first: {first}") from None
    if first:
        told = f"{count:,} bad {'row is' if count == 1 else 'rows are'} left out. The first: {first}"
        warnings.warn(told, UnrolledWarning, stacklevel=3)
