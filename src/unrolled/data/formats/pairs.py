"""Pairs from the files that people have them in, one by one."""

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, TypeVar

from unrolled.data.builtin import PREFIX, absolute, expanded, paths_of
from unrolled.data.builtin_examples import builtin_examples
from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.files import STANDARD_INPUT, first_lines, named, read_lines, require_plain
from unrolled.data.formats.format import About, Tabular
from unrolled.data.formats.heads import FormatSeen, described
from unrolled.data.formats.known import FORMATS
from unrolled.data.formats.object_lines import shown
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.pair_objects import PairObjects
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pair_tables import PairTable, delimited_rows, lines_with_tabs
from unrolled.data.formats.tmx import is_tmx, learnt_languages, read_tmx
from unrolled.data.opening import inner_name
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError, UnrolledWarning

OptionsT = TypeVar("OptionsT", bound=PairOptions)

SUFFIXES = {".tsv": "tsv", ".tab": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".tmx": "tmx"}
"""The formats that ends of names say."""

_SCAN = re.compile(r"IN:(.*?)OUT:(.*)")


def read_pairs(sources: Source | Sequence[Source], options: PairOptions) -> Iterator[Example]:
    """The pairs of files, built-in sources (`builtin:…`) and the standard input (`-`), or those of `options.source` beside `options.target`.

    Blanks around a side are taken away; a side may be empty (`usable` looks at that). What cannot be read, aligned files with different
    numbers of lines, and sources without any pair are a `DataError`; sources of both kinds, or of none, a `ConfigError`.
    """
    names = _names(sources)
    options = _of_columns(names, options)
    pair = None
    found = _aligned(options) if options.source or (options.target and not names) else _listed(names, options)
    for pair in decided(found, options.bad_rows):
        yield pair
    if pair is None:
        where = ", ".join(map(named, map(Path, names))) or options.source
        raise DataError(f"There is no {'pair' if options.targets_needed else 'line'} in {where}. Pass files that have some.")


def resolve_pairs(sources: Source | Sequence[Source], options: OptionsT) -> OptionsT:
    """The options with the columns or keys of the first file, from which others are read, too; aligned files by paths that hold wherever one stands."""
    names = _names(sources)
    options = _of_columns(names, options)
    if options.source:
        return replace(options, source=absolute((options.source,))[0], target=absolute(options.target))
    paths = [Path(name) for name in names if not name.startswith(PREFIX)]
    if not paths or paths[0] == STANDARD_INPUT:
        return options
    find = PAIRS[_format_of(paths[0], options)].learnt
    learnt, left = find(paths[0], options) if find else ((), ())
    return replace(options, learnt=learnt, left=left)


def _of_columns(names: Sequence[str], options: OptionsT) -> OptionsT:
    """The options, in which `source` beside PAIRS names the column or key that `input` does."""
    if not names or not options.source:
        return options
    if options.input not in (None, options.source):
        raise ConfigError(
            f"`source` and `input` both name the column or key of the source, got {options.source!r} and {options.input!r}. Leave one of them out."
        )
    return replace(options, source=None, input=options.source)


def _names(sources: Source | Sequence[Source]) -> list[str]:
    return expanded(paths_of(sources))


def _listed(names: Sequence[str], options: PairOptions) -> Iterator[Example | DataError]:
    if not names:
        raise ConfigError("There are no PAIRS. Pass files, a built-in source such as builtin:dates, or `source` beside `target`.")
    for name in names:
        if name.startswith(PREFIX):
            if options.input or options.target:
                raise ConfigError(f"`input` and `target` are columns of files, and {name} is none. Leave them out.")
            _require_no_group(name, options)
            yield from builtin_examples(name, Target.TEXTS)
        else:
            yield from PAIRS[_format_of(Path(name), options)].read(Path(name), options)


def _format_of(path: Path, options: PairOptions) -> str:
    """The format that is asked for, or that the name of a file says, or else its first line."""
    if options.format is not None:
        if options.format not in PAIRS:
            raise ConfigError(f"There is no format {options.format!r} of pairs. Pass one of {', '.join(PAIRS)}.")
        return options.format
    name = inner_name(path).lower()
    found = next((known for suffix, known in SUFFIXES.items() if name.endswith(suffix)), None)
    if found is None and is_tmx(path):
        return "tmx"
    if found is None:
        require_plain(
            path, options.encoding, f"pass `format={'tsv' if options.targets_needed else 'lines'!r}`, or let its name end in .txt"
        )
    if found is None and not options.targets_needed:
        return "lines"
    if found is None:
        first = next(iter(first_lines(path, options.encoding)), "\t").lstrip(" ")
        found = "jsonl" if first.startswith("{") else "scan" if _SCAN.match(first) else "tsv" if "\t" in first else None
    if found is None:
        cure = "Write source, tab, target; name its format as `format`; or pass two files as `source` and `target`."
        raise DataError(f"{path}, line 1, has no tab, so that source and target cannot be told apart. {cure}")
    return found


def seen_pairs(sources: Source | Sequence[Source], options: PairOptions) -> FormatSeen:
    """The format of pairs, and the columns of the first file, if it has some; errors as in `read_pairs`."""
    paths = [Path(name) for name in _names(sources) if not name.startswith(PREFIX)]
    if not paths:
        return FormatSeen("aligned", "as `source` and `target` say") if options.source else FormatSeen("builtin", "as the name says")
    name = _format_of(paths[0], options)
    known = FORMATS.get(name)
    why = (
        "as `format` says"
        if options.format
        else "as the name ends so"
        if inner_name(paths[0]).lower().endswith(tuple(SUFFIXES))
        else "as the first line shows"
    )
    reading = ReadingOptions(header=_header(paths[0], name, options), encoding=options.encoding)
    columns = described(*known.head(paths[0], reading)) if isinstance(known, Tabular) and paths[0] != STANDARD_INPUT else ()
    return FormatSeen(name, why, tuple(columns))


def _header(path: Path, format: str, options: PairOptions) -> bool | None:
    """Whether a table is read as one with a header; None where that is not clear."""
    if options.header is not None or format not in ("tsv", "csv") or path == STANDARD_INPUT:
        return options.header
    try:
        learnt, _ = (_TABS if format == "tsv" else _DELIMITED).learnt(path, options)
    except ConfigError:
        return None
    return not all(map(str.isdecimal, learnt)) if learnt else None


def _aligned(options: PairOptions) -> Iterator[Example]:
    """The lines of a file with those of the same numbers in others."""
    if not options.source or (options.targets_needed and not options.target):
        asked = [("source", options.source), *(("target", path) for path in options.target)]
        given = ", ".join(f"`{name}={path!r}`" for name, path in asked if path)
        raise ConfigError(
            f"Pairs come either from PAIRS, or from a file `source` beside a file `target`, got {given}. Pass one or the other."
        )
    _require_no_group(options.source, options)
    paths = [Path(options.source), *map(Path, options.target)]
    for path in paths:
        require_plain(path, options.encoding, "let its name end in .txt")
    columns = [read_lines(path, options.encoding) for path in paths]
    for rows in zip_longest(*columns):
        if None in rows:
            raise _uneven(paths, columns, rows)
        (number, source), *targets = rows
        yield _pair(f"{paths[0]}, line {number}", source.strip(), [text.strip() for _, text in targets])


def _uneven(paths: Sequence[Path], columns: Sequence[Iterator[Any]], rows: Sequence[tuple[int, str] | None]) -> DataError:
    """What to say of files of which some have ended, and others go on with these rows."""
    longer, (number, text) = next((i, row) for i, row in enumerate(rows) if row is not None)
    shorter = rows.index(None)
    count = number + sum(1 for _ in columns[longer])
    return DataError(
        f"{paths[longer]} has {count:,} lines and {paths[shorter]} has {number - 1:,}: line {number} of {paths[longer]}, {shown(text)}, "
        f"has no partner. Give every line its partner in the line of the same number; the first that has not may stand before."
    )


def _commands(path: Path, options: PairOptions) -> Iterator[Example | DataError]:
    """SCAN's lines: `IN: jump twice OUT: JUMP JUMP`."""
    _require_no_group(path, options)
    for number, line in read_lines(path, options.encoding):
        if line.strip():
            found = _SCAN.fullmatch(line.strip())
            if found is None:
                yield DataError(f"{path}, line {number}: the line must be `IN: … OUT: …`, got {shown(line)}. Mend it, or take it out.")
                continue
            yield _pair(f"{path}, line {number}", found[1].strip(), [found[2].strip()])


def _sources(path: Path, options: PairOptions) -> Iterator[Example]:
    """A source a line, without targets."""
    if options.targets_needed:
        raise ConfigError(f"Lines of {path} have sources without targets. Pass pairs, or a file of targets as `target`.")
    name = named(path)
    for number, line in read_lines(path, options.encoding):
        if number == 1 and ("\t" in line.strip() or _SCAN.match(line)):
            cure = "Pass `format='tsv'` or `format='scan'` if it is a source with its target."
            warnings.warn(f"{name}, line 1, {shown(line)}, is read as a source. {cure}", UnrolledWarning, stacklevel=2)
        yield _pair(f"{name}, line {number}", line.strip(), [])


def _require_no_group(where: Path | str, options: PairOptions) -> None:
    """`ConfigError` if groups are asked of pairs that have no columns."""
    if options.group and options.group_needed:
        raise ConfigError(f"`group` names a column of a table, or a key of JSON Lines, and {where} has neither. Leave it out.")


def _pair(place: str, source: str, targets: Sequence[str]) -> Example:
    return Example(place, text=source, texts=tuple(targets))


@dataclass(frozen=True)
class PairFormat:
    """One way in which pairs are written: in words, what reads a file, and what finds its columns or keys: those learnt from, and those left out."""

    about: About
    read: Callable[[Path, PairOptions], Iterator[Example | DataError]]
    learnt: Callable[[Path, PairOptions], tuple[tuple[str, ...], tuple[str, ...]]] | None = None


_OWNED = ("longest", "too_long")
_TABS, _DELIMITED, _OBJECTS = PairTable(lines_with_tabs), PairTable(delimited_rows), PairObjects()

PAIRS: dict[str, PairFormat] = {
    "tsv": PairFormat(
        About(
            "a source, a tab and a target on each line, or other columns with tabs between them",
            ("text", "texts"),
            ("input", "target", "header", "references", "group", *_OWNED),
            "Good morning.\tBonjour.\nThank you!\tMerci !\n",
            task="translate",
        ),
        _TABS.read,
        _TABS.learnt,
    ),
    "csv": PairFormat(
        About(
            "a table with commas between the columns, two of which have source and target",
            ("text", "texts"),
            ("input", "target", "header", "references", "group", *_OWNED),
            'en,fr\nGood morning.,Bonjour.\n"Yes, thank you!","Oui, merci !"\n',
            {"input": "en", "target": "fr"},
            task="translate",
        ),
        _DELIMITED.read,
        _DELIMITED.learnt,
    ),
    "jsonl": PairFormat(
        About(
            "JSON Lines: an object a line with a source, a text, and a target, a text or a list of texts",
            ("text", "texts"),
            ("input", "target", "group", *_OWNED),
            '{"source": "Good morning.", "target": "Bonjour."}\n{"source": "Thank you!", "target": ["Merci !", "Merci beaucoup !"]}\n',
            task="translate",
        ),
        _OBJECTS.read,
        _OBJECTS.learnt,
    ),
    "tmx": PairFormat(
        About(
            "TMX, a translation memory: `input` and `target` name languages",
            ("text", "texts"),
            ("input", "target", *_OWNED),
            '<tmx version="1.4"><header/><body>\n<tu><tuv xml:lang="en"><seg>Good morning.</seg></tuv><tuv xml:lang="fr"><seg>Bonjour.</seg></tuv></tu></body></tmx>\n',
            {"input": "en", "target": "fr"},
            task="translate",
        ),
        read_tmx,
        learnt_languages,
    ),
    "scan": PairFormat(
        About("commands and actions, as SCAN has them", ("text", "texts"), _OWNED, "IN: jump twice OUT: JUMP JUMP\n", task="translate"),
        _commands,
    ),
    "lines": PairFormat(About("a source a line, to predict", ("text",), ("longest",), "Good morning.\nThank you!\n", task=""), _sources),
}
"""Every format of pairs by the name that `format` takes."""
