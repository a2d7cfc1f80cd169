"""What a format of labelled files must be able to do."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TextIO, runtime_checkable

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import DataError


@dataclass(frozen=True)
class About:
    """A format in words, and the options that it owns.

    `says` is a line on it, `gives` the fields that an example of it may have, `options` those of `ReadingOptions` that say something about
    its files; `format` and `encoding`, and `scheme` for tags, are for all. `sample` is a small file, `reading` the options with which it is
    read, `task` what it can be trained for. `labels` says what one does so that files have labels.
    """

    says: str
    gives: tuple[str, ...]
    options: tuple[str, ...] = ()
    sample: str = ""
    reading: Mapping[str, str] = field(default_factory=dict)
    task: str = "classify"
    labels: str = "Name their column or key as `target`, and fill it in."


class Format(Protocol):
    """One way in which examples are written to files."""

    @property
    def about(self) -> About:
        """What it is, and which options it has."""

    @property
    def name(self) -> str:
        """What `format` says."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The ends of the names of files that are taken to be of it, in lower case, such as ".csv"; packed files are taken to be of what is in them."""

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The examples of files, one by one, in their order, without reading more than it must.

        `wanted` is what is to be said of them. What a file does not say is None. `DataError` names file and line of what cannot be read: it is
        raised where nothing more can be read, and stands in the place of the example where the next one can.
        """

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """Write examples that were read from this format as they were, with a column added that has the prediction."""


@runtime_checkable
class Tabular(Protocol):
    """A format whose files have columns or keys."""

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The names or numbers of the columns of a file, and its first rows; errors as in `read`."""


@runtime_checkable
class Resolving(Protocol):
    """A format whose files show how others of their kind are to be read."""

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """The options with what the first of some files shows, which a run keeps; errors as in `read`."""
