"""Event logs: tables with a row for each event, which says to which case it belongs, what happened, and when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from sys import intern
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.format import About
from unrolled.data.formats.grouped import Group, Labels, Roles, first_rows, gather, read_groups, unread, write_rows
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.rows import Table
from unrolled.data.formats.sheets.xes import ACTIVITY, CASE, TIME
from unrolled.errors import ConfigError, DataError


class EventLog:
    """Event logs as CSV; an example is a case, its tokens the activities in order of time, or of the file where times are equal or not said.

    With a column of times `numbers` is `[T, 2]`: log(1 + seconds since the event before) and log(1 + seconds since the first).
    The rows of a case may stand anywhere in its file, so that a file is held in memory; equal rows are events that happened twice.
    """

    name = "events"
    suffixes: tuple[str, ...] = ()
    about = About(
        "an event log, a row for each event, with `case` and `activity`",
        ("tokens", "numbers", "labels", "tags", "values", "step values"),
        ("target", "separator", "case", "activity", "time", "day_first", "group", "labels"),
        "CaseID,ActivityID,Time,Outcome\nc1,open,0,paid\nc1,close,60,paid\nc2,open,30,lost\n",
        {"case": "CaseID", "activity": "ActivityID", "time": "Time", "target": "Outcome"},
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The cases, in the order of their first rows. Cells without case, activity or time are a `DataError`."""
        for option, name in (("case", options.case), ("activity", options.activity)):
            if name is None:
                raise ConfigError(
                    f"An event log needs `{option}`, the name of the column with the {option}. Pass one of the file's columns."
                )
        return read_groups(
            paths, options, wanted, (options.case, "case"), lambda table, roles, labels: _cases(table, roles, options, wanted, labels)
        )

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the first log that are not read."""

        def used(table: Table) -> list[int | None]:
            roles = Roles.find(table, (options.case, "case"), options, wanted)
            return [*roles.columns, table.find(options.activity or "", "activity")]

        return unread(paths, options, used)

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The columns."""
        return first_rows(path, options.encoding)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The log as it was read, with the prediction for the case or the event at the end of each row."""
        write_rows(found, file, options)


class Xes(EventLog):
    """XES, the event logs of process mining: cases, activities and times stand in columns whose names are those of pm4py, if no others are asked for."""

    name = "xes"
    suffixes: tuple[str, ...] = (".xes",)
    about = About(
        "XES, an event log of process mining, whose columns need not be named",
        EventLog.about.gives,
        EventLog.about.options,
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The cases."""
        return super().read(paths, of_xes(options), wanted)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns, and those that are not read."""
        return super().resolve(paths, of_xes(options), wanted)


def of_xes(options: ReadingOptions) -> ReadingOptions:
    """The options with the usual columns where none are named."""
    if options.case or options.activity:
        return options
    return replace(options, case=CASE, activity=ACTIVITY, time=TIME)


def _cases(table: Table, roles: Roles, options: ReadingOptions, wanted: Target, labels: Labels) -> Iterator[Example | DataError]:
    column = table.find(options.activity or "", "activity")

    def take(row: list[str]) -> list[str]:
        if not (activity := row[column].strip()):
            raise ValueError(f"the cell of {options.activity} is empty; each event needs an activity")
        return [intern(activity)]

    def example(group: Group) -> Example:
        tokens = tuple(group.values[row] for row in group.order)
        return group.example(options, wanted, tokens=tokens, numbers=_elapsed(group) if group.times else None)

    return tried(gather(table, roles, list, take, labels), example)


def _elapsed(group: Group) -> NDArray[np.float32]:
    """Time since the event before and since the first, `[T, 2]`."""
    times = np.array(group.times)[group.order]
    since = np.stack([np.diff(times, prepend=times[0]), times - times[0]], axis=1)
    return np.log1p(since).astype(np.float32)
