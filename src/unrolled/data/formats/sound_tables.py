"""Tables and JSON Lines of which a column, or a key, names files of sound."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from unrolled.data.examples import Example, Span, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import (
    cells_of,
    ending,
    first_rows,
    folders_of,
    is_table,
    path_column,
    shortened,
    span_of,
    table_of,
)
from unrolled.data.formats.sound_layouts import sound_at
from unrolled.data.formats.sound_spans import columns_of, span, times_of
from unrolled.data.sound.recordings import Recording
from unrolled.data.sound.waves import SOUNDS
from unrolled.errors import DataError

TEXTS = ("text", "sentence", "wrd", "transcript", "transcription", "normalized_text", "words")
"""Names under which the text of a recording stands."""

BESIDE = ("clips", "wavs", "wav", "audio", "sounds")
"""Folders beside a table in which its recordings may lie."""


def sound_column(path: Path, options: ReadingOptions) -> str | None:
    """The column or key that names files of sound, if there is one."""
    return path_column(path, options, SOUNDS, shortened(folders_of(path, BESIDE), SOUNDS))


def known_column(path: Path, options: ReadingOptions) -> str | None:
    """The same for what is known to be sound: a column that was asked for names its files, whatever is in it."""
    return options.input if options.input is not None and is_table(path) else sound_column(path, options)


def read_table(path: Path, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """The recordings that a table or JSON Lines name, each with what is said of it; paths are relative to the table, or absolute."""
    table = table_of(path)
    known = in_columns(path, options, wanted)
    folders = folders_of(path, BESIDE)

    def at(example: Example) -> Path:
        return sound_at((example.text or "").strip(), folders, example.place, known.input)

    def heard(example: Example) -> Example:
        return replace(example, text=None, sound=Recording(at(example), None, *span_of(cells_of(example), example.place)))

    if wanted is Target.TAGS:
        return _tagged(table.read([path], known, Target.LABELS), at, options)
    return tried(table.read([path], known, wanted), heard)


def _tagged(rows: Iterable[Example | DataError], at: Callable[[Example], Path], options: ReadingOptions) -> Iterator[Example | DataError]:
    """A recording for all rows that name it, each of which has a span of it, or without spans if no labels are needed."""
    firsts, spans = dict[str, Example](), dict[str, list[Span]]()

    def noted(row: Example) -> None:
        name, cells = (row.text or "").strip(), cells_of(row)
        firsts.setdefault(name, row)
        names = columns_of(cells, options.target)
        if options.labels_needed and names is not None:
            spans.setdefault(name, []).append(span(*times_of(cells, names, row.place), (row.labels or ("",))[0], row.place))

    yield from (found for found in tried(rows, noted) if isinstance(found, DataError))

    def whole(row: Example) -> Example:
        found = spans.get((row.text or "").strip())
        return replace(row, text=None, labels=None, sound=Recording(at(row)), spans=None if found is None else tuple(found), origin=None)

    yield from tried(firsts.values(), whole)


def in_columns(path: Path, options: ReadingOptions, wanted: Target) -> ReadingOptions:
    """The options with the columns of recordings and of their texts."""
    column = known_column(path, options)
    known = replace(options, input=options.input or column, learnt=() if column not in options.learnt[:1] else options.learnt)
    if wanted is not Target.TEXTS or options.target is not None or known.learnt_targets:
        return known
    names = list(next(iter(first_rows(path, options, ending(SOUNDS))), {}))
    return replace(known, target=next((name for name in TEXTS if name in names), None))
