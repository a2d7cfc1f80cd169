"""Tables of Parquet, Arrow, Excel and ARFF: what is a row of them is a row of CSV, with the same columns and options."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.bad_rows import good
from unrolled.data.formats.files import look_ahead
from unrolled.data.formats.format import About
from unrolled.data.formats.objects import JsonLines, examples_of
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.sheets.arff import arff_records, relations
from unrolled.data.formats.sheets.arrow import has_lists, records
from unrolled.data.formats.tables import FIELDS, OWNED, TextTable
from unrolled.errors import DataError, UnrolledWarning

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


class NestedTable(SheetTable):
    """A table in which cells may hold lists, such as tokens and their tags, or series: then rows are read as the objects of JSON Lines are."""

    def _nested(self, path: Path) -> bool:
        return has_lists(path)

    def _records(self, path: Path) -> Iterator[tuple[str, dict[str, Any]] | DataError]:
        return records(path)

    def _asked(self, path: Path, options: ReadingOptions) -> ReadingOptions:
        """The options with what the table says of its columns."""
        return options

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The rows."""
        if self._nested(paths[0]):
            return examples_of(chain.from_iterable(map(self._records, paths)), self._asked(paths[0], options), wanted)
        return super().read(paths, options, wanted)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the first row."""
        if self._nested(paths[0]):
            return _OBJECTS.resolved(good(self._records(paths[0])), self._asked(paths[0], options), wanted)
        return super().resolve(paths, options, wanted)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """CSV, or JSON Lines where cells hold lists."""
        first, found = look_ahead(found, 1)
        lists = any(isinstance(example.origin, dict) for example, _ in first)
        return _OBJECTS.write(found, file, options) if lists else super().write(found, file, options)


class ArffTable(NestedTable):
    """An ARFF table, in which an attribute may be a table itself: a series of several channels."""

    def _nested(self, path: Path) -> bool:
        return bool(relations(path))

    def _records(self, path: Path) -> Iterator[tuple[str, dict[str, Any]] | DataError]:
        return arff_records(path)

    def _asked(self, path: Path, options: ReadingOptions) -> ReadingOptions:
        """The only attribute that is a table has the sequences, and the only other one the target, unless others are asked for; how tables are read is told."""
        inside = relations(path)
        source = options.input or (inside[0] if len(inside) == 1 else None)
        others = [name for _, record in islice(good(arff_records(path)), 1) for name in record if name != source]
        if source in inside:
            told = f"{path}: each row of the table in {source!r} is read as a channel, and each of its attributes as a step, as the UEA archive has them."
            warnings.warn(told, UnrolledWarning, stacklevel=2)
        target = options.target or (others[0] if len(others) == 1 and options.labels_needed else None)
        return replace(options, input=source, target=target)
