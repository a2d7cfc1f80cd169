"""Tables with a sequence a row: its text in one column, its label or its tags in another."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.added import AddedNames
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.files import HEAD, look_ahead, named
from unrolled.data.formats.format import About
from unrolled.data.formats.options import STEPS, ReadingOptions
from unrolled.data.formats.rows import Unquoted, open_rows, rows_below
from unrolled.data.formats.table_layouts import Layout, TableHead, divided
from unrolled.errors import DataError


def _divided_by(examples: Sequence[Example]) -> str | None:
    """What the steps of some rows are, as `ReadingOptions.steps` has it; None if they are neither characters nor parts."""
    ways = dict.fromkeys((*(example.origin[1].steps or "parts" for example in examples[:1]), *STEPS))
    return next((steps for steps in ways if all(_are(example, steps) for example in examples)), None)


def _are(example: Example, steps: str) -> bool:
    """Whether the tokens of an example are the steps of its text, in capitals or not."""
    found = divided(example.text or "", steps)
    return example.tokens is None or [*map(str.upper, example.tokens)] == [*map(str.upper, found)]


_SAMPLE = "review,stars,mood\nA slow film with a fine ending,4,good\nI left after ten minutes,1,bad\n"


FIELDS = ("text", "labels", "tags", "values", "step values", "texts")
"""What a sequence of a table may have."""

OWNED = ("input", "target", "header", "steps", "separator", "group")
"""The options that say something about tables."""


class TextTable:
    """Delimited text, with or without a first row that names the columns.

    Columns are asked for by name, or by number from 0. A target is a label, several with a separator between them, or, when steps are tagged, a
    string with as many characters as the input or as many parts between blanks.
    """

    def __init__(self, name: str, suffixes: tuple[str, ...], delimiter: str | None) -> None:
        self.name = name
        self.suffixes = suffixes
        self._delimiter = delimiter
        self.about = About(
            f"a table, a sequence a row, with {'tabs' if delimiter else 'commas'} between the columns",
            FIELDS,
            OWNED,
            _SAMPLE.replace(",", delimiter or ","),
            {"input": "review", "target": "mood"},
        )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The rows. A missing column is a `ConfigError`; an empty input, and tags of another length than the input, are bad rows.

        A table whose sequences or targets stand in columns of other names than those of the first one is a `DataError`, unless they were asked for.
        """
        before: Layout | None = None
        for path in paths:
            with open_rows(path, options.encoding, self._delimiter) as (delimiter, rows):
                head, rows = look_ahead(rows, HEAD)
                first = [row for _, row in good(head)]
                if not first and head:
                    yield from (item for item in rows if isinstance(item, DataError))
                    continue
                if not first:
                    raise DataError(f"{named(path)} has no rows. Pass a table that has some.")
                layout = TableHead(path, delimiter, first, options).lay_out(options, wanted)
                before = before or layout
                layout.require_columns_of(before, options)
                below = rows if layout.header is None else rows_below(path, rows)
                yield from tried(below, partial(layout.example, options, wanted))

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the first table, and what its tags belong to."""
        with open_rows(paths[0], options.encoding, self._delimiter) as (delimiter, rows):
            head = [row for _, row in good(islice(rows, HEAD))]
        if not head:
            return options
        layout = TableHead(paths[0], delimiter, head, options).lay_out(options, wanted)
        learnt = tuple(map(layout.name_of, (layout.input, *layout.targets))) if layout.targets else ()
        used = {layout.input, layout.name, layout.group, *layout.targets}
        left = tuple(layout.name_of(at) for at in range(len(head[0])) if at not in used) if learnt else ()
        return replace(options, learnt=learnt, left=left, steps=layout.steps)

    def head(self, path: Path, options: ReadingOptions) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """The columns, with a header or without."""
        with open_rows(path, options.encoding, self._delimiter) as (delimiter, rows):
            first = [row for _, row in good(islice(rows, HEAD))]
        if not first:
            return (), ()
        head = TableHead(path, delimiter, first, options)
        return head.columns or tuple(map(str, range(head.width))), head.rows

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The rows as they were, with the prediction and, for labels and numbers, what else is known of it at the end.

        Where steps are neither the characters of a text nor its parts between blanks, they stand before what is said of them, in the column
        `tokens`.
        """
        first, found = look_ahead(found, HEAD)
        steps = _divided_by([example for example, _ in first])
        begun = False
        for example, prediction in found:
            row, layout = example.origin
            names: tuple[str, ...] = prediction.columns
            cells: tuple[str, ...] = prediction.cells(options.between) if not prediction.each_step else ()
            if prediction.each_step:
                columns = [_joined(column, steps) for column in zip(*prediction.step_cells(","), strict=True)]
                cells = tuple(columns if prediction.tags is None else columns[:1])
                if steps is None:
                    names, cells = ("tokens", *names), (" ".join(example.tokens or ()), *cells)
            rows = [[*row, *cells]]
            if not begun and layout.header is not None:
                own = AddedNames().beside(layout.header, names, named(layout.path))
                rows.insert(0, [*layout.header, *own][: len(rows[0])])
            begun = True
            _write(rows, file, layout.delimiter)


def _write(rows: list[list[str]], file: TextIO, delimiter: str) -> None:
    """Rows with double quotes around the cells that need them; between tabs those do not that have quotes alone and had none around them."""
    if delimiter == "\t" and not any(mark in cell for row in rows for cell in row for mark in "\t\r\n"):
        file.writelines("\t".join(map(_requoted, row)) + "\n" for row in rows)
    else:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)


def _requoted(cell: str) -> str:
    """A cell as it stood between tabs."""
    return '"' + cell.replace('"', '""') + '"' if isinstance(cell, Unquoted) else cell


def _joined(tags: Sequence[str], steps: str | None) -> str:
    """Tags in one cell: without blanks if they belong to characters and are single ones themselves."""
    return ("" if steps == "characters" and all(len(tag) == 1 for tag in tags) else " ").join(tags)
