"""What a table says about itself without being asked: whether it has a header, and which columns hold what."""

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise

import regex

from unrolled.data.formats.files import HEAD
from unrolled.data.numerals import is_number

INPUTS = (
    *("text", "sentence", "input", "sequence", "seq", "utterance", "tokens", "words", "review", "tweet", "message", "comment"),
    *("question", "query", "phrase", "document", "content", "body", "name"),
)
"""Names under which sequences stand, the surest first."""

TARGETS = (
    *("label", "labels", "target", "class", "category", "tags", "tag", "expected", "output", "intent", "sentiment", "polarity"),
    *("ner_tags", "pos_tags", "emotion", "topic", "rating", "stars", "score", "language", "y", "entities", "spans"),
)
"""Names under which labels or tags stand, the surest first."""

_EVENTS = {
    "case": ("case", "caseid", "casename", "caseconceptname", "trace", "traceid", "session", "sessionid"),
    "activity": ("activity", "activityid", "activityname", "conceptname", "event", "eventname", "action"),
    "time": ("time", "timestamp", "timetimestamp", "completetimestamp", "starttimestamp", "datetime", "date"),
}
"""Names, without marks and blanks, of the columns of event logs, by the option that takes them."""

_INDICES = ("id", "index")
"""Names of columns that tell rows apart."""

_COUNTS = frozenset((*_INDICES, "len", "length"))
"""Names of columns that count or measure sequences, and have neither these nor their labels."""

_NAMES = frozenset((*INPUTS, *TARGETS, *_COUNTS))

_UNNAMED = re.compile(r"unnamed: ?\d+", re.IGNORECASE)
"""What pandas calls a column without a name, mostly the index that it wrote itself."""

_LIKE_A_NAME = regex.compile(r"[^\W\d][\w.-]*(?: [\w.-]+){0,2}")


_PARTS = frozenset(
    (
        "train",
        "training",
        "trn",
        "test",
        "testing",
        "tst",
        "dev",
        "devel",
        "development",
        "valid",
        "validation",
        "val",
        "eval",
        "heldout",
        "holdout",
    )
)
"""Words in names of files that are parts of one data set."""


def are_parts(names: Collection[str]) -> bool:
    """Whether some names of files say that these are not classes but parts of a data set, such as those to learn and to test."""
    words = [re.findall(r"[a-z]+|[A-Z]+(?![a-z])|[A-Z][a-z]+", name.replace("held-out", "heldout")) for name in names]
    return len(names) > 1 and all(any(word.lower() in _PARTS for word in found) for found in words)


_COUNTED = 3
"""Rows in which a column that counts can be told from one that happens to."""

_OFTEN = 3
"""Times that a class comes on the whole where a column has classes."""

_CLASSES = 100
"""Different classes of a column that has any."""

_SORTED = 20
"""Different classes of a column by which rows may be sorted; more are rather the names of what rows belong to."""

_LONGER = 2
"""Times that a text is longer than another one that stands beside it and is but its title."""


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """What the columns below a header are called, each otherwise, without blanks and byte-order marks around names.

    A column without a name goes by its number from 0, and columns of one name by that and their numbers, as in `text (2)`.
    """
    names = [_plain(cell) or str(at) for at, cell in enumerate(header)]
    return tuple(f"{name} ({at})" if names.count(name) > 1 else name for at, name in enumerate(names))


def _plain(cell: str) -> str:
    return cell.strip().strip("\ufeff").strip()


def find_header(rows: Sequence[Sequence[str]], asked: Iterable[str] = ()) -> bool:
    """Whether the first of some rows has the names of the columns; `asked` are columns that somebody asked for.

    It has if it has one that was asked for. It has not if a cell comes again in its column (unless two have usual names) or is a number
    (unless they count). Otherwise it has if a column has a usual name, or, where none is missing, if one has numbers below or if it has
    several cells that could all be names.
    """
    if not {*column_names(rows[0])}.isdisjoint(name for name in asked if not name.isdecimal()):
        return True
    first = {at: _plain(cell) for at, cell in enumerate(rows[0]) if _plain(cell)}
    below = [[row[at].strip() for row in rows[1:]] for at in range(len(rows[0]))]
    usual = sum(cell.lower() in _NAMES for cell in first.values())
    numbers = [cell for cell in first.values() if is_number(cell)]
    if numbers:
        return _are_numbered(numbers, len(first) - len(numbers), usual, below)
    if any(cell in below[at] for at, cell in first.items()):
        return usual > 1
    # An index of rows, which stands first, has no name; other columns have one unless they are empty themselves.
    missing = any(at and at not in first and 2 * sum(map(bool, cells)) > len(cells) for at, cells in enumerate(below))
    if usual or missing or len({*first.values()}) < len(first):
        return usual > 0
    if any(is_number(cells[0]) for cells in below if cells) or event_options([*first.values()]):
        return True
    return len(first) > 1 and all(_LIKE_A_NAME.fullmatch(cell) for cell in first.values())


def _are_numbered(numbers: Sequence[str], others: int, usual: int, below: Sequence[Sequence[str]]) -> bool:
    """Whether a first row with numbers has names: it counts columns beside usual names, or from 0 above cells that are none, as pandas has it."""
    if not _counts(numbers, least=2) or others != usual:
        return False
    return usual > 0 or (numbers[0] == "0" and any(cells and not any(map(is_number, cells)) for cells in below))


def _counts(cells: Sequence[str], least: int = _COUNTED) -> bool:
    """Whether cells, at least so many, are whole numbers that go up by one."""
    if len(cells) < least or not all(cell.isdecimal() and len(cell) < 19 for cell in cells):
        return False
    return all(int(cell) == int(cells[0]) + at for at, cell in enumerate(cells))


def is_index(name: str) -> bool:
    """Whether a column of this name, which may be empty, tells rows apart and says nothing else of them."""
    return not name or name.lower() in _INDICES or bool(_UNNAMED.fullmatch(name))


def find_free(header: Sequence[str] | None, rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns that may have sequences, or what is said of them: all but those that count or measure rows, and those with next to nothing in them."""
    return [at for at in range(width) if not _is_spare(None if header is None else _plain(header[at]), [row[at].strip() for row in rows])]


def _is_spare(name: str | None, cells: Sequence[str]) -> bool:
    known = (name or "").lower()
    if known in _NAMES:
        return known in _COUNTS
    if _counts(cells) or (cells and not any(cells)):
        return True
    filled = [cell for cell in cells if cell]
    return name is not None and is_index(name) and (all(map(str.isdecimal, filled)) or 2 * len(filled) <= len(cells))


def find_input(columns: Sequence[str] | None, rows: Sequence[Sequence[str]], free: Sequence[int]) -> int | None:
    """The column with the sequences among those that are `free`: the only one, that with a usual name, of two the one with the longer cells, or of
    several beside labels the one with texts that are by far the longest.

    None where this is not clear, as where a row seems to be an event.
    """
    named = None if columns is None else find_named(columns, INPUTS, free)
    if named is not None or len(free) == 1:
        return free[0] if named is None else named
    if len(free) == 2 and not event_options(columns or ()):
        if columns is not None and (label := find_named(columns, TARGETS, free)) is not None:
            return free[1 - free.index(label)]
        first, second = (sum(len(row[at]) for row in rows) for at in free)
        return free[second > first]
    if len(free) > 2 and not event_options(columns or ()) and (label := find_target(columns, free, rows)) is not None:
        return _longest([at for at in free if at != label], rows)
    return None


def _longest(free: Sequence[int], rows: Sequence[Sequence[str]]) -> int | None:
    """The column with texts that are by far the longest, if there is one."""
    *_, second, most = sorted((sum(len(row[at]) for row in rows), at) for at in free)
    words = sum(len(row[most[1]].split()) > 1 for row in rows)
    return most[1] if most[0] > _LONGER * second[0] and 2 * words > len(rows) else None


def event_options(columns: Sequence[str]) -> str:
    """The options with which a table is read as an event log, as in `case='CaseID', activity='Event'`; nothing unless these two have usual names."""
    plain = {re.sub(r"[\W_]", "", column.lower()): column for column in reversed(columns)}
    found = {option: plain[name] for option, names in _EVENTS.items() for name in reversed(names) if name in plain}
    named = "case" in found and "activity" in found
    return ", ".join(f"{option}={found[option]!r}" for option in _EVENTS if option in found) if named else ""


def find_target(columns: Sequence[str] | None, free: Sequence[int], rows: Sequence[Sequence[str]]) -> int | None:
    """The column with labels or tags among those that are `free` beside the input: that with a usual name, or the only one that has classes.

    None if rows are sorted by another one, which may have classes as well.
    """
    if columns is not None and (named := find_named(columns, TARGETS, free)) is not None:
        return named
    cells = {at: [row[at].strip() for row in rows] for at in free}
    classes = [at for at in free if are_classes(cells[at])]
    return classes[0] if len(classes) == 1 and not any(_may_be_sorted(cells[at]) for at in free if at != classes[0]) else None


def are_classes(cells: Sequence[str]) -> bool:
    """Whether cells are few different ones that come often, and again after others, as the names of what rows belong to in a sorted table do not."""
    return len({*cells}) > 1 and _come_often(cells) and _changes(cells) >= len({*cells})


def _may_be_sorted(cells: Sequence[str]) -> bool:
    """Whether cells may be classes by which rows are sorted; where all are the same, others may come after those that are looked at."""
    different = len({*cells})
    return _come_often(cells) and different <= _SORTED and _changes(cells) == different - 1 and (different > 1 or len(cells) >= HEAD - 1)


def _come_often(cells: Sequence[str]) -> bool:
    different = {*cells}
    return len(different) <= min(_CLASSES, len(cells) // _OFTEN) and all(
        cell.isdecimal() or (cell and not is_number(cell)) for cell in different
    )


def _changes(cells: Sequence[str]) -> int:
    return sum(cell != before for before, cell in pairwise(cells))


def find_named(columns: Sequence[str], names: Iterable[str], free: Iterable[int]) -> int | None:
    """The free column with the first of some names."""
    lower = {columns[column].lower(): column for column in reversed(list(free))}
    return next((lower[name] for name in names if name in lower), None)


def steps_are_characters(cells: Sequence[tuple[str, str]]) -> bool:
    """Whether each character of an input has a tag, and not each of its parts between blanks, from some pairs of input and target."""
    characters = sum(len(text) in (len(target), len(target.split())) for text, target in cells)
    parts = sum(len(text.split()) == len(target.split()) for text, target in cells)
    blanks = any(" " in cell.strip() for pair in cells for cell in pair)
    return characters > parts if blanks else True
