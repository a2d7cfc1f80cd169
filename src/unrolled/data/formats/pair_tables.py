"""Tables of pairs: a source in one column, its targets in others."""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from unrolled.data.examples import Example
from unrolled.data.formats.bad_rows import good, tried
from unrolled.data.formats.files import HEAD, look_ahead, named, tried_lines
from unrolled.data.formats.guesses import INPUTS, TARGETS, are_classes, column_names, find_named, is_index
from unrolled.data.formats.object_lines import shown
from unrolled.data.formats.options import require_apart
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.rows import Row, open_rows, rows_below
from unrolled.errors import ConfigError, DataError, UnrolledWarning

SOURCE_NAMES = ("source", "src", *INPUTS)
"""Names under which sources stand, the surest first."""

TARGET_NAMES = ("target", "tgt", "trg", "translation", "answer", "reply", "response", "summary", *TARGETS)
"""Names under which targets stand, the surest first."""

_PAIRED = frozenset(
    (
        "source",
        "src",
        "target",
        "tgt",
        "trg",
        "translation",
        "answer",
        "reply",
        "response",
        "summary",
        "question",
        "query",
        "text",
        "input",
        "output",
    )
)
"""Names of texts that are written, or from which others are."""

_NAMES = frozenset((*SOURCE_NAMES, *TARGET_NAMES, "id", "index", "lang"))

_ATTRIBUTION = re.compile(r"\bCC[- ]BY\b|\bCC0\b|https?://|\btatoeba\b", re.IGNORECASE)
"""What is in a cell that says whose a text is."""

_NUMBERED = re.compile(r"[\w.-]*0[\w.-]*")
"""How a name with a number in it is written, all of whose digits are one 0."""

_KEY = re.compile(r"(?=.*\d)[!-~]+")
"""How a key is written, such as one of hexadecimal digits, or of several numbers."""

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?")
"""How the code of a language is written."""

_SEEN = 3
"""Rows in which a column can be told from one that happens to look like it."""

_WORD = re.compile(r"[^\W\d][\w-]*")
"""How a name of a column is written that is not a usual one."""

_ALONE = 30
"""Texts of a column, of which at most one is a single word where such a word above is the name of the column."""

_DOUBTED = 10
"""Rows from which on it is worth saying that a first row of two words may be names."""

_REPEATED = 10
"""Times that a cell of a column comes on the whole where it is a language and not a text."""

Rows = Callable[[Path, PairOptions], Iterator[Row | DataError]]
"""Reads the numbered rows of a file."""


def lines_with_tabs(path: Path, options: PairOptions) -> Iterator[Row | DataError]:
    """The lines of a file as rows, in which double quotes are plain characters; empty ones are sources if no target is needed."""
    for item in tried_lines(path, options.encoding):
        if isinstance(item, DataError):
            yield item
        elif item[1].strip() or not options.targets_needed:
            yield item[0], item[1].split("\t")


def delimited_rows(path: Path, options: PairOptions) -> Iterator[Row | DataError]:
    """The rows of a table in which cells may stand between double quotes."""
    with open_rows(path, options.encoding) as (_, rows):
        yield from rows


@dataclass(frozen=True)
class PairTable:
    """Tables whose rows are read by `rows`."""

    rows: Rows

    def read(self, path: Path, options: PairOptions) -> Iterator[Example | DataError]:
        """The pairs. A missing column is a `ConfigError`, and a row that does not reach to source and target is bad."""
        head, rows = look_ahead(self.rows(path, options), HEAD)
        if first := [row for _, row in good(head)]:
            columns = _Columns.find(path, first, options)
            below = rows_below(path, rows) if columns.header else rows
            yield from tried(below, lambda row: columns.pair(f"{named(path)}, line {row[0]}", [*map(str.strip, row[1])], options))
        else:
            yield from (error for error in head if isinstance(error, DataError))

    def learnt(self, path: Path, options: PairOptions) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns of source and targets, and those that are left out."""
        head, _ = look_ahead(self.rows(path, options), HEAD)
        first = [row for _, row in good(head)]
        if not first:
            return (), ()
        columns = _Columns.find(path, first, options)
        used = (columns.source, *columns.targets)
        left = () if options.references else (name for at, name in enumerate(columns.names) if at not in (*used, *columns.group))
        return tuple(columns.names[at] for at in used if at < len(columns.names)), tuple(left)


@dataclass(frozen=True)
class _Columns:
    """Where source, targets and, if one was asked for, the group stand, what the columns are called, by name or by number, and whether a first row says it."""

    source: int
    targets: tuple[int, ...]
    names: tuple[str, ...]
    header: bool
    group: tuple[int, ...]

    @classmethod
    def find(cls, path: Path, rows: Sequence[Sequence[str]], options: PairOptions) -> "_Columns":
        """What was asked for, or else learnt from, or else what may be it by name and by what stands in it."""
        names = column_names(rows[0])
        called = {name for name in (options.input, options.group, *options.target, *options.learnt) if name and not name.isdecimal()}
        if options.header is not None:
            header = options.header
        else:
            header = not called.isdisjoint(names) or _are_names(rows[0]) or _noticed(path, rows)
        names = names if header else tuple(map(str, range(len(names))))
        # Names say nothing about a table that has none, and a table of sources alone needs none.
        named = (header or all(map(str.isdecimal, options.learnt))) and (len(names) > 1 or options.targets_needed)
        learnt = options.learnt if named else ()
        sources = [at for name in ((options.input,) if options.input else learnt[:1]) for at in _place(path, names, name, "input", True)]
        asked = options.target or learnt[1:]
        targets = [at for name in asked for at in _place(path, names, name, "target", options.targets_needed)]
        group = _place(path, names, options.group, "group", options.group_needed) if options.group else []
        if options.group and options.group_needed:
            usual = [] if sources else _named(names, SOURCE_NAMES, [at for at in range(len(names)) if at not in targets])
            require_apart(str(path), names[group[0]], [names[at] for at in (*sources, *usual)], [names[at] for at in targets])
        if not learnt:
            given = bool(sources and targets) or not options.targets_needed
            sources, targets = _guess(rows[header:], names, header, sources, targets, group)
            if not given:
                _require_no_labels(path, rows[header:], names, (*sources, *targets), group)
        return cls(sources[0], tuple(targets), names, header, tuple(group))

    def pair(self, place: str, row: Sequence[str], options: PairOptions) -> Example:
        """The pair in the cells of a row, whose last ones may be missing if they are further targets, or if none is needed."""
        places = range(self.targets[0], len(row)) if options.references and self.targets else self.targets
        targets = [row[at] for at in places if at < len(row) and (at in self.targets or at not in self.group)]
        group = next((row[at] or None for at in self.group if at < len(row)), None)
        if self.source >= len(row) or not (targets or not options.targets_needed):
            where = " and ".join(self.names[at] for at in (self.source, *self.targets)) if self.targets else "0 and 1"
            told = f"there must be a source and a target, in the columns {where}"
            raise DataError(f"{place}: {told}, got {shown(' | '.join(row))}. Mend the line, or take it out.")
        return Example(place, text=row[self.source], texts=tuple(targets), group=group)


def _guess(
    rows: Sequence[Sequence[str]], names: Sequence[str], header: bool, sources: list[int], targets: list[int], group: list[int]
) -> tuple[list[int], list[int]]:
    """Source and target where one is open: the columns with usual names, or else the first ones with texts, and none with groups."""
    others = [at for at in range(len(names)) if at not in group]
    free = [at for at in others if at not in (*sources, *targets)]
    sources = sources or _named(names, SOURCE_NAMES, free)
    targets = targets or _named(names, TARGET_NAMES, [at for at in free if at not in sources])
    spare = [at for at, name in enumerate(names) if header and (name == str(at) or is_index(name) or name.lower().startswith("lang"))]
    rest = iter([at for at in _texts(rows, others, spare) if at not in (*sources, *targets)])
    sources = sources or [next(rest, 0)]
    return sources, targets or [*islice(rest, 1)]


def _require_no_labels(path: Path, rows: Sequence[Sequence[str]], names: Sequence[str], used: Sequence[int], group: Sequence[int]) -> None:
    """`ConfigError` if a column has labels of what seem to be pairs of texts to compare, such as a premise and a hypothesis, and not to translate.

    Columns whose names say that they are source and target, or languages, are that.
    """
    if all(names[at].lower() in _PAIRED or _LANGUAGE.fullmatch(names[at]) for at in used):
        return
    columns = {at: [row[at].strip() for row in rows if at < len(row)] for at in range(len(names)) if at not in group}
    labels = [
        at
        for at, cells in columns.items()
        if are_classes(cells) and not all(map(_LANGUAGE.fullmatch, cells)) and not _are_attributions(cells)
    ]
    texts = [at for at, cells in columns.items() if at not in labels and 2 * sum(" " in cell for cell in cells) > len(cells)]
    if labels and len(texts) > 1:
        those, labelled = (", ".join(names[at] for at in some) for some in (texts, labels))
        told = f"the columns {those} seem to be texts to compare, with labels in {labelled}"
        raise ConfigError(
            f"{named(path)}: {told}, so that which are source and target is not clear. Pass two of {', '.join(names)} as `input` and `target`."
        )


def _place(path: Path, names: Sequence[str], asked: str, option: str, needed: bool) -> list[int]:
    """Where the column stands that was asked for by its name or number; nowhere if it is not there and not `needed`."""
    if asked in names:
        return [names.index(asked)]
    if asked.isdecimal() and int(asked) < len(names):
        return [int(asked)]
    if not needed:
        return []
    cure = "" if names[0] != "0" else " If the first line has the names of the columns, pass `header`."
    raise ConfigError(
        f"{named(path)} has no column {asked!r}; it has the columns {', '.join(names)}. Pass one of them as `{option}`.{cure}"
    )


def _named(names: Sequence[str], usual: Sequence[str], free: Sequence[int]) -> list[int]:
    """The free column with the first of some usual names, if there is one."""
    found = find_named(names, usual, free)
    return [] if found is None else [found]


def _are_names(row: Sequence[str]) -> bool:
    """Whether cells are usual names of columns, or codes of languages one of which is English. Of three or more two are enough."""
    cells = [cell.strip().lower() for cell in row if cell.strip()]
    codes = "en" in cells and all(len(cell) == 2 and cell.isalpha() for cell in cells)
    both = not ({*cells}.isdisjoint(SOURCE_NAMES) or {*cells}.isdisjoint(TARGET_NAMES))
    return len(cells) > 1 and len({*cells}) == len(cells) and (codes or both or {*cells} <= _NAMES)


def _stand_above_texts(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first row has a word in each cell, and two columns at least have hardly anything but texts of several words below."""
    first = [cell.strip().strip("\ufeff") for cell in rows[0]]
    if len(rows) <= _SEEN or len({*first}) < len(first) or not all(map(_WORD.fullmatch, first)):
        return False
    columns = [[row[at] for row in rows[1:] if at < len(row)] for at in range(len(first))]
    return sum(_ALONE * sum(len(cell.split()) == 1 for cell in cells) <= len(cells) for cells in columns if cells) > 1


def _noticed(path: Path, rows: Sequence[Sequence[str]]) -> bool:
    """The same, of which an `UnrolledWarning` tells; so it does of a first row of words above words, which may be either and is a pair."""
    header = _stand_above_texts(rows)
    if header or _stand_above_words(rows):
        taken, cure = (
            ("the names of the columns", "If it is a pair, pass `header=False`.")
            if header
            else ("a pair", "If it has the names of the columns, pass `header`; if not, `header=False` says so.")
        )
        warnings.warn(
            f"{named(path)}: the first line, {shown(' | '.join(rows[0]))}, is taken for {taken}. {cure}", UnrolledWarning, stacklevel=2
        )
    return header


def _stand_above_words(rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first row has two words of letters alone, neither of which comes again in its column, above other words or numbers."""
    first = [cell.strip().strip("\ufeff") for cell in rows[0]]
    below = [{row[at].strip() for row in rows[1:] if at < len(row)} for at in range(len(first))]
    return (
        len({*first}) == len(first) == 2
        and len(rows) > _DOUBTED
        and all(cell.isalpha() for cell in first)
        and all(cell not in cells for cell, cells in zip(first, below, strict=True))
    )


def _texts(rows: Sequence[Sequence[str]], among: Sequence[int], spare: Sequence[int]) -> list[int]:
    """The columns with texts `among` some: without `spare` ones, attributions, what tells rows apart, and languages, as long as two others are left."""
    columns = list(among)
    for is_spare in (None, _are_attributions, _tell_apart, _are_languages):
        for at in tuple(columns):
            cells = [cell for row in rows if at < len(row) and (cell := row[at].strip())]
            if len(columns) > 2 and (at in spare if is_spare is None else is_spare(cells)):
                columns.remove(at)
    return columns


def _are_attributions(cells: Sequence[str]) -> bool:
    return all(map(_ATTRIBUTION.search, cells))


def _tell_apart(cells: Sequence[str]) -> bool:
    """Whether cells are numbers, names that differ in nothing but their digits, or words with digits that are all different."""
    shapes = {re.sub(r"\d+", "0", cell) for cell in cells}
    numbered = len(shapes) == 1 and bool(_NUMBERED.fullmatch(min(shapes)))
    keys = len({*cells}) == len(cells) and all(_KEY.fullmatch(cell) for cell in cells)
    return all(map(str.isdecimal, cells)) or (len(cells) >= _SEEN and (numbered or keys))


def _are_languages(cells: Sequence[str]) -> bool:
    return len(cells) >= _SEEN and _REPEATED * len({*cells}) <= max(len(cells), _REPEATED) and all(map(_LANGUAGE.fullmatch, cells))
