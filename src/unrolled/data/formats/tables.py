"""Tables with a sequence a row: its text in one column, its label or its tags in another."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TextIO

from unrolled.data.examples import Example, Prediction
from unrolled.data.formats.files import HEAD, look_ahead, named, open_rows
from unrolled.data.formats.format import About
from unrolled.data.formats.guesses import event_flags, find_header, find_input, find_target, steps_are_characters
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError


@dataclass(frozen=True)
class _Layout:
    """How the table in a file is made up: the names of its columns, if it has them, and where input, target and a name for each row stand.

    `steps` says what tags belong to, as `ReadingOptions` have it; None if that is not known.
    """

    path: Path
    delimiter: str
    columns: tuple[str, ...] | None
    input: int
    target: int | None
    name: int | None
    steps: str | None

    def example(self, line: int, row: list[str], options: ReadingOptions, tagged: bool) -> Example:
        """What a row says."""
        place = f"{named(self.path)}, line {line}"
        text = row[self.input]
        if not text.strip():
            raise DataError(f"{place}: the input, {self._named(self.input)}, is empty. Fill it in, or take the row out.")
        target = None if self.target is None else row[self.target]
        record = {"row": row, "columns": self.columns, "delimiter": self.delimiter, "steps": self.steps}
        if self.target is not None:
            record["target"] = self._named(self.target)
        known = Example(place, text=text, name=None if self.name is None else row[self.name], record=record)
        # Nothing between separators says that no label holds; elsewhere an empty cell says nothing.
        if target is None or not (target or (options.separator and not tagged)):
            return known
        if not tagged:
            return replace(known, labels=split_labels(target, options.separator))
        return self._tagged(known, text, target, options.labels_needed)

    def _tagged(self, known: Example, text: str, target: str, needed: bool) -> Example:
        """With the steps that the tags of a row show, or as it is if tags are not `needed` and do not fit."""
        characters = self.steps == "characters"
        tokens, tags = (tuple(cell if characters else cell.split()) for cell in (text, target))
        if self.steps is not None and len(tokens) == len(tags):
            return replace(known, tokens=tokens, tags=tags)
        if not needed:
            return known
        raise DataError(
            f"{known.place}: a target must have as many tags as its input has {'characters' if characters else 'tokens'}, "
            f"{len(tokens)}, got {len(tags)}. Mend the row, or pass other columns as `--input` and `--target`."
        )

    def name_of(self, column: int | None) -> str:
        """What a column is called, or its number; nothing for none."""
        return "" if column is None else str(column) if self.columns is None else self.columns[column]

    def _named(self, column: int) -> str:
        return f"column {column if self.columns is None else repr(self.columns[column])}"


def split_labels(cell: str, separator: str | None) -> tuple[str, ...]:
    """The labels that a cell holds: one, or with a separator between them several, or none."""
    parts = [cell] if separator is None else cell.split(separator)
    return tuple(part.strip() for part in parts if part.strip())


_SAMPLE = "review,stars,mood\nA slow film with a fine ending,4,good\nI left after ten minutes,1,bad\n"


class TextTable:
    """Delimited text, with or without a first row that names the columns.

    Columns are asked for by name, or by number from 0. A target is a label, several with a separator between them, or, when tagged, a
    string with as many characters as the input or as many parts between blanks.
    """

    def __init__(self, name: str, suffixes: tuple[str, ...], delimiter: str | None) -> None:
        self.name = name
        self.suffixes = suffixes
        self._delimiter = delimiter
        self.about = About(
            f"a table, a sequence a row, with {'tabs' if delimiter else 'commas'} between the columns",
            ("text", "labels", "tags"),
            ("input", "target", "header", "steps", "separator"),
            _SAMPLE.replace(",", delimiter or ","),
            {"input": "review", "target": "mood"},
        )

    def read(self, paths: Sequence[Path], options: ReadingOptions, *, tagged: bool) -> Iterator[Example]:
        """The rows. A missing column is a `ConfigError`; an empty input, and tags of another length than the input, are a `DataError`."""
        for path in paths:
            with open_rows(path, options.encoding, self._delimiter) as (delimiter, rows):
                head, rows = look_ahead(rows, HEAD)
                if not head:
                    raise DataError(f"{named(path)} has no rows. Pass a table that has some.")
                layout = _Head(path, delimiter, [row for _, row in head], options).lay_out(options, tagged)
                if layout.columns is not None:
                    next(rows)
                for line, row in rows:
                    yield layout.example(line, row, options, tagged)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, *, tagged: bool) -> ReadingOptions:
        """With the columns of the first table, and what its tags belong to."""
        with open_rows(paths[0], options.encoding, self._delimiter) as (delimiter, rows):
            head = [row for _, row in islice(rows, HEAD)]
        if not head:
            return options
        layout = _Head(paths[0], delimiter, head, options).lay_out(options, tagged)
        learnt = () if layout.target is None else (layout.name_of(layout.input), layout.name_of(layout.target))
        return replace(options, learnt=learnt, steps=layout.steps)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The rows as they were, with the prediction and, for labels, their probabilities at the end."""
        begun = False
        for example, prediction in found:
            record = example.record
            cells = prediction.cells(options.between) if prediction.tags is None else (_joined(prediction.tags, record["steps"]),)
            rows = [[*record["row"], *cells]]
            if not begun and record["columns"] is not None:
                rows.insert(0, [*record["columns"], "predicted", "probability"][: len(rows[0])])
            begun = True
            _write(rows, file, record["delimiter"])


def _write(rows: list[list[str]], file: TextIO, delimiter: str) -> None:
    """Rows with double quotes around the cells that need them; between tabs those do not that have quotes alone."""
    if delimiter == "\t" and not any(mark in cell for row in rows for cell in row for mark in "\t\r\n"):
        file.writelines("\t".join(row) + "\n" for row in rows)
    else:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)


def _joined(tags: Sequence[str], steps: str | None) -> str:
    """Tags in one cell: without blanks if they belong to characters and are single ones themselves."""
    return ("" if steps == "characters" and all(len(tag) == 1 for tag in tags) else " ").join(tags)


class _Head:
    """The first rows of a table, from which its layout is found out: the columns that were asked for or learnt from, or else guesses."""

    def __init__(self, path: Path, delimiter: str, rows: list[list[str]], options: ReadingOptions) -> None:
        asked = [name for name in (options.input, options.target, *options.learnt) if name is not None]
        header = find_header(rows, asked) if options.header is None else options.header
        self.path, self.delimiter, self.width = path, delimiter, len(rows[0])
        self.columns = tuple(name.strip() for name in rows[0]) if header else None
        self.rows = rows[header:]

    def lay_out(self, options: ReadingOptions, tagged: bool) -> _Layout:
        """The layout of the table. `ConfigError` for a column that is not there, and if it is not clear which one has the sequences."""
        asked = self._find(options.target, "--target", options.labels_needed)
        place = self._input(options, asked)
        target = asked if options.target is not None else self._target(options, place)
        steps = (options.steps or self._steps(options, place, target)) if tagged else None
        name = next((at for at, column in enumerate(self.columns or ()) if column.lower() == "id" and at != place), None)
        return _Layout(self.path, self.delimiter, self.columns, place, target, name, steps)

    def _input(self, options: ReadingOptions, target: int | None) -> int:
        """What was asked for, or else learnt from, or may be it beside the `target` that was asked for."""
        asked = self._find(options.input, "--input", True)
        if asked is not None:
            return asked
        learnt = self._at(options.learnt[0]) if options.learnt and self.columns else None
        place = find_input(self.columns, self.rows, self.width, target) if learnt in (None, target) else learnt
        if place is None:
            row = "" if self.columns else f", and its first row begins with {self.rows[0][0][:20]!r}"
            cure = f"Pass one of {self._listed()} as `--input`.{_as_events(self.columns)}"
            raise ConfigError(f"{named(self.path)}: which column has the sequences is not clear{row}. {cure}")
        return place

    def _target(self, options: ReadingOptions, place: int) -> int | None:
        """What was learnt from; in files to learn from and to measure on also what may be it."""
        learnt = None if options.learnt_target is None else self._at(options.learnt_target)
        if learnt is not None and learnt != place:
            return learnt
        any_name = not (options.learnt and self.columns)
        return find_target(self.columns, self.width, place, any_name=any_name) if options.labels_needed else None

    def _steps(self, options: ReadingOptions, place: int, target: int | None) -> str | None:
        """What tags belong to, as the rows show it; nothing is found out from a file that is only to be labelled."""
        if target is None or not options.labels_needed:
            return None
        return "characters" if steps_are_characters([(row[place], row[target]) for row in self.rows]) else "parts"

    def _at(self, name: str) -> int | None:
        """Where a column stands: by its name, or in a table without names by its number."""
        if self.columns is not None:
            return self.columns.index(name) if name in self.columns else None
        return int(name) if name.isdecimal() and int(name) < self.width else None

    def _find(self, asked: str | None, flag: str, needed: bool) -> int | None:
        """Where the column stands that was asked for by name or number; None if none was asked for, or if it is not there and not needed."""
        if asked is None:
            return None
        place = self._at(asked)
        if place is not None or (asked.isdecimal() and int(asked) < self.width):
            return int(asked) if place is None else place
        if not needed:
            return None
        names = self.columns
        cure = "" if names else " If its first line has the names of the columns, pass `--header`."
        what = f"columns {self._listed()}" if names else f"no names of columns, and the columns {self._listed()}"
        raise ConfigError(
            f"{named(self.path)} has no column {asked!r}; it has {what}. Pass one of them as `{flag}`.{cure}{_as_events(names)}"
        )

    def _listed(self) -> str:
        return ", ".join(self.columns) if self.columns else f"0 to {self.width - 1}"


def _as_events(columns: tuple[str, ...] | None) -> str:
    """What one does with a table that seems to be an event log, as the end of a message."""
    flags = event_flags(columns or ())
    return f" If each row is an event of a case, pass `{flags}` instead." if flags else ""
