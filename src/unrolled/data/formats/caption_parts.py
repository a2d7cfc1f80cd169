"""Which part of a source of pictures is read, where it says of each in which split it is."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from unrolled.errors import ConfigError, DataError

T = TypeVar("T")

SPLIT = "split"
"""The column or key that names splits."""

_WITH = {"train": ("train", "restval")}
"""Splits that are read together."""


def of_part(path: Path, items: Iterable[T | DataError], part: str | None, split: Callable[[Any], str]) -> Iterator[T | DataError]:
    """The items whose split is the `part`; all of them if it is None. `ConfigError` after the last one if there are others only."""
    wanted, splits = () if part is None else _WITH.get(part, (part,)), set[str]()
    for item in items:
        if part is not None and not isinstance(item, DataError):
            try:
                found = split(item)
            except DataError as error:
                yield error.with_traceback(None)
                continue
            splits.add(found)
            if found not in wanted:
                continue
        yield item
    if splits and splits.isdisjoint(wanted):
        raise ConfigError(f"`part={part!r}` is no split of {path}, which has {', '.join(sorted(splits))}. Pass one of them.")


def split_of(record: Mapping[str, Any], place: str) -> str:
    """The split of an object. `DataError` if it names none."""
    found = record.get(SPLIT)
    if not isinstance(found, str):
        raise DataError(f"{place} must have the split that `part` asks for as a text under {SPLIT!r}. Add it, or leave `part` out.")
    return found.strip()


def require_whole(path: Path, part: str | None) -> None:
    """`ConfigError` if a part is asked for of what has no splits."""
    if part is not None:
        raise ConfigError(f"`part` names a split, got {part!r}, and {path} has none. Leave it out, or pass what is of that split alone.")
