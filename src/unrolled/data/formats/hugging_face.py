"""Data sets of the library `datasets`, or what looks like one, as examples; the library itself is not needed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.bio import in_bio
from unrolled.data.formats.objects import examples_of
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import DataError


class Rows(Protocol):
    """A data set, or a part of one: rows by column, and what each column holds, if that is known."""

    features: Mapping[str, Any] | None

    def __iter__(self) -> Iterator[Mapping[str, Any]]: ...


def from_hugging_face(
    dataset: Rows, input: str | None = None, target: str | None = None, *, tagged: bool = False, scheme: str | None = None
) -> Iterator[Example]:
    """The rows as examples; numbers of a `ClassLabel`, or of a list of them, become its names, and -1, which says unknown, no label.

    `input` is the column with texts or lists of tokens, `target` that with labels, or when `tagged` with tags; usual names are found; tags
    mark spans as `scheme` says, or else as they show. What
    is no data set, such as a `DatasetDict`, has no such column, or breaks the rules of `read_examples`, is a `DataError` or `ConfigError`.
    """
    examples = _examples(dataset, ReadingOptions(input=input, target=target), Target.TAGS if tagged else Target.LABELS)
    return decided(in_bio(examples, scheme) if tagged else examples)


def _examples(dataset: Rows, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    yield from examples_of(((f"row {number}", row) for number, row in enumerate(rows_of(dataset))), options, wanted)


def rows_of(dataset: Rows) -> Iterator[Mapping[str, Any]]:
    """The rows of a data set, with the names of classes in the place of their numbers. `DataError` for several parts of one."""
    if isinstance(dataset, Mapping):
        raise DataError(f"The data set has the parts {', '.join(dataset)}. Pass one of them, such as dataset[{next(iter(dataset), '')!r}].")
    names = {column: found for column, feature in (dataset.features or {}).items() if (found := _class_names(feature))}
    return ({column: _named(value, names[column]) if column in names else value for column, value in row.items()} for row in dataset)


def _class_names(feature: Any) -> list[str] | None:
    """The names that a feature has for its numbers: those of a `ClassLabel`, or of the one inside a sequence or a list."""
    if isinstance(feature, list) and feature:
        return _class_names(feature[0])
    found = getattr(feature, "names", None)
    if found is None and hasattr(feature, "feature"):
        return _class_names(feature.feature)
    return list(found) if isinstance(found, Iterable) else None


def _named(value: Any, names: list[str]) -> Any:
    if isinstance(value, list):
        return [_named(part, names) for part in value]
    return names[value] if isinstance(value, int) and value >= 0 else None if value == -1 else value
