"""Tables with a sequence a row: its text in one column, its label or its tags in another."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from unrolled.data.examples import Example, Prediction
from unrolled.data.formats.files import HEAD, look_ahead, open_rows
from unrolled.data.formats.guesses import event_flags, find_header, find_input, find_target, steps_are_characters
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError


@dataclass(frozen=True)
class _Layout:
    """How the table in a file is made up: the names of its columns, if it has them, and where input, target and a name for each row stand.

    `characters` says that each character of the input has a tag, and not each of its parts between blanks.
    """

    path: Path
    delimiter: str
    columns: tuple[str, ...] | None
    input: int
    target: int | None
    name: int | None
    characters: bool

    def example(self, line: int, row: list[str], options: ReadingOptions, tagged: bool) -> Example:
        """What a row says."""
        place = f"{self.path}, line {line}"
        text = row[self.input]
        if not text.strip():
            raise DataError(f"{place}: the input, {self._name(self.input)}, is empty. Fill it in, or take the row out.")
        target = None if self.target is None else row[self.target]
        record = {"row": row, "columns": self.columns, "delimiter": self.delimiter, "characters": self.characters}
        known = Example(place, text=text, name=None if self.name is None else row[self.name], record=record)
        # Nothing between separators says that no label holds; elsewhere an empty cell says nothing.
        if target is None or not (target or (options.separator and not tagged)):
            return known
        if not tagged:
            return replace(known, labels=split_labels(target, options.separator))
        tokens, tags = (tuple(cell if self.characters else cell.split()) for cell in (text, target))
        if len(tokens) != len(tags):
            if not options.labels_needed:
                return known
            raise DataError(
                f"{place}: a target must have as many tags as its input has {'characters' if self.characters else 'tokens'}, "
                f"{len(tokens)}, got {len(tags)}. Mend the row, or pass other columns as `--input` and `--target`."
            )
        return replace(known, tokens=tokens, tags=tags)

    def _name(self, column: int) -> str:
        return f"column {column if self.columns is None else repr(self.columns[column])}"


def split_labels(cell: str, separator: str | None) -> tuple[str, ...]:
    """The labels that a cell holds: one, or with a separator between them several, or none."""
    parts = [cell] if separator is None else cell.split(separator)
    return tuple(part.strip() for part in parts if part.strip())


class TextTable:
    """Delimited text, with or without a first row that names the columns.

    Columns are asked for by name, or by number from 0. A target is a label, several with a separator between them, or, when tagged, a
    string with as many characters as the input or as many parts between blanks.
    """

    def __init__(self, name: str, suffixes: tuple[str, ...], delimiter: str | None) -> None:
        self.name = name
        self.suffixes = suffixes
        self._delimiter = delimiter

    def read(self, paths: Sequence[Path], options: ReadingOptions, *, tagged: bool) -> Iterator[Example]:
        """The rows. A missing column is a `ConfigError`; an empty input, and tags of another length than the input, are a `DataError`."""
        for path in paths:
            with open_rows(path, options.encoding, self._delimiter) as (delimiter, rows):
                head, rows = look_ahead(rows, HEAD)
                if not head:
                    raise DataError(f"{path} has no rows. Pass a table that has some.")
                layout = _lay_out(path, delimiter, [row for _, row in head], options, tagged)
                if layout.columns is not None:
                    next(rows)
                for line, row in rows:
                    yield layout.example(line, row, options, tagged)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """The rows as they were, with the prediction and, for labels, their probabilities at the end."""
        begun = False
        for example, prediction in found:
            record = example.record
            cells = _cells(prediction, options.separator or ";", record["characters"])
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


def _cells(prediction: Prediction, separator: str, characters: bool) -> list[str]:
    """What a prediction adds to a row."""
    if prediction.tags is not None:
        compact = characters and all(len(tag) == 1 for tag in prediction.tags)
        return [("" if compact else " ").join(prediction.tags)]
    return [separator.join(prediction.labels or ()), separator.join(map("{:.4f}".format, prediction.probabilities))]


def _lay_out(path: Path, delimiter: str, head: list[list[str]], options: ReadingOptions, tagged: bool) -> _Layout:
    """The layout of a table, from its first rows."""
    asked = [name for name in (options.input, options.target) if name is not None]
    header = find_header(head, asked) if options.header is None else options.header
    columns = tuple(name.strip() for name in head[0]) if header else None
    rows, width = head[header:], len(head[0])
    target = _find(path, options.target, "--target", columns, width, options.labels_needed)
    place = _find(path, options.input, "--input", columns, width, True)
    if place is None:
        place = find_input(columns, rows, width, target)
    if place is None:
        row = "" if columns else f", and its first row begins with {rows[0][0][:20]!r}"
        cure = f"Pass one of {_listed(columns, width)} as `--input`.{_as_events(columns)}"
        raise ConfigError(f"{path}: which column has the sequences is not clear{row}. {cure}")
    if options.target is None:
        target = find_target(columns, width, place)
    characters = tagged and target is not None and steps_are_characters([(row[place], row[target]) for row in rows])
    name = next((at for at, column in enumerate(columns or ()) if column.lower() == "id" and at != place), None)
    return _Layout(path, delimiter, columns, place, target, name, characters)


def _find(path: Path, asked: str | None, flag: str, columns: tuple[str, ...] | None, width: int, needed: bool) -> int | None:
    """Where the column stands that was asked for by name or number; None if none was asked for, or if it is not there and not needed."""
    if asked is None:
        return None
    if columns is not None and asked in columns:
        return columns.index(asked)
    if asked.isdecimal() and int(asked) < width:
        return int(asked)
    if not needed:
        return None
    cure = "" if columns else " If its first line has the names of the columns, pass `--header`."
    what = f"columns {_listed(columns, width)}" if columns else f"no names of columns, and the columns {_listed(columns, width)}"
    raise ConfigError(f"{path} has no column {asked!r}; it has {what}. Pass one of them as `{flag}`.{cure}{_as_events(columns)}")


def _as_events(columns: tuple[str, ...] | None) -> str:
    """What one does with a table that seems to be an event log, as the end of a message."""
    flags = event_flags(columns or ())
    return f" If each row is an event of a case, pass `{flags}` instead." if flags else ""


def _listed(columns: tuple[str, ...] | None, width: int) -> str:
    return ", ".join(columns) if columns else f"0 to {width - 1}"
