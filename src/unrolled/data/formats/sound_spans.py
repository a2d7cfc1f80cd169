"""What is said of stretches of a recording: label tracks of Audacity, TextGrids of Praat, and tables with a beginning, an end and a label."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from unrolled.data.examples import Span
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.numerals import is_number
from unrolled.errors import DataError

BEGINS, ENDS = ("start", "begin", "onset", "tmin", "xmin", "offset"), ("end", "stop", "tmax", "xmax", "duration", "offset")
"""Names of the columns with the times of a span, in seconds; a duration counts from the beginning."""

LABELS = ("label", "tag", "text", "class", "event", "event_label")
"""Names of the column with its label, where none is named."""

TRACKS = (".txt", ".lab", ".TextGrid", ".textgrid", ".csv", ".tsv")
"""The ends of names of files with the spans of the recording beside them."""

_TOKEN = re.compile(r'"((?:[^"]|"")*)"|\[[^\]]*\]|(?<![\w.])(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)(?![\w.])')
"""What counts in a TextGrid: texts between quotes, and numbers that stand by themselves."""

Lines = Iterable[tuple[int, str]]
"""The lines of a file with their numbers."""


def spans_in(name: str, lines: Lines, options: ReadingOptions) -> tuple[Span, ...]:
    """The spans of a file, by the end of its name. What cannot be read is a `DataError`."""
    end = name.rpartition(".")[2].lower()
    if end == "textgrid":
        return tuple(_text_grid(name, "\n".join(line for _, line in lines), options.target))
    return tuple(_table(name, lines, "\t" if end == "tsv" else ",", options.target) if end in ("csv", "tsv") else _label_track(name, lines))


def span(begin: object, end: object, label: str, place: str) -> Span:
    """A span as it is written. `DataError` for times that are none."""
    times = str(begin), str(end)
    if not all(map(is_number, times)) or not 0 <= float(times[0]) <= float(times[1]) or not label.strip():
        told = f"must have a beginning and an end in seconds and a label, got {begin!r}, {end!r} and {label[:40]!r}"
        raise DataError(f"{place}: a span {told}. Mend the line.")
    return float(times[0]), float(times[1]), label.strip()


def _label_track(name: str, lines: Lines) -> Iterator[Span]:
    """Those that Audacity exports, with tabs between. Lines that begin with a backslash are about frequencies."""
    for number, line in lines:
        if not line.strip() or line.startswith("\\"):
            continue
        cells = line.split("\t") if "\t" in line else line.split(None, 2)
        if len(cells) != 3:
            told = f"must be a beginning and an end in seconds and a label, with tabs between, got {line[:40]!r}"
            raise DataError(f"{name}, line {number}: a span {told}. Mend the line.")
        begin, end, label = cells
        yield span(begin, end, label, f"{name}, line {number}")


def _table(name: str, lines: Lines, delimiter: str, label: str | None) -> Iterator[Span]:
    rows = csv.DictReader((line for _, line in lines), delimiter=delimiter)
    names = columns_of(rows.fieldnames or (), label)
    if names is None:
        told = f"must have columns such as start, end and {label or 'label'}, got {', '.join(rows.fieldnames or ())}"
        raise DataError(f"{name}, line 1: a table of spans {told}. Name them so.")
    for row in rows:
        place = f"{name}, line {rows.line_num}"
        yield span(*times_of(row, names, place), str(row[names[2]] or ""), place)


Columns = tuple[str, str, str]
"""The columns of a beginning, an end or a duration, and a label."""


def columns_of(names: Iterable[str], label: str | None = None) -> Columns | None:
    """Those of a table with some `names`, if it has them."""
    known = {name.lower(): name for name in reversed([*names])}
    found = [next((known[one] for one in several if one in known), None) for several in (BEGINS, ENDS, LABELS)]
    begin, end, said = found[0], found[1], found[2] if label is None else label if label in known.values() else None
    return None if begin is None or end is None or said is None else (begin, end, said)


def times_of(row: Mapping[str, object], names: Columns, place: str) -> tuple[object, object]:
    """The beginning and the end that a row names."""
    begin, end = row[names[0]], row[names[1]]
    if names[1].lower() != "duration" or not (is_number(str(begin)) and is_number(str(end))):
        return begin, end
    return begin, float(str(begin)) + float(str(end))


def _text_grid(name: str, content: str, tier: str | None) -> Iterator[Span]:
    """The intervals with a text of a tier, of the first one with intervals if none is named, as Praat writes them, long or short."""
    found = [match[1] if match[2] is None else float(match[2]) for match in _TOKEN.finditer(content) if match[0][0] != "["]
    if found[1:2] != ["TextGrid"]:
        raise DataError(f"{name} is no TextGrid: it does not begin with its type. Save it again in Praat.")
    try:
        tiers = _tiers(found[5:])
    except (IndexError, TypeError, ValueError):
        raise DataError(f"{name} ends before its last interval, or is damaged. Save it again in Praat.") from None
    wanted = next(iter(tiers), None) if tier is None else tier
    if wanted not in tiers:
        told = f"has no tier {wanted!r}" if wanted else "has no tier of intervals"
        raise DataError(f"{name} {told}; it has {', '.join(tiers) or 'none'}. Name one as `target`.")
    yield from (span(begin, end, text, name) for begin, end, text in tiers[wanted] if text.strip())


def _tiers(found: Sequence[str | float]) -> dict[str, list[Span]]:
    """The tiers of intervals by name; those of points are passed over."""
    tiers, at = dict[str, list[Span]](), 0
    while at < len(found):
        kind, name, count = found[at], str(found[at + 1]), int(found[at + 4])
        at, size = at + 5, 3 if kind == "IntervalTier" else 2
        rows = [found[first : first + size] for first in range(at, at + size * count, size)]
        at += size * count
        if kind == "IntervalTier":
            tiers[name] = [(float(begin), float(end), str(text).replace('""', '"')) for begin, end, text in rows]
    return tiers
