"""Small sources of pairs for trying things out, made up by rules; the same at every call."""

from collections.abc import Callable, Iterator

from unrolled.data.pairs.dates import dates
from unrolled.data.pairs.numbers import numbers
from unrolled.data.pairs.pair import Pair
from unrolled.data.pairs.strings import additions, reversed_strings
from unrolled.errors import DataError

BUILTIN_PAIRS: dict[str, Callable[[], Iterator[Pair]]] = {
    "builtin:dates": dates,
    "builtin:numbers": numbers,
    "builtin:reversed": reversed_strings,
    "builtin:additions": additions,
}
"""What makes each built-in source of pairs, by its name."""


def builtin_pairs(name: str) -> Iterator[Pair]:
    """The pairs of a built-in source. A name that does not exist is a `DataError`."""
    if name not in BUILTIN_PAIRS:
        raise DataError(f"There are no built-in pairs {name!r}. Pass one of {', '.join(BUILTIN_PAIRS)}, or the path of a file.")
    return BUILTIN_PAIRS[name]()
