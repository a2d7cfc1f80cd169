"""Tables and JSON Lines of which a column, or a key, names files of sound."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from unrolled.data.examples import Example, Span, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import cells_of, ending, first_rows, path_column, span_of, table_of
from unrolled.data.formats.sound_layouts import sound_at
from unrolled.data.formats.sound_spans import columns_of, span, times_of
from unrolled.data.sound.recordings import SOUNDS, Recording
from unrolled.errors import DataError

TEXTS = ("text", "sentence", "wrd", "transcript", "transcription", "normalized_text", "words")
"""Names under which the text of a recording stands."""

BESIDE = ("clips", "wavs", "wav", "audio", "sounds")
"""Folders beside a table in which its recordings may lie."""


def sound_column(path: Path, options: ReadingOptions) -> str | None:
    """The column or key that names files of sound, if there is one."""
    return path_column(path, options, SOUNDS)


def read_table(path: Path, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """The recordings that a table or JSON Lines name, each with what is said of it; paths are relative to the table, or absolute."""
    table = table_of(path)
    known = in_columns(path, options, wanted)
    folders = [path.absolute().parent, *(path.absolute().parent / name for name in BESIDE)]
    if wanted is Target.TAGS:
        return _tagged(table.read([path], known, Target.LABELS), folders, options)

    def heard(example: Example) -> Example:
        found = sound_at((example.text or "").strip(), folders, example.place)
        return replace(example, text=None, sound=Recording(found, None, *span_of(cells_of(example), example.place)))

    return tried(table.read([path], known, wanted), heard)


def _tagged(rows: Iterable[Example | DataError], folders: list[Path], options: ReadingOptions) -> Iterator[Example | DataError]:
    """A recording for all rows that name it, each of which has a span of it, or without spans if no labels are needed."""
    firsts, spans = dict[str, Example](), dict[str, list[Span]]()

    def noted(row: Example) -> None:
        name, cells = (row.text or "").strip(), cells_of(row)
        firsts.setdefault(name, row)
        names = columns_of(cells, options.target)
        if options.labels_needed and names is not None:
            spans.setdefault(name, []).append(span(*times_of(cells, names, row.place), (row.labels or ("",))[0], row.place))

    yield from (found for found in tried(rows, noted) if isinstance(found, DataError))
    for name, row in firsts.items():
        sound = Recording(sound_at(name, folders, row.place))
        yield replace(row, text=None, labels=None, sound=sound, spans=tuple(spans[name]) if name in spans else None, origin=None)


def in_columns(path: Path, options: ReadingOptions, wanted: Target) -> ReadingOptions:
    """The options with the columns of recordings and of their texts."""
    column = sound_column(path, options)
    known = replace(options, input=options.input or column, learnt=() if column not in options.learnt[:1] else options.learnt)
    if wanted is not Target.TEXTS or options.target is not None or known.learnt_targets:
        return known
    names = list(next(iter(first_rows(path, options, ending(SOUNDS))), {}))
    return replace(known, target=next((name for name in TEXTS if name in names), None))
