"""Tables of Parquet, Arrow, Excel and ARFF: what is a row of them is a row of CSV, with the same columns and options."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.files import look_ahead
from unrolled.data.formats.format import About
from unrolled.data.formats.objects import JsonLines, examples_of
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.sheets.arrow import has_lists, records
from unrolled.data.formats.tables import FIELDS, OWNED, TextTable
from unrolled.errors import DataError

_OBJECTS = JsonLines()


class SheetTable(TextTable):
    """A table that is no delimited text, with the names of its columns, if `named`. Predictions are written as CSV."""

    def __init__(self, name: str, suffixes: tuple[str, ...], says: str, *, named: bool = True) -> None:
        super().__init__(name, suffixes, None)
        self.about = About(f"{says}, a sequence a row", FIELDS, OWNED)
        self._named = named

    def _known(self, options: ReadingOptions) -> ReadingOptions:
        return replace(options, header=True) if self._named and options.header is None else options

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The rows; see `TextTable`."""
        return super().read(paths, self._known(options), wanted)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """See `TextTable`."""
        return replace(super().resolve(paths, self._known(options), wanted), header=options.header)

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """See `TextTable`."""
        return super().head(path, self._known(options))


class ArrowTable(SheetTable):
    """A Parquet or Arrow table; where cells hold lists, such as tokens and their tags, rows are read as the objects of JSON Lines are."""

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The rows."""
        if has_lists(paths[0]):
            return examples_of(chain.from_iterable(map(records, paths)), options, wanted)
        return super().read(paths, options, wanted)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the first row."""
        if has_lists(paths[0]):
            return _OBJECTS.resolved(records(paths[0]), options, wanted)
        return super().resolve(paths, options, wanted)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """CSV, or JSON Lines where cells hold lists."""
        first, found = look_ahead(found, 1)
        lists = any(isinstance(example.origin, dict) for example, _ in first)
        return _OBJECTS.write(found, file, options) if lists else super().write(found, file, options)
