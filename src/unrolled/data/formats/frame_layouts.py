"""How pictures and videos lie in folders, list files and tables, and where what is said of them stands."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from unrolled.data.examples import Example, Span, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.files import head_lines, read_lines
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import cells_of, path_column, span_of, table_of
from unrolled.data.pictures.clips import FILMED, Clip, frames_in, is_filmed, natural
from unrolled.errors import DataError

BESIDE = ("videos", "video", "clips", "frames", "images", "pictures")
"""Folders beside a table or a list in which its files may lie."""

_LISTS = (".txt", ".lst", ".list")
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
    lines = [line.strip() for line in head_lines(path, options.encoding)[:_LOOKED_AT] if line.strip()]
    return bool(lines) and all(_is_entry(path, line) for line in lines)


def _is_entry(source: Path, line: str) -> bool:
    name, label = _parted(line)
    return is_filmed(name) or (bool(name and label) and (source.parent / name).is_dir())


def _parted(line: str) -> tuple[str, str | None]:
    """The path and the label of a line; the label has no blanks."""
    if is_filmed(line):
        return line, None
    name, _, label = line.replace("\t", " ").rpartition(" ")
    return name.strip(), label


def by_list(path: Path, options: ReadingOptions) -> Iterator[Example | DataError]:
    """The clips of a list file: on each line a path, relative to the file or absolute, and a label behind a blank."""

    def read(numbered: tuple[int, str]) -> Example:
        number, line = numbered
        name, label = _parted(line.strip())
        place = f"{path}, line {number}"
        found = found_at(name, path, place)
        return Example(place, clip=Clip(found), labels=(label,) if label and options.labels_needed else None, origin=str(found))

    return tried((pair for pair in read_lines(path, options.encoding) if pair[1].strip()), read)


def frame_column(path: Path, options: ReadingOptions) -> str | None:
    """The column or key of a table that names pictures or videos: one that `input` names may have folders of frames."""
    return path_column(path, options, FILMED)


def in_columns(path: Path, options: ReadingOptions) -> ReadingOptions:
    """The options with the column of paths."""
    column = frame_column(path, options)
    return replace(options, input=options.input or column, learnt=() if column not in options.learnt[:1] else options.learnt)


def by_table(path: Path, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """The clips of a table or JSON Lines, whole ones, or the part from `start` to `end` that a row names.

    Where steps are wanted, the rows of one file are the intervals of its frames with their labels.
    """
    rows = table_of(path).read([path], in_columns(path, options), Target.LABELS if wanted is Target.TAGS else wanted)
    clips = tried(rows, lambda example: _filmed(path, example))
    return _joined(clips) if wanted is Target.TAGS else clips


def _filmed(path: Path, example: Example) -> Example:
    found = found_at((example.text or "").strip(), path, example.place)
    begin, end = span_of(cells_of(example), example.place)
    if end is not None and not begin < end:
        raise DataError(f"{example.place}: the interval from {begin:g} to {end:g} is empty. Mend the row.")
    return replace(example, text=None, clip=Clip(found, begin, end))


def _joined(clips: Iterable[Example | DataError]) -> Iterator[Example | DataError]:
    """One example for all intervals of a file, which stand one below the other."""
    for path, group in groupby(clips, lambda one: None if isinstance(one, DataError) or one.clip is None else one.clip.path):
        several = list(group)
        spans, first = list[Span](), several[0]
        if path is None or isinstance(first, DataError):
            yield from several
            continue
        for one in several:
            assert isinstance(one, Example) and one.clip is not None
            if one.labels:
                spans.append((one.clip.begin, float("inf") if one.clip.end is None else one.clip.end, one.labels[0]))
        yield replace(first, clip=Clip(path), labels=None, spans=tuple(spans) or None, origin=str(path))


def found_at(name: str, source: Path, place: str) -> Path:
    """A file or folder that is named at a place of a table or list, looked for beside it. `DataError` if it is not there."""
    folders = [source.absolute().parent, *(source.absolute().parent / beside for beside in BESIDE)]
    tried_ones = [folder / name for folder in folders]
    found = next((one for one in tried_ones if one.exists()), None) if name else None
    if found is None:
        raise DataError(f"{place}: there is no file {name!r}; it was looked for as {', '.join(map(str, tried_ones[:3]))}. Mend the path.")
    return found
