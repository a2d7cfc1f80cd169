"""What the first lines of files say of their format, where their names do not say it."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from unrolled.data.examples import Target
from unrolled.data.folders import visible, visible_folders
from unrolled.data.formats.conll_2012 import BEGIN
from unrolled.data.formats.fast_text import MARK
from unrolled.data.formats.files import STANDARD_INPUT, first_lines, head_lines, require_plain
from unrolled.data.formats.guesses import INPUTS, TARGETS, are_parts, find_header
from unrolled.data.formats.lines import classes
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.opening import is_about, markup_in
from unrolled.data.text import known_encoding
from unrolled.errors import ConfigError

_SPAN = re.compile(r"^[BIESLUM]-(?=.)")
"""How the tag of a step of a span begins."""

TABLES = ("csv", "tsv")
"""The formats of tables, a sequence a row."""

_TS = re.compile(r"@(problemname|timestamps|univariate|dimensions?|equallength|serieslength|classlabel|targetlabel)\b", re.IGNORECASE)


def by_content(paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> str:
    """The format of text files by the lines of the first one. Files that may be tables or classes are a `ConfigError`."""
    path, several = _first(paths[0]), len(paths) > 1
    lines = first_lines(path, options.encoding)
    if marked := _by_marks(lines):
        return marked
    if _are_tokens(path, lines, options, wanted):
        return "columns"
    table = _table(lines, options)
    asked = options.input is not None or options.target is not None or _has_header(lines)
    if several and table == "tsv" and options.labels_needed and not asked:
        told = "has a tab in every line: whether the files are tables, or plain text with a class for each file, is not clear"
        raise ConfigError(f"{path} {told}. Pass `format='tsv'` or `format='files'`.")
    return table or ("files" if several and not wanted.each_step else "lines")


def _by_marks(lines: Sequence[str]) -> str | None:
    """The format of lines that begin as in no other format."""
    first = lines[0].lstrip() if lines else ""
    if first.startswith(("{", "[{", '[["')) or (first.strip() == "[" and len(lines) > 1 and lines[1].lstrip().startswith(("{", '["'))):
        return "jsonl"
    if first.startswith(MARK):
        return "fasttext"
    if first.startswith(BEGIN):
        return "conll2012"
    if first.startswith(">"):
        return "fasta"
    if _TS.match(first):
        return "ts"
    return "conllu" if any(line.count("\t") == 9 and line.startswith(("1\t", "1-")) for line in lines) else None


def _are_tokens(path: Path, lines: Sequence[str], options: ReadingOptions, wanted: Target) -> bool:
    """Whether lines have a token each: where steps are tagged, if nothing says otherwise, and elsewhere if they surely have."""
    if not wanted.each_step:
        return options.labels_needed and _rows(lines) is not None and tokens_a_line(path, options)
    if options.target is not None or path == STANDARD_INPUT:
        return False
    if options.labels_needed or (options.unnamed == "columns" and tokens_a_line(path, options)):
        return True
    rows = [line.split("\t") if "\t" in line else line.split() for line in lines if not line.startswith(("#", "-DOCSTART-"))]
    # A line of one word is the same sequence either way.
    alone = options.unnamed == "columns" and len(rows) > 1 and all(len(row) == 1 for row in rows)
    return alone or _have_columns(rows) or _have_tags(rows, options)


def _table(lines: Sequence[str], options: ReadingOptions) -> str | None:
    """The format of a table whose rows some lines are: if columns were asked for, if their tabs or header say it, or as a run remembers it of files like these."""
    first = lines[0] if lines else ""
    if (options.input is not None or options.target is not None) and (options.labels_needed or "\t" in first):
        return "tsv" if "\t" in first else "csv"
    found = None if _rows(lines) is None else "tsv" if "\t" in first else "csv"
    if options.unnamed in TABLES:
        headed = bool(options.learnt) and options.learnt[0] in [cell.strip() for cell in re.split(r"[,;|\t]", first)]
        numbered = found == options.unnamed and all(name.isdecimal() for name in options.learnt)
        return options.unnamed if headed or numbered else None
    return found if options.labels_needed and (found == "tsv" or _has_header(lines)) else None


def _has_header(lines: Sequence[str]) -> bool:
    """Whether some lines are the rows of a table, and the first of them has names that columns of texts and labels usually have."""
    rows = _rows(lines)
    return rows is not None and find_header(rows) and any(cell.strip().lower() in (*INPUTS, *TARGETS) for cell in rows[0])


def _rows(lines: Sequence[str]) -> list[list[str]] | None:
    """The cells of some lines, if one delimiter divides all of them into the same number of cells, more than one."""
    for delimiter in "\t,;|":
        try:
            rows = list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            continue
        if len({len(row) for row in rows}) == 1 and len(rows[0]) > 1:
            return rows
    return None


def tokens_a_line(path: Path, options: ReadingOptions) -> bool:
    """Whether a file that is called a table has a token a line: empty lines divide its lines, and no cell of these has a blank."""
    lines = "\n".join(line.strip(" \t") for line in head_lines(path, options.encoding) if not line.startswith("#")).strip("\n")
    return "\n\n" in lines and " " not in lines


def _have_columns(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the parts of lines look like tokens with their tags: at least three of them, all of one number of columns, more than one."""
    widths = {*map(len, rows)}
    return len(rows) > 2 and len(widths) == 1 and widths != {1}


def _have_tags(rows: Sequence[Sequence[str]], options: ReadingOptions) -> bool:
    """Whether most lines, in however few of one number of columns, have a tag that a run gives first, last, or where it learnt it.

    A mark may be a tag, and ends sentences; so it says nothing.
    """
    width = max(Counter(map(len, rows)).items(), key=lambda item: item[1], default=(0, 0))[0]
    column = int(options.column) if options.column and options.column.isdecimal() else -1
    known = {_of_span(tag) for tag in options.tags if any(map(str.isalnum, tag))}
    places = {0, width - 1, column if column < width else -1}
    return width > 1 and 2 * sum(len(row) == width and any(_of_span(row[at].strip()) in known for at in places) for row in rows) > len(rows)


def _of_span(tag: str) -> str:
    """What a tag is the same as in any scheme: the name of a span without what marks its beginning and end."""
    return _SPAN.sub("-", tag)


def require_plain_files(paths: Sequence[Path], options: ReadingOptions, format: str) -> None:
    """`DataError` for a file that is not the text that a format of plain text has."""
    for file in _looked_at(paths):
        require_plain(
            file,
            options.encoding,
            f"pass `format={format!r}`, or let its name end in .txt",
            marks=options.labels_needed and format != "columns",
        )


def are_plain(paths: Sequence[Path], options: ReadingOptions) -> bool:
    """Whether no file begins as ARFF, XML and the like do."""
    return not any(markup_in(file, known_encoding(options.encoding)) for file in _looked_at(paths))


def _looked_at(paths: Sequence[Path]) -> Iterator[Path]:
    """All files but those about the data; of a folder, or of each in it, the first."""
    for path in paths:
        if not is_about(path):
            yield from map(_first, visible_folders(path) or [path] if path.is_dir() else [path])


def require_classes(paths: Sequence[Path]) -> None:
    """`ConfigError` for files without labels that would be classes by their names, and whose names say that they are parts of one data set."""
    names = list(dict.fromkeys(label for _, label in classes(paths)))
    if are_parts(names):
        raise ConfigError(
            f"Files of plain text would be the classes {', '.join(map(repr, names[:5]))}, and these names are rather those of parts of a data set. "
            "Pass files with labels in them, those to measure on as `validation`; if each file is a class, pass `format='files'`."
        )


def _first(path: Path) -> Path:
    return visible(path)[0] if path.is_dir() else path
