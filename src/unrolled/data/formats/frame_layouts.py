"""How pictures and videos lie in folders, list files and tables, and where what is said of them stands."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.files import head_lines, read_lines
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import cells_of, file_in, folders_of, missing, path_column, shortened, span_of, table_of
from unrolled.data.pictures.clips import FILMED, Clip, frames_in, is_filmed, natural
from unrolled.data.pictures.sensors import SENSED, read_shape
from unrolled.errors import DataError

BESIDE = ("videos", "video", "clips", "frames", "images", "pictures")
"""Folders beside a table or a list in which its files may lie."""

_LISTS = (".txt", ".lst", ".list")
_NAMED = re.compile(rf"(.+?(?:{'|'.join(map(re.escape, FILMED))}))(?:\s+(.+))?", re.IGNORECASE)
"""A path, and a label behind blanks."""

_LOOKED_AT = 20
"""Lines by which it is found out whether a file is a list of paths."""


def clips_in(folder: Path) -> list[Path]:
    """The pictures and videos in a folder and the folders in it. A folder of pictures two folders below is a clip, of which they are the frames."""
    found = list[Path]()
    for path in sorted((path for path in folder.iterdir() if not path.name.startswith((".", "_"))), key=natural):
        if path.is_dir():
            found += _in_class(path)
        elif is_filmed(path.name):
            found.append(path)
    return found


def _in_class(folder: Path) -> Iterator[Path]:
    """The clips of a class: files, and folders with pictures in them; folders of other folders are gone into."""
    for path in sorted((path for path in folder.iterdir() if not path.name.startswith((".", "_"))), key=natural):
        if path.is_dir():
            if frames_in(path):
                yield path
            else:
                yield from _in_class(path)
        elif is_filmed(path.name):
            yield path


def by_folder(root: Path, options: ReadingOptions) -> Iterator[Example]:
    """The clips of a folder, of which the folder that they lie in is the class; without classes if they all lie in one."""
    clips = clips_in(root)
    if not clips:
        raise DataError(f"{root} has no pictures or videos in it: {', '.join(FILMED)}. Pass one that has some.")
    known = len({clip.parent for clip in clips}) > 1 and options.labels_needed
    for clip in clips:
        yield Example(str(clip), clip=Clip(clip), labels=(clip.parent.name,) if known else None, origin=str(clip))


def is_list(path: Path, options: ReadingOptions) -> bool:
    """Whether a file has on each of its first lines a path of a picture, a video or a folder of frames, and perhaps a label."""
    if path.suffix.lower() not in _LISTS or not path.is_file():
        return False
    lines = [line.strip() for line in head_lines(path, options.encoding)[:_LOOKED_AT] if _says(line)]
    return bool(lines) and all(_is_entry(path, line) for line in lines)


def _is_entry(source: Path, line: str) -> bool:
    name, label = _parted(line)
    return is_filmed(name) or (bool(name and label) and os.path.isdir(source.parent / name))


def _says(line: str) -> bool:
    """Whether a line is neither empty nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _parted(line: str) -> tuple[str, str | None]:
    """The path and the label of a line: behind the end of a name of pictures or videos, or else behind the last blank."""
    if found := _NAMED.fullmatch(line):
        return found[1], found[2]
    name, _, label = line.replace("\t", " ").rpartition(" ")
    return name.strip(), label


def by_list(path: Path, options: ReadingOptions) -> Iterator[Example | DataError]:
    """The clips of a list file: on each line a path, relative to the file or absolute, and a label behind a blank; lines that begin with # are comments."""

    folders = folders_of(path, BESIDE)

    def read(numbered: tuple[int, str]) -> Example:
        number, line = numbered
        name, label = _parted(line.strip())
        place = f"{path}, line {number}"
        found = found_at(name, folders, ends_of(options), place)
        return Example(place, clip=Clip(found), labels=(label,) if label and options.labels_needed else None, origin=str(found))

    return tried((pair for pair in read_lines(path, options.encoding) if _says(pair[1])), read)


def ends_of(options: ReadingOptions) -> tuple[str, ...]:
    """How names of files with frames end: those of tables are some if their `shape` is said."""
    return FILMED if options.shape is None else (*FILMED, *SENSED)


def frame_column(path: Path, options: ReadingOptions) -> str | None:
    """The column or key of a table that names pictures, videos, tables of frames, or folders of frames."""
    folders, ends = folders_of(path, BESIDE), ends_of(options)
    named = shortened(folders, ends)

    def there(name: str) -> list[Path]:
        # `os.path`, as a text that is too long for a name is no folder either.
        return [folder / name.strip() for folder in folders if os.path.isdir(folder / name.strip())]

    return path_column(
        path,
        options,
        ends,
        lambda name: named(name) or bool(there(name)),
        lambda name: named(name) or any(map(frames_in, there(name))),
    )


def with_frames(example: Example, path: Path, options: ReadingOptions, begin: float = 0.0, end: float | None = None) -> Example:
    """An example with a clip, which may be a table of frames, from a time up to another one."""
    sensed = options.shape is not None and path.name.lower().endswith(SENSED)
    return replace(example, text=None, clip=Clip(path, begin, end, read_shape(options.shape or "") if sensed else None))


def in_columns(path: Path, options: ReadingOptions) -> ReadingOptions:
    """The options with the column of paths."""
    column = frame_column(path, options)
    return replace(options, input=options.input or column, learnt=() if column not in options.learnt[:1] else options.learnt)


def by_table(path: Path, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """The clips of a table or JSON Lines, whole ones, or the part from `start` to `end` that a row names.

    Where steps are wanted, the rows of one file are the intervals of its frames with their labels.
    """
    known, folders, ends = in_columns(path, options), folders_of(path, BESIDE), ends_of(options)
    rows = table_of(path).read([path], known, Target.LABELS if wanted is Target.TAGS else wanted)

    def part(example: Example) -> _Part:
        return _part(found_at((example.text or "").strip(), folders, ends, example.place, known.input), example)

    parts = tried(rows, part)
    if wanted is Target.TAGS:
        return _joined(parts, options)
    return tried(parts, lambda part: with_frames(part.example, part.path, options, part.begin, part.end))


@dataclass(frozen=True)
class _Part:
    """What a row says of the part of a file."""

    example: Example
    path: Path
    begin: float
    end: float | None


def _part(path: Path, example: Example) -> _Part:
    begin, end = span_of(cells_of(example), example.place)
    if end is not None and not begin < end:
        raise DataError(f"{example.place}: the interval from {begin:g} to {end:g} is empty. Mend the row.")
    return _Part(example, path, begin, end)


def _joined(parts: Iterable[_Part | DataError], options: ReadingOptions) -> Iterator[Example | DataError]:
    """One example for all intervals of a file, wherever they stand."""
    files = dict[Path, list[_Part]]()
    for one in parts:
        if isinstance(one, DataError):
            yield one
        else:
            files.setdefault(one.path, []).append(one)
    for path, rows in files.items():
        yield _tagged(path, options, rows)


def _tagged(path: Path, options: ReadingOptions, rows: list[_Part]) -> Example:
    spans = tuple((row.begin, inf if row.end is None else row.end, row.example.labels[0]) for row in rows if row.example.labels)
    table, _, _ = rows[0].example.place.rpartition(",")
    return with_frames(
        replace(rows[0].example, place=f"{table}, {path.name}", labels=None, spans=spans or None, origin=str(path)), path, options
    )


def found_at(name: str, folders: Sequence[Path], ends: Sequence[str], place: str, column: str | None = None) -> Path:
    """A file or folder that is named at a place of a table or list, with its end or without it, looked for in some folders. `DataError` if it is not there."""
    found = file_in(folders, name, ends, os.path.exists)
    if found is None:
        raise missing(folders, name, ends, place, column)
    return found
