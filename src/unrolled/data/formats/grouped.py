"""Tables in which many rows make one sequence: those with the same name in one column, in the order of another."""

import csv
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, repeat
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.added import AddedNames
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.files import HEAD, STANDARD_INPUT, named
from unrolled.data.formats.label_files import read_labels
from unrolled.data.formats.numbers import parse_targets
from unrolled.data.formats.options import ReadingOptions, require_apart, target_names
from unrolled.data.formats.rows import Row, Table, open_table
from unrolled.data.formats.table_layouts import split_labels
from unrolled.data.formats.times import Times
from unrolled.errors import ConfigError, DataError


@dataclass
class Group:
    """The rows of one name: the `lines` on which they stand, what they hold, and, if those columns are there, times and targets.

    All are in the order of the file; a step counts in order of time. `kept` is the table itself if it cannot be read twice.
    """

    name: str
    path: Path
    values: MutableSequence[Any]
    lines: MutableSequence[int] = field(default_factory=lambda: array("q"))
    times: MutableSequence[float] = field(default_factory=lambda: array("d"))
    targets: list[tuple[str, ...]] = field(default_factory=list)
    kept: "Kept | None" = None
    group: str | None = None

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """The row of each step: in order of time, and of the file where times are equal or not there."""
        return np.argsort(self.times, kind="stable") if self.times else np.arange(len(self.lines))

    def add(self, line: int, values: Iterable[Any], time: float | None, targets: tuple[str, ...]) -> None:
        """Add a row: what it holds, its time and its targets, if it has them."""
        self.lines.append(line)
        self.values.extend(values)
        if time is not None:
            self.times.append(time)
        if targets:
            self.targets.append(targets)

    def place(self, step: int) -> str:
        """Where the row of a step stands."""
        return f"{named(self.path)}, line {self.lines[self.order[step]]}"

    def example(
        self, options: ReadingOptions, wanted: Target, *, tokens: tuple[str, ...] | None = None, numbers: NDArray[np.float32] | None = None
    ) -> Example:
        """The example with these steps.

        If labels are needed, targets that contradict each other or are missing are a `DataError`.
        """
        targets = tuple(self.targets[row] for row in self.order) if any(map(any, self.targets)) else None
        if targets and (problem := self._problem(targets, wanted)):
            if options.labels_needed:
                raise DataError(problem)
            targets = None
        known = Example(
            self.place(0),
            tokens=tokens,
            numbers=numbers,
            name=self.name,
            group=self.group,
            begin=self.times[self.order[0]] if self.times else math.nan,
            path=self.path,
            lines=array("q", (self.lines[row] for row in self.order)),
            origin=self.kept,
        )
        if not targets:
            return known
        if wanted.numbers:
            try:
                values = parse_targets(targets if wanted.each_step else targets[:1], self.place)
            except DataError:
                if options.labels_needed:
                    raise
                return known
            return replace(known, values=values if wanted.each_step else values[0])
        if wanted.each_step:
            return replace(known, tags=tuple(cells[0] for cells in targets))
        return replace(known, labels=split_labels(targets[0][0], options.separator))

    def _problem(self, targets: Sequence[tuple[str, ...]], wanted: Target) -> str | None:
        """What is wrong with the targets of the steps, if anything is."""
        for step, target in enumerate(targets):
            if not all(target):
                told = f"the target is missing, which other rows of {self.name!r} have. Fill it in, or leave all of them out."
            elif not wanted.each_step and target != targets[0]:
                told = (
                    f"{self.name!r} has the target {_shown(target)} here and {_shown(targets[0])} before. "
                    f"Give all its rows one {wanted.said}, or one to each step: {'pass `each_step=True`' if wanted.numbers else 'tag them'}."
                )
            else:
                continue
            return f"{self.place(step)}: {told}"
        return None


@dataclass(frozen=True)
class Roles:
    """Where the columns stand that say to whom a row belongs, when it was, and what is to be said of it; None for one that is not named.

    `partial` says that some of the targets are not there, so that those which are say nothing; `group` is where the groups of sequences stand, `day_first` how dates are written,
    and `numbers` says that targets are such.
    """

    key: int | None
    time: int | None
    targets: tuple[int, ...]
    partial: bool = False
    group: int | None = None
    day_first: bool | None = None
    numbers: bool = False

    @classmethod
    def find(cls, table: Table, key: tuple[str | None, str], options: ReadingOptions, wanted: Target) -> "Roles":
        """The places of the columns in a table; `key` is the name and the option of the first one. A target may be missing if none is needed."""
        names = target_names(options.target, table.columns, wanted) if options.labels is None else ()
        targets = [name for name in names if options.labels_needed or name in table.columns]
        by_key, time = [None if name is None else table.find(name, option) for name, option in (key, (options.time, "time"))]
        group = None
        if options.group is not None and (options.group_needed or options.group in table.columns):
            group = table.find(options.group, "group")
            require_apart(named(table.path), options.group, (), targets if options.group_needed else ())
        return cls(
            by_key,
            time,
            tuple(table.find(name, "target") for name in targets),
            len(targets) < len(names),
            group,
            options.day_first,
            wanted.numbers,
        )

    @property
    def columns(self) -> tuple[int | None, ...]:
        """All of them."""
        return (self.key, self.time, self.group, *self.targets)

    def group_of(self, row: Sequence[str]) -> str | None:
        """The group that a row names, if it names one."""
        return None if self.group is None else row[self.group].strip() or None


@dataclass
class Kept:
    """A table that came from the standard input, row by row with the numbers of its lines."""

    delimiter: str
    header: tuple[str, ...]
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


Take = Callable[[list[str]], Iterable[Any]]
"""What a row adds to the values of its group. Its `ValueError` is told with file and line."""


Labels = Mapping[str, tuple[str, ...]] | None
"""The targets of groups by their names, where these stand in a table of their own."""


def gather(
    table: Table, roles: Roles, empty: Callable[[], MutableSequence[Any]], take: Take, labels: Labels
) -> Iterator[Group | DataError]:
    """The rows of a table by their key, in the order in which the keys first come; all are one group, named as the file, without a key.

    `empty()` makes what holds the values of a group. A row without key or time is bad, and comes first. `labels` are those of groups that stand
    elsewhere.
    """
    groups: dict[str, Group] = {}
    times = Times(roles.day_first)
    kept = Kept(table.delimiter, table.header) if table.path == STANDARD_INPUT else None

    def add(numbered: Row) -> Group:
        line, row = numbered
        name = table.path.stem if roles.key is None else row[roles.key].strip()
        if not name:
            raise DataError(
                f"{named(table.path)}, line {line}, {table.columns[roles.key or 0]}: the cell is empty. Say to which sequence the row belongs."
            )
        group = groups.get(name) or Group(name, table.path, empty(), kept=kept, group=roles.group_of(row))
        if group.group != roles.group_of(row):
            told = f"{name!r} is of the group {roles.group_of(row)!r} here and of {group.group!r} before"
            raise DataError(f"{named(table.path)}, line {line}: {told}. Give all its rows one group.")
        try:
            values, time = [*take(row)], None if roles.time is None else times.read(row[roles.time])
        except ValueError as error:
            raise DataError(f"{named(table.path)}, line {line}: {error}. Mend the cell, or take the row out.") from None
        if kept:
            kept.rows.append(numbered)
        targets = [table.decimals.plain(target, row[target]) if roles.numbers else row[target] for target in roles.targets]
        group.add(line, values, time, tuple(map(str.strip, targets)) if not roles.partial else ())
        groups[name] = group
        return group

    yield from (bad for bad in tried(table.rows, add) if isinstance(bad, DataError))
    for group in groups.values():
        if labels is not None and group.name in labels:
            group.targets = [labels[group.name]] * len(group.lines)
        yield group


def read_groups(
    paths: Sequence[Path],
    options: ReadingOptions,
    wanted: Target,
    key: tuple[str | None, str],
    read: Callable[[Table, Roles, Labels], Iterator[Example | DataError]],
) -> Iterator[Example | DataError]:
    """The examples that `read` makes of each table and of labels that stand elsewhere. One whose name comes in two files is bad."""
    seen: dict[str, str] = {}
    labels = read_labels(key[0], options) if options.labels and options.labels_needed else None
    if labels is not None and wanted.each_step:
        raise ConfigError("`labels` names a table with a label for each series, and here each step has one. Leave it out, or classify.")

    def new(example: Example) -> Example:
        name = example.name or ""
        if name in seen:
            raise DataError(f"{example.place}: {name!r} has come before, {seen[name]}. Put its rows into one file, or name it otherwise.")
        seen[name] = example.place
        if labels is not None and not any(labels.get(name, ())):
            raise DataError(f"{example.place}: {options.labels} has no label for {name!r}. Add one, or take it out here.")
        return example

    for path in paths:
        with open_table(path, options.encoding) as table:
            yield from tried(read(table, Roles.find(table, key, options, wanted), labels), new)


def unread(paths: Sequence[Path], options: ReadingOptions, find: Callable[[Table], Iterable[int | None]]) -> ReadingOptions:
    """The options with the columns of the first table that have no part in its examples: all but those that are found."""
    if paths[0] == STANDARD_INPUT:
        return options
    with open_table(paths[0], options.encoding) as table:
        used = {*find(table)}
        return replace(options, left=tuple(name for at, name in enumerate(table.columns) if at not in used))


def first_rows(path: Path, encoding: str) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """The names of the columns of a table, and its first rows."""
    with open_table(path, encoding) as table:
        return table.columns, [row for _, row in good(islice(table.rows, HEAD))]


def write_rows(found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
    """The tables that examples came from, row by row as they were, with what is predicted for each at the end."""
    predicted: dict[Path, dict[int, tuple[str, ...]]] = {}
    kept: Kept | None = None
    names: tuple[str, ...] = ()
    for example, prediction in found:
        assert example.path is not None and example.lines is not None
        kept, names = example.origin, prediction.columns
        each = prediction.step_cells(options.between) if prediction.each_step else repeat(prediction.cells(options.between))
        predicted.setdefault(example.path, {}).update(zip(example.lines, each, strict=False))
    for number, (path, cells_of) in enumerate(predicted.items()):
        with nullcontext(kept) if kept else open_table(path, options.encoding) as table:
            writer = csv.writer(file, delimiter=table.delimiter, lineterminator="\n")
            if not number:
                writer.writerow([*table.header, *AddedNames().beside(table.header, names, named(path))])
            writer.writerows([*row, *cells_of[line]] for line, row in good(table.rows) if line in cells_of)


def _shown(target: Sequence[str]) -> str:
    return ", ".join(map(repr, target))
