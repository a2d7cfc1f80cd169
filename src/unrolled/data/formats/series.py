"""Series of numbers in a long table: a row for each time of each series, a column for each channel."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

import numpy as np

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.files import STANDARD_INPUT, named
from unrolled.data.formats.format import About
from unrolled.data.formats.grouped import Group, Labels, Roles, first_rows, gather, read_groups, unread, write_rows
from unrolled.data.formats.guesses import is_index
from unrolled.data.formats.indices import Indices
from unrolled.data.formats.numbers import complete, parse_number
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.rows import Table, open_table
from unrolled.data.formats.times import Sampling
from unrolled.errors import ConfigError, DataError


class LongSeries:
    """Long tables as CSV; an example is a series, its numbers `[T, C]` in order of time, or of the file where no time is named.

    Without `series` each file is one series. Without `channels` all columns are that have no other role, and that do not merely tell rows or
    series apart, as the index that pandas writes. An example has the names of its channels. The rows of a series may stand anywhere in its file, so that a file is held in memory.
    """

    name = "series"
    suffixes = ()
    about = About(
        "a long table of series, a row for each time, with `series` or `channels`",
        ("numbers", "labels", "tags", "values", "step values"),
        ("target", "separator", "series", "channels", "time", "day_first", "impute", "group", "labels"),
        "id,time,x,y,state\na,2024-05-31T12:00:00,0.1,9.8,walk\na,2024-05-31T12:00:01,0.3,9.7,walk\nb,2024-05-31T12:00:00,0.0,9.8,rest\n",
        {"series": "id", "time": "time", "target": "state"},
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The series, in the order of their first rows. Two rows of a series with one time are a `DataError`.

        Uneven steps of time are an `UnrolledWarning`.
        """
        sampling, options = Sampling(), options if options.channels else self.resolve(paths, options, wanted)
        return read_groups(
            paths,
            options,
            wanted,
            (options.series, "series"),
            lambda table, roles, labels: _series(table, roles, options, wanted, sampling, labels),
        )

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the channels, by which other files are read, and the columns of the first table that are not read."""
        if STANDARD_INPUT in paths:
            return options
        channels = options.channels or _measured(paths, options, wanted)

        def used(table: Table) -> list[int | None]:
            roles = Roles.find(table, (options.series, "series"), options, wanted)
            return [roles.key, roles.time, roles.group, *roles.targets, *(table.find(name, "channels") for name in channels)]

        return replace(unread(paths, options, used), channels=channels)

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The columns."""
        return first_rows(path, options.encoding)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The table as it was read, with the prediction for the series or the time at the end of each row."""
        write_rows(found, file, options)


def _series(
    table: Table, roles: Roles, options: ReadingOptions, wanted: Target, sampling: Sampling, labels: Labels
) -> Iterator[Example | DataError]:
    columns = _channels(table, roles, options)
    names = [table.columns[column] for column in columns]

    def example(group: Group) -> Example:
        _look_at_times(group, sampling)
        numbers = np.array(group.values, np.float32).reshape(-1, len(columns))[group.order]
        numbers = complete(numbers, group.place, names, impute=options.impute)
        return replace(group.example(options, wanted, numbers=numbers), channels=tuple(names))

    return tried(gather(table, roles, partial(array, "f"), partial(_parse, table, columns), labels), example)


def _channels(table: Table, roles: Roles, options: ReadingOptions) -> list[int]:
    """Where the channels stand: the columns named, or else all without another role but those that are indices by their names."""
    if options.channels:
        return [table.find(name, "channels") for name in options.channels]
    columns = [at for at, name in enumerate(table.header) if at not in roles.columns and not is_index(name.strip())]
    if not columns:
        raise ConfigError(
            f"{named(table.path)} has only the columns {', '.join(table.columns)}, none of them left for numbers. Pass `channels`."
        )
    return columns


def _measured(paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> tuple[str, ...]:
    """The names of the channels of some files: of the columns that may be some those that measure something, or all if none does."""
    with open_table(paths[0], options.encoding) as table:
        roles, names = Roles.find(table, (options.series, "series"), options, wanted), table.columns
        columns = _channels(table, roles, options)
    indices = Indices(columns)
    for path in paths:
        with open_table(path, options.encoding) as table:
            for number, (_, row) in enumerate(good(table.rows) if table.columns == names else ()):
                indices.look(path.stem if roles.key is None else row[roles.key].strip(), row, begins=not number)
    left = indices.found()
    return tuple(names[at] for at in columns if at not in left or left.issuperset(columns))


def _parse(table: Table, columns: Sequence[int], row: Sequence[str]) -> Iterator[float]:
    for column in columns:
        try:
            yield parse_number(table.decimals.plain(column, row[column]))
        except ValueError as error:
            raise ValueError(f"{table.columns[column]}: {error}; pass `channels` if this column is none") from None


def _look_at_times(group: Group, sampling: Sampling) -> None:
    """Refuse two rows of one time, and notice uneven steps."""
    times = np.array(group.times)[group.order] if group.times else np.zeros(0)
    twice = np.flatnonzero(np.diff(times) == 0)
    if len(twice):
        step = int(twice[0])
        raise DataError(
            f"{group.place(step + 1)}: {group.name!r} has a row with this time already, {group.place(step)}. "
            "Take one of them away, or name the column that tells them apart as `series`."
        )
    sampling.look(times, group.place(0))
