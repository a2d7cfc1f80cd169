"""How a table is made up: its header, and the columns that were asked for, or learnt from, or that its first rows show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from unrolled.data.examples import Example, Target
from unrolled.data.formats.decimals import Decimals
from unrolled.data.formats.files import named
from unrolled.data.formats.guesses import (
    INPUTS,
    column_names,
    event_options,
    find_free,
    find_header,
    find_input,
    find_target,
    steps_are_characters,
)
from unrolled.data.formats.numbers import parse_targets
from unrolled.data.formats.options import ReadingOptions, require_apart, target_names
from unrolled.data.formats.rows import Row
from unrolled.data.numerals import is_number
from unrolled.errors import ConfigError, DataError


@dataclass(frozen=True)
class Layout:
    """How the table in a file is made up: its header and the names of its columns, if it has them, and where input, targets and a name for each row stand.

    `steps` says what tags belong to, as `ReadingOptions` have it; None if that is not known.
    """

    path: Path
    delimiter: str
    header: tuple[str, ...] | None
    columns: tuple[str, ...] | None
    input: int
    targets: tuple[int, ...]
    name: int | None
    steps: str | None
    decimals: Decimals
    group: int | None = None

    def example(self, options: ReadingOptions, wanted: Target, numbered: Row) -> Example:
        """What a row says."""
        line, row = numbered
        place = f"{named(self.path)}, line {line}"
        text = row[self.input]
        if not text.strip():
            raise DataError(f"{place}: the input, {self._named(self.input)}, is empty. Fill it in, or take the row out.")
        cells = [self.decimals.plain(column, row[column]) if wanted.numbers else row[column] for column in self.targets]
        known = Example(
            place,
            text=text,
            name=None if self.name is None else row[self.name],
            group=None if self.group is None else row[self.group].strip() or None,
            target=", ".join(map(self._named, self.targets)) or None,
            origin=(row, self),
        )
        # Nothing between separators says that no label holds; elsewhere an empty cell says nothing.
        if not cells or not (all(cells) or (options.separator and not wanted.each_step)):
            return known
        if wanted.each_step:
            return self._tagged(known, text, cells, options.labels_needed, "numbers" if wanted.numbers else "tags")
        return replace(known, labels=tuple(cells) if wanted.numbers else split_labels(cells[0], options.separator))

    def _tagged(self, known: Example, text: str, targets: Sequence[str], needed: bool, unit: str) -> Example:
        """With the steps that the tags of a row show, or as it is if tags are not `needed` and do not fit. Several targets are numbers."""
        characters = self.steps == "characters"
        tokens = divided(text, self.steps)
        columns = [tuple(cell if characters and len(cell) == len(text) else cell.split()) for cell in targets]
        tags = next((column for column in columns if len(column) != len(tokens)), columns[0])
        if self.steps is not None and len(tokens) == len(tags):
            try:
                values = parse_targets([*zip(*columns, strict=True)], known.step_place) if len(columns) > 1 else None
            except DataError:
                if needed:
                    raise
                return known
            return replace(known, tokens=tokens, tags=tags if values is None else None, values=values)
        if not needed:
            return known
        raise DataError(
            f"{known.place}: a target must have as many {unit} as its input has {'characters' if characters else 'tokens'}, "
            f"{len(tokens)}, got {len(tags)}. Mend the row, or pass other columns as `input` and `target`."
        )

    def name_of(self, column: int) -> str:
        """What a column is called, or its number."""
        return str(column) if self.columns is None else self.columns[column]

    def require_columns_of(self, first: "Layout", options: ReadingOptions) -> None:
        """`DataError` if input or targets, as far as they were not asked for, have other names here than in the first table."""
        if self.columns is None or first.columns is None:
            return
        asked = ((options.input, "input", (self.input,), (first.input,)), (options.target, "target", self.targets, first.targets))
        for given, option, here, before in asked:
            names, others = [self.columns[at] for at in here], [first.columns[at] for at in before]
            if given is not None or [*map(str.lower, names)] == [*map(str.lower, others)]:
                continue
            if option == "target" and not options.labels_needed:
                continue
            raise differing(self.path, first.path, option, names, others, f"; the columns are {', '.join(self.columns)}")

    def _named(self, column: int) -> str:
        return f"column {column if self.columns is None else repr(self.columns[column])}"


def differing(path: Path, first: Path, option: str, here: Sequence[str], before: Sequence[str], listed: str = "") -> DataError:
    """What is wrong with a table that has its input or targets in other columns than the first one."""
    found = ", ".join(map(repr, here)) or "nothing"
    told = f"{named(first)} has the {option} in {', '.join(map(repr, before)) or 'no column'}, and here it would be {found}{listed}"
    cure = f"Give the column one name in all tables, read them one by one, or pass one that all have as `{option}`."
    return DataError(f"{named(path)}: {told}. {cure}")


def divided(text: str, steps: str | None) -> tuple[str, ...]:
    """The steps of a text: its characters, or its parts between blanks."""
    return tuple(text if steps == "characters" else text.split())


def split_labels(cell: str, separator: str | None) -> tuple[str, ...]:
    """The labels that a cell holds: one, or with a separator between them several, or none."""
    parts = [cell] if separator is None else cell.split(separator)
    return tuple(part.strip() for part in parts if part.strip())


class TableHead:
    """The first rows of a table, from which its layout is found out: the columns that were asked for or learnt from, or else guesses."""

    def __init__(self, path: Path, delimiter: str, rows: list[list[str]], options: ReadingOptions) -> None:
        target = options.target or ""
        asked = [name for name in (options.input, options.group, target, *map(str.strip, target.split(",")), *options.learnt) if name]
        self.decimals = Decimals(path, delimiter, rows[0], rows[1:])
        plain = self.decimals.guessed(rows)
        header = find_header(plain, asked) if options.header is None else options.header
        self.path, self.delimiter, self.width = path, delimiter, len(rows[0])
        self.header = tuple(rows[0]) if header else None
        self.columns = column_names(rows[0]) if header else None
        self.rows = rows[header:]
        self.free = find_free(self.header, self.rows, self.width)

    def lay_out(self, options: ReadingOptions, wanted: Target) -> Layout:
        """The layout of the table. `ConfigError` for a column that is not there, and if it is not clear which one has the sequences."""
        names = target_names(options.target, self.columns or (), wanted)
        asked = [place for name in names if (place := self._find(name, "target", options.labels_needed)) is not None]
        group = self._find(options.group, "group", options.group_needed)
        taken = () if group is None else (group,)
        if group is not None and options.group_needed:
            self._require_apart(group, asked, options)
        place = self._input(options, (*asked, *taken), wanted)
        guess = self._target(options, (place, *taken)) if options.target is None else ()
        targets = guess if options.target is None else tuple(asked) if len(asked) == len(names) else ()
        steps = (options.steps or self._steps(options, place, targets[0] if targets else None)) if wanted.each_step else None
        name = next((at for at, column in enumerate(self.columns or ()) if column.lower() == "id" and at != place), None)
        return Layout(self.path, self.delimiter, self.header, self.columns, place, targets, name, steps, self.decimals, group)

    def _input(self, options: ReadingOptions, taken: Sequence[int], wanted: Target) -> int:
        """What was asked for, or else the tokens if there are tags for them, what was learnt from, or may be it beside what is `taken`."""
        asked = self._find(options.input, "input", True)
        if asked is None and wanted.each_step and options.labels_needed and (cut := self._at("tokens")) not in (None, *taken):
            asked = cut
        if asked is not None:
            return asked
        free = [at for at in self.free if at not in taken]
        # Without names, columns have other numbers in a table that lacks the labels; one of three columns or more does not seem to lack them.
        learnt = self._at(options.learnt[0]) if options.learnt and (self.columns or len(free) > 2) else None
        place = find_input(self.columns, self.rows, free) if learnt in (None, *taken) else learnt
        if place is None:
            row = "" if self.columns else f", and its first row begins with {self.rows[0][0][:20]!r}"
            cure = f"Pass one of {self._listed()} as `input`.{_as_events(self.columns)}"
            if any(is_number(cell) for row in self.decimals.guessed(self.rows) for cell in row):
                cure += " If each row is a step of a series of numbers, name its columns as `channels`, and the one with the names of series as `series`."
            raise ConfigError(f"{named(self.path)}: which column has the sequences is not clear{row}. {cure}")
        if wanted.each_step and options.labels_needed:
            self._require_sequences(place, taken, options)
        return place

    def _require_apart(self, group: int, targets: Sequence[int], options: ReadingOptions) -> None:
        """`ConfigError` if the column with groups is asked for as another one, too, or would by its name be the one with sequences."""
        inputs = [self._find(options.input, "input", True)]
        if options.input is None and self.columns and self.columns[group].lower() in INPUTS:
            inputs = [find_input(self.columns, self.rows, [at for at in self.free if at not in targets])]
        require_apart(
            named(self.path),
            str(group) if self.columns is None else self.columns[group],
            [str(at) if self.columns is None else self.columns[at] for at in inputs if at is not None],
            [str(at) if self.columns is None else self.columns[at] for at in targets],
        )

    def _require_sequences(self, place: int, taken: Sequence[int], options: ReadingOptions) -> None:
        """`ConfigError` if most rows say the same in a column as the row before, or nothing: then each is a token of a sequence named there."""
        cells = [row[place].strip() for row in self.rows]
        same = sum(cell in ("", before) for before, cell in pairwise(cells))
        if self.columns is None or 2 * same < len(cells):
            return
        case, target = self.columns[place], (*taken, *self._target(options, (place, *taken)))[:1]
        token = next((self.columns[at] for at in self.free if at not in (place, *target)), "…")
        tag = self.columns[target[0]] if target else "…"
        cure = f"Pass `case={case!r}, activity={token!r}, target={tag!r}`, or the column with whole sequences as `input`."
        raise ConfigError(
            f"{named(self.path)}: each row seems to be a step of a sequence, as rows after each other have the same {case!r}. {cure}"
        )

    def _target(self, options: ReadingOptions, taken: Sequence[int]) -> tuple[int, ...]:
        """What was learnt from; in files to learn from and to measure on also what may be it beside what is `taken`."""
        learnt = [self._at(name) for name in options.learnt_targets]
        known = tuple(at for at in learnt if at is not None and at not in taken)
        if known and len(known) == len(learnt):
            return known
        if len(learnt) > 1:
            return ()
        if not options.labels_needed:
            return ()
        free = [at for at in self.free if at not in taken]
        any_name = not (options.learnt and self.columns)
        if any_name and len(free) == 1:
            return (free[0],)
        found = find_target(self.columns, free, self.rows if any_name else ())
        return () if found is None else (found,)

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

    def _find(self, asked: str | None, option: str, needed: bool) -> int | None:
        """Where the column stands that was asked for by name or number; None if none was asked for, or if it is not there and not needed."""
        if asked is None:
            return None
        place = self._at(asked)
        if place is not None or (asked.isdecimal() and int(asked) < self.width):
            return int(asked) if place is None else place
        if not needed:
            return None
        names = self.columns
        cure = "" if names else " If its first line has the names of the columns, pass `header`."
        what = f"columns {self._listed()}" if names else f"no names of columns, and the columns {self._listed()}"
        raise ConfigError(
            f"{named(self.path)} has no column {asked!r}; it has {what}. Pass one of them as `{option}`.{cure}{_as_events(names)}"
        )

    def _listed(self) -> str:
        return ", ".join(self.columns) if self.columns else f"0 to {self.width - 1}"


def _as_events(columns: tuple[str, ...] | None) -> str:
    """What one does with a table that seems to be an event log, as the end of a message."""
    found = event_options(columns or ())
    return f" If each row is an event of a case, pass `{found}` instead." if found else ""
