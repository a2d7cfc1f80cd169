"""The formats that there are, by name, and which of them some files are in."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from unrolled.data import kinds
from unrolled.data.examples import Target
from unrolled.data.folders import visible, visible_folders
from unrolled.data.formats.arrays import Arrays
from unrolled.data.formats.columns import Columns
from unrolled.data.formats.conll_2012 import Conll2012
from unrolled.data.formats.conll_u import ConllU
from unrolled.data.formats.contents import by_content, require_classes, require_plain_files, tokens_a_line
from unrolled.data.formats.events import EventLog, Xes
from unrolled.data.formats.fast_text import FastText
from unrolled.data.formats.fasta import Fasta, Fastq, GenBank
from unrolled.data.formats.files import STANDARD_INPUT
from unrolled.data.formats.format import Format, Resolving, Tabular
from unrolled.data.formats.frames import Frames, has_frames
from unrolled.data.formats.heads import FormatSeen, described
from unrolled.data.formats.idx import Images
from unrolled.data.formats.lines import ClassFiles, PlainLines
from unrolled.data.formats.objects import JsonLines
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import has_texts
from unrolled.data.formats.series import LongSeries
from unrolled.data.formats.sheet_tables import ArffTable, NestedTable, SheetTable
from unrolled.data.formats.sounds import Sounds, has_sound
from unrolled.data.formats.tables import TextTable
from unrolled.data.formats.ts import TimeSeries
from unrolled.data.formats.wide import WideTable, is_wide
from unrolled.data.kinds import Kind
from unrolled.data.opening import PACKED, inner_name, is_about, kind_in
from unrolled.errors import ConfigError

_FORMATS: tuple[Format, ...] = (
    TextTable("csv", (".csv",), None),
    TextTable("tsv", (".tsv", ".tab"), "\t"),
    NestedTable("parquet", (".parquet", ".pq"), "a Parquet table"),
    NestedTable("arrow", (".feather", ".arrow", ".ipc"), "an Arrow or Feather table"),
    SheetTable("excel", (".xlsx", ".xlsm"), "an Excel workbook", named=False),
    ArffTable("arff", (".arff",), "ARFF, the tables of Weka"),
    JsonLines(),
    Columns(),
    ConllU(),
    Conll2012(),
    PlainLines(),
    ClassFiles(),
    FastText(),
    TimeSeries(),
    Arrays(),
    WideTable(),
    Images(),
    LongSeries(),
    EventLog(),
    Xes(),
    Fasta(),
    Fastq(),
    GenBank(),
    Sounds(),
    Frames(),
)

FORMATS: dict[str, Format] = {known.name: known for known in _FORMATS}
"""Every format by the name that `format` takes."""


def where_labels_are(paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> str:
    """What one does so that files have what is `wanted`: a sentence for messages."""
    return find_format(paths, options, wanted).about.labels


_OWNERS = {
    option: tuple(known.name for known in _FORMATS if option in known.about.options)
    for option in dict.fromkeys(option for known in _FORMATS for option in known.about.options)
}
"""The formats in which an option says something, where that is not all of them."""

_ROWS = ("csv", "tsv", "arff", "excel", "parquet", "arrow")
"""The formats of tables whose rows may be series."""

_LABELS = ("target", "column")
"""The options that name labels."""


def require_looked_at(options: ReadingOptions, asked: Iterable[str]) -> None:
    """`ConfigError` if some options that were `asked` for, by name, say nothing about files in the format that `options` name."""
    for name in asked:
        formats = _OWNERS.get(name)
        if formats and options.format not in formats:
            others = _LABELS if name in _LABELS and options.labels_needed else ()
            other = next((f", or name their column as `{other}`" for other in others if options.format in _OWNERS[other]), "")
            where = f"format{'s' if len(formats) > 1 else ''} {', '.join(formats)}"
            raise ConfigError(f"`{name}` is for files in the {where}, got {options.format}. Leave it out{other}.")


def find_format(paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Format:
    """The format of some files: that which `options` name, or which the names of the files say, or else their first lines.

    An unknown name and files of several formats are a `ConfigError`.
    """
    if options.format is not None:
        if options.format not in FORMATS:
            raise ConfigError(f"There is no format {options.format!r}. Pass one of {', '.join(FORMATS)}.")
        return FORMATS[options.format]
    if options.case is not None or options.activity is not None:
        return FORMATS["events"]
    if options.series is not None or options.channels:
        return FORMATS["series"]
    if any(has_sound(path, options) for path in paths if path != STANDARD_INPUT):
        return FORMATS["sound"]
    if any(has_frames(path, options) for path in paths if path != STANDARD_INPUT):
        return FORMATS["frames"]
    # What is written down is heard, and in texts there is nothing to hear.
    if wanted is Target.TEXTS and (column := options.input) and any(has_texts(path, column, options) for path in paths):
        return FORMATS["sound"]
    name = _by_names(paths, wanted)
    if name in (None, "lines", "files"):
        return FORMATS[_of_text(paths, options, wanted, name)]
    tokens = name == "tsv" and wanted.each_step
    if name in _ROWS and not wanted.each_step and options.input is None and is_wide(files_of(paths, FORMATS[name])[0], options):
        return FORMATS["wide"]
    if tokens and (options.unnamed == "columns" or tokens_a_line(files_of(paths, FORMATS["tsv"])[0], options)):
        return FORMATS["columns"]
    return FORMATS[name]


def seen_format(paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> FormatSeen:
    """The format of some files, and what can be seen in it at once; errors as in `find_format` and in reading."""
    known = find_format(paths, options, wanted)
    first = files_of(paths, known)[0]
    columns = described(*known.head(first, options)) if isinstance(known, Tabular) and first != STANDARD_INPUT else ()
    return FormatSeen(known.name, _reason(known.name, paths, options, wanted), tuple(columns))


def _reason(known: str, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> str:
    if options.format is not None:
        return "as `format` says"
    if known in ("events", "series"):
        return f"as {'`case` and `activity`' if known == 'events' else '`series` or `channels`'} say"
    if _by_names(paths, wanted) == known:
        return f"as the name{' ends' if len(paths) == 1 else 's end'} so" if known != "files" else "as these are folders"
    if known in ("sound", "frames"):
        return "as its files are"
    return "as several files of text are" if known == "files" else "as the first lines show"


def _by_names(paths: Sequence[Path], wanted: Target) -> str | None:
    """The one format that the names of all files say, if they say any."""
    found = {_by_name(path, wanted) for path in paths if path != STANDARD_INPUT}
    if found == {"csv", "tsv"}:
        return "csv"
    if len(found - {None, "lines"}) > 1 or (len(found) > 1 and found != {None, "lines"}):
        told = ", ".join(sorted(name or "other" for name in found))
        raise ConfigError(f"The files are of several formats: {told}. Pass files of one format, or name it as `format`.")
    return next(iter(found), None)


_BY_KIND: dict[Kind | None, str] = {
    kinds.PARQUET: "parquet",
    kinds.ARROW: "arrow",
    kinds.EXCEL: "excel",
    kinds.ARFF: "arff",
    kinds.XES: "xes",
    kinds.FASTQ: "fastq",
    kinds.GENBANK: "genbank",
    kinds.HDF5: "arrays",
    kinds.NUMPY: "arrays",
    kinds.NUMPY_ARRAYS: "arrays",
}
"""The formats of files that are known by how they begin."""


def _first_file(path: Path) -> Path:
    return visible(path)[0] if path.is_dir() else path


def _of_text(paths: Sequence[Path], options: ReadingOptions, wanted: Target, named: str | None) -> str:
    """The format of files whose names say that they are text, or nothing; `named` is what they say."""
    name = named if named == "files" else _BY_KIND.get(kind_in(_first_file(paths[0]))) or by_content(paths, options, wanted)
    if name in ("lines", "files", "columns"):
        require_plain_files(paths, options, name)
    if name == "files" and options.labels_needed:
        require_classes(files_of(paths, FORMATS[name]))
    return name


def resolved(paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
    """The options with what some files show of how others of their kind are to be read."""
    known = find_format(paths, options, wanted)
    found = known.resolve(files_of(paths, known), options, wanted) if isinstance(known, Resolving) else options
    said = options.format is not None or {_by_name(path, wanted) for path in paths} == {known.name} != {"files"}
    return found if said else replace(found, unnamed=known.name)


def are_text(paths: Sequence[Path]) -> bool:
    """Whether the names of files do not say that they are anything but text, with or without a label for each file."""
    return {_by_name(path) for path in paths} <= {None, "lines", "files"}


def _by_name(path: Path, wanted: Target = Target.LABELS) -> str | None:
    """The format that the name of a file says, or those of the files in a folder: one that text is not in, or classes unless steps are said something of."""
    if path.is_dir():
        names = {_by_name(inside) for inside in visible(path)} - {None, "lines"} if wanted.each_step or not visible_folders(path) else set()
        return names.pop() if len(names) == 1 else None if wanted.each_step else "files"
    name = inner_name(path).lower()
    return next((known.name for known in _FORMATS if known.suffixes and name.endswith(known.suffixes)), None)


def files_of(paths: Sequence[Path], known: Format) -> list[Path]:
    """The files that a format reads: those in folders that are named like it, or else all of them, unless it takes folders itself.

    Among files of classes those about the data are left out; how sound, pictures and videos lie in folders has a meaning.
    """
    if known.name in ("sound", "frames"):
        return list(paths)
    if known.name == "files":
        data = [path for path in paths if not is_about(path)]
        return data or list(paths)
    found: list[Path] = []
    for path in paths:
        inside = visible(path) if path.is_dir() else [path]
        found += [file for file in inside if _by_name(file) == known.name] or inside
    return found


def looks_like_a_file(text: str) -> bool:
    """Whether a text is one word with the mark of a path in it, or with the suffix of a file of data."""
    known = tuple(suffix for kind in FORMATS.values() for suffix in kind.suffixes)
    marked = any(mark in text for mark in (os.sep, os.altsep) if mark) or text.lower().endswith((*known, *PACKED))
    return marked and text.split() == [text]
