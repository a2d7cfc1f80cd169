"""What a table says about itself without being asked: whether it has a header, and which columns hold what."""

import re
from collections.abc import Collection, Iterable, Sequence

import regex

INPUTS = (
    *("text", "sentence", "input", "sequence", "seq", "utterance", "tokens", "words", "review", "tweet", "message", "comment"),
    *("question", "query", "phrase", "document", "content", "body", "name"),
)
"""Names under which sequences stand, the surest first."""

TARGETS = (
    *("label", "labels", "target", "class", "category", "tags", "tag", "expected", "output", "intent", "sentiment", "polarity"),
    *("ner_tags", "pos_tags", "emotion", "topic", "rating", "stars", "score", "language", "y"),
)
"""Names under which labels or tags stand, the surest first."""

_EVENTS = {
    "case": ("case", "caseid", "casename", "caseconceptname", "trace", "traceid", "session", "sessionid"),
    "activity": ("activity", "activityid", "activityname", "conceptname", "event", "eventname", "action"),
    "time": ("time", "timestamp", "timetimestamp", "completetimestamp", "starttimestamp", "datetime", "date"),
}
"""Names, without marks and blanks, of the columns of event logs, by the option that takes them."""

_NUMBERS = frozenset(("id", "index", "len", "length"))
"""Names of columns that count or measure sequences, and have neither these nor their labels."""

_NAMES = frozenset((*INPUTS, *TARGETS, *_NUMBERS))

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


def find_header(rows: Sequence[Sequence[str]], asked: Iterable[str] = ()) -> bool:
    """Whether the first of some rows has the names of the columns; `asked` are columns that somebody asked for.

    It has if it has one that was asked for. It has not if a cell is empty, a number, or comes again in its column. Otherwise it has if a
    column has a usual name or numbers below, or if it has several cells that could all be names.
    """
    first = [cell.strip() for cell in rows[0]]
    if any(name in first for name in asked if not name.isdecimal()):
        return True
    if len(set(first)) < len(first) or any(not cell or is_number_cell(cell) for cell in first):
        return False
    if any(row[column].strip() == cell for row in rows[1:] for column, cell in enumerate(first)):
        return False
    if any(cell.lower() in _NAMES for cell in first) or any(map(is_number_cell, rows[1] if len(rows) > 1 else ())) or event_options(first):
        return True
    return len(first) > 1 and all(_LIKE_A_NAME.fullmatch(cell) for cell in first)


def is_number_cell(cell: str) -> bool:
    """Whether a cell holds a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def find_input(columns: Sequence[str] | None, rows: Sequence[Sequence[str]], width: int, targets: Collection[int]) -> int | None:
    """The column with the sequences: the only one beside the targets, that with a usual name, or of two the one with the longer cells.

    None where this is not clear, as where a row seems to be an event.
    """
    free = _free(columns, width, targets)
    named = None if columns is None else _named(columns, INPUTS, free)
    if named is not None or len(free) == 1:
        return free[0] if named is None else named
    if width == 2 and not event_options(columns or ()):
        if columns is not None and (label := _named(columns, TARGETS, free)) is not None:
            return 1 - label
        return int(sum(len(row[1]) for row in rows) > sum(len(row[0]) for row in rows))
    return None


def event_options(columns: Sequence[str]) -> str:
    """The options with which a table is read as an event log, as in `case='CaseID', activity='Event'`; nothing unless these two have usual names."""
    plain = {re.sub(r"[\W_]", "", column.lower()): column for column in reversed(columns)}
    found = {option: plain[name] for option, names in _EVENTS.items() for name in reversed(names) if name in plain}
    named = "case" in found and "activity" in found
    return ", ".join(f"{option}={found[option]!r}" for option in _EVENTS if option in found) if named else ""


def find_target(columns: Sequence[str] | None, width: int, taken: Collection[int], *, any_name: bool) -> int | None:
    """The column with labels or tags beside the columns that are taken: that with a usual name, or, with `any_name`, the only other one."""
    free = _free(columns, width, taken)
    named = None if columns is None else _named(columns, TARGETS, free)
    return free[0] if named is None and any_name and len(free) == 1 else named


def _free(columns: Sequence[str] | None, width: int, taken: Collection[int]) -> list[int]:
    """The columns that may have what is looked for: all but those that are taken, and those that count or measure."""
    return [at for at in range(width) if at not in taken and not (columns and columns[at].lower() in _NUMBERS)]


def _named(columns: Sequence[str], names: Iterable[str], free: Iterable[int]) -> int | None:
    """The free column with the first of some names."""
    lower = {columns[column].lower(): column for column in reversed(list(free))}
    return next((lower[name] for name in names if name in lower), None)


def steps_are_characters(cells: Sequence[tuple[str, str]]) -> bool:
    """Whether each character of an input has a tag, and not each of its parts between blanks, from some pairs of input and target."""
    characters = sum(len(text) in (len(target), len(target.split())) for text, target in cells)
    parts = sum(len(text.split()) == len(target.split()) for text, target in cells)
    blanks = any(" " in cell.strip() for pair in cells for cell in pair)
    return characters > parts if blanks else True
