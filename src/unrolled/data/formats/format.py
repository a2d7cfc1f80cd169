"""What a format of labelled files must be able to do."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TextIO, runtime_checkable

from unrolled.data.examples import Example, Prediction
from unrolled.data.formats.options import ReadingOptions


class Format(Protocol):
    """One way in which examples are written to files."""

    @property
    def name(self) -> str:
        """What `--format` says."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The ends of the names of files that are taken to be of it, in lower case, such as ".csv"; ".gz" after it means packed."""

    def read(self, paths: Sequence[Path], options: ReadingOptions, *, tagged: bool) -> Iterator[Example]:
        """The examples of files, one by one, in their order, without reading more than it must.

        `tagged` says whether labels belong to steps (`Example.tags`) or to the whole sequence (`Example.labels`). What a file does not
        say is None. `DataError` names file and line of what cannot be read.
        """

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """Write examples that were read from this format as they were, with a column added that has the prediction."""


@runtime_checkable
class Settling(Protocol):
    """A format whose files show how others of their kind are to be read."""

    def settle(self, paths: Sequence[Path], options: ReadingOptions, *, tagged: bool) -> ReadingOptions:
        """The options with what the first of some files shows, which a run keeps; errors as in `read`."""
