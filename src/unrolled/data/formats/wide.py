"""Rows of numbers: a series a row, as the UCR archive has them in `.tsv` files and MNIST often comes as CSV, with the label in one of the columns."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import TextIO

import numpy as np

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.added import AddedNames
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.decimals import Decimals
from unrolled.data.formats.files import look_ahead, named
from unrolled.data.formats.format import About
from unrolled.data.formats.guesses import TARGETS, column_names, find_named, is_index
from unrolled.data.formats.numbers import complete, parse_number
from unrolled.data.formats.options import ReadingOptions, target_names
from unrolled.data.formats.rows import Row, open_rows, rows_below
from unrolled.data.formats.table_layouts import split_labels
from unrolled.data.numerals import is_number
from unrolled.errors import ConfigError, DataError

_LEAST, _LEAST_BARE = 3, 8
"""Columns of numbers that a row must have to be a series: with names that count, and without names."""

_SEEN = 100
"""Rows by which it is known what the columns are: there may be hundreds of columns."""

_COUNTED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True)
class _Layout:
    """Where numbers and targets of a row stand, what its columns are called, and what of them is a header."""

    path: Path
    delimiter: str
    header: tuple[str, ...] | None
    columns: tuple[str, ...]
    numbers: tuple[int, ...]
    targets: tuple[int, ...]
    name: int | None
    decimals: Decimals

    @property
    def input(self) -> str:
        """The columns with numbers, in a word."""
        return f"{self.columns[self.numbers[0]]} … {self.columns[self.numbers[-1]]}"

    def example(self, options: ReadingOptions, wanted: Target, numbered: Row) -> Example:
        """The series of a row: empty cells at its end are none of it."""
        line, row = numbered
        place = f"{named(self.path)}, line {line}"
        values = np.empty((len(self.numbers), 1), np.float32)
        for step, at in enumerate(self.numbers):
            try:
                with np.errstate(over="ignore"):
                    values[step] = np.float64(parse_number(self.decimals.plain(at, row[at])))
            except ValueError as error:
                raise DataError(f"{place}, column {self.columns[at]}: {error}. Mend the cell, or take the row out.") from None
        known = np.flatnonzero(~np.isnan(values[:, 0]))
        if not len(known):
            raise DataError(f"{place}: there is no number in the columns {self.input}. Take the row out.")
        numbers = complete(
            values[: known[-1] + 1], lambda step: place, [f"column {self.columns[self.numbers[0]]} or a later one"], impute=options.impute
        )
        cells = tuple((self.decimals.plain(at, row[at]) if wanted.numbers else row[at]).strip() for at in self.targets)
        labels = None if not cells or not all(cells) else cells if wanted.numbers else split_labels(cells[0], options.separator)
        name = None if self.name is None else row[self.name]
        return Example(place, numbers=numbers, labels=labels, name=name, origin=(row, self))


class WideTable:
    """Tables with a series in each row, of one channel: a number in each column but that of the label, and one with names such as `id`."""

    name = "wide"
    suffixes: tuple[str, ...] = ()
    about = About(
        "rows of numbers, a series a row, with its label in one column, as in the UCR archive",
        ("numbers", "labels", "values"),
        ("target", "header", "separator", "impute"),
        "label,t0,t1,t2,t3\nup,0.1,0.2,0.4,0.8\ndown,0.9,0.5,0.3,0.1\n",
        {"target": "label"},
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The rows. One with something that is no number is bad; where the label stands must be clear or asked for, else it is a `ConfigError`."""
        if wanted.each_step:
            raise ConfigError("Rows of numbers have a label for each series and none for its steps. Use them to classify, not to tag.")
        for path in paths:
            with open_rows(path, options.encoding) as (delimiter, rows):
                head, rows = look_ahead(rows, _SEEN)
                layout = _lay_out(path, delimiter, [row for _, row in good(head)], options, wanted)
                below = rows if layout.header is None else rows_below(path, rows)
                yield from tried(below, partial(layout.example, options, wanted))

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the first table."""
        with open_rows(paths[0], options.encoding) as (delimiter, rows):
            layout = _lay_out(paths[0], delimiter, [row for _, row in good(islice(rows, _SEEN))], options, wanted)
        used = {*layout.numbers, *layout.targets, layout.name}
        left = tuple(name for at, name in enumerate(layout.columns) if at not in used)
        return replace(options, learnt=(layout.input, *(layout.columns[at] for at in layout.targets)), left=left)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The rows as they were, with the prediction and what else is known of it at the end."""
        begun = False
        for example, prediction in found:
            row, layout = example.origin
            writer = csv.writer(file, delimiter=layout.delimiter, lineterminator="\n")
            if not begun and layout.header is not None:
                own = AddedNames().beside(layout.header, prediction.columns, example.place)
                writer.writerow([*layout.header, *own])
            begun = True
            writer.writerow([*row, *prediction.cells(options.between)])


def is_wide(path: Path, options: ReadingOptions) -> bool:
    """Whether the rows of a table are series: nearly all of its columns have numbers alone, and names that count, or no names."""
    with open_rows(path, options.encoding) as (delimiter, rows):
        first = [row for _, row in good(islice(rows, _SEEN))]
    if len(first) < 2:
        return False
    first = Decimals(path, delimiter, (), first).guessed(first)
    header = _header(first, options)
    numbers = _number_columns(first[bool(header) :], len(first[0]))
    if len(numbers) + 2 < len(first[0]) or len(numbers) < (_LEAST if header else _LEAST_BARE):
        return False
    return header is None or _count_up([header[at] for at in numbers if not _is_role(header[at])])


def _lay_out(path: Path, delimiter: str, rows: Sequence[list[str]], options: ReadingOptions, wanted: Target) -> _Layout:
    if not rows:
        raise DataError(f"{named(path)} has no rows. Pass a table that has some.")
    decimals = Decimals(path, delimiter, rows[0], rows[1:])
    rows = decimals.guessed(rows)
    header = _header(rows, options)
    below = rows[header is not None :]
    columns = column_names(rows[0]) if header else tuple(map(str, range(len(rows[0]))))
    name = next((at for at, column in enumerate(columns) if header and is_index(column)), None)
    targets = _targets(path, columns, below, options, wanted, [at for at in range(len(columns)) if at != name])
    numeric = _number_columns(below, len(columns))
    numbers = tuple(at for at in numeric if at not in (*targets, name))
    if not numbers:
        raise ConfigError(f"{named(path)} has no columns of numbers beside its target. Pass the column with the label as `target`.")
    return _Layout(path, delimiter, tuple(rows[0]) if header else None, columns, numbers, targets, name, decimals)


def _targets(
    path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]], options: ReadingOptions, wanted: Target, free: Sequence[int]
) -> tuple[int, ...]:
    """The columns asked for or learnt from, or else the one with a usual name, or that has no numbers, or at the beginning or end those of few kinds."""
    asked = target_names(options.target, columns, wanted) or options.learnt_targets
    places = [columns.index(name) for name in asked if name in columns]
    if len(places) < len(asked) and options.labels_needed:
        listed = f"{columns[0]} to {columns[-1]}"
        raise ConfigError(f"{named(path)} has no column {asked[len(places)]!r}; its columns are {listed}. Pass one of them as `target`.")
    if asked:
        return tuple(places) if len(places) == len(asked) else ()
    usual = find_named(columns, TARGETS, free)
    others = [at for at in free if at not in _number_columns(rows, len(columns))]
    if usual is not None or len(others) == 1:
        return (others[0] if usual is None else usual,)
    if not options.labels_needed:
        return ()
    few = [at for at in (free[0], free[-1]) if _are_classes([row[at].strip() for row in rows])]
    if len(few) != 1:
        raise ConfigError(
            f"{named(path)}: which of the columns {columns[0]} to {columns[-1]} has the label is not clear. Pass it as `target`."
        )
    return (few[0],)


def _are_classes(cells: Sequence[str]) -> bool:
    """Whether cells are whole numbers of which some come again, as those of classes do."""
    return all(is_number(cell) and float(cell).is_integer() for cell in cells) and 2 * len({*cells}) <= max(len(cells), 4)


def _header(rows: Sequence[Sequence[str]], options: ReadingOptions) -> Sequence[str] | None:
    """The first row if it has names: if most of its cells are no numbers, or if they count."""
    if options.header is not None:
        return rows[0] if options.header else None
    numbers = [cell for cell in rows[0] if is_number(cell) or not cell.strip()]
    counted = _count_up([cell for cell in rows[0] if not _is_role(cell)]) and not _count_up(rows[1]) if len(rows) > 1 else False
    return rows[0] if 2 * len(numbers) < len(rows[0]) or counted else None


def _number_columns(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns that have nothing but numbers, or nothing, and some number."""
    found = []
    for at in range(width):
        cells = [cell for row in rows if (cell := row[at].strip().lower()) not in ("", "nan", "?")]
        if cells and all(map(is_number, cells)):
            found.append(at)
    return found


def _count_up(names: Sequence[str]) -> bool:
    """Whether names differ in a number at their ends alone, which grows."""
    found = [_COUNTED.fullmatch(name.strip()) for name in names]
    if len(found) < _LEAST or not all(found):
        return False
    numbers = [(len({part[1] for part in found if part}) == 1, int(part[2])) for part in found if part]
    stems = [re.sub(r"\d+", "0", name.strip()) for name in names]
    alike = len({*stems}) == 1
    return alike and (not numbers[0][0] or all(before < after for (_, before), (_, after) in pairwise(numbers)))


def _is_role(name: str) -> bool:
    """Whether a column of this name is none of numbers."""
    return name.strip().lower() in TARGETS or is_index(name.strip())
