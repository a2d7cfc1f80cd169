"""Pictures and videos, however they lie about: files, folders, list files, and tables with the paths of files."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.files import look_ahead
from unrolled.data.formats.format import About
from unrolled.data.formats.frame_layouts import by_folder, by_list, by_table, frame_column, in_columns, is_list, with_frames
from unrolled.data.formats.objects import JsonLines
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import require_alike, table_of
from unrolled.data.formats.tables import TextTable
from unrolled.data.pictures.clips import FILMED, Clip, is_filmed
from unrolled.data.pictures.images import WHOLE
from unrolled.data.pictures.sensors import SENSED
from unrolled.errors import ConfigError, DataError

MOST_LOOKED_AT = 1000
"""Files of a folder that are looked at to find out whether it has pictures or videos."""


class Frames:
    """Clips: pictures, videos and folders of frames, with what is said of them in their folders, a list, or a table."""

    name = "frames"
    suffixes = FILMED
    about = About(
        "pictures (PNG, JPEG, GIF, TIFF) and videos (mp4, avi, webm): files, folders of classes, folders of frames, list files, tables with paths",
        ("frames", "labels", "tags", "values", "texts"),
        ("input", "target", "header", "separator", "group", "shape", "image"),
        labels="Put the files of each class into a folder of their own, write a list with `path label` on each line, or pass a table with their "
        "paths; for tags one with the columns file, start, end and label.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The clips, which are seen later. What names a file that is not there is a `DataError`, and so is a table with other columns than the first."""
        if wanted is Target.STEP_VALUES:
            raise ConfigError("A clip has no numbers for its frames. Use it to classify, to tag, or for numbers of all of it.")
        if options.image == WHOLE:
            raise ConfigError("`image='whole'` reads the pixels of idx files as numbers. Leave it out: a picture is one frame.")
        files = [path for path in paths if not is_filmed(path.name) and path.is_file() and not is_list(path, options)]
        tables = [path for path in files if frame_column(path, options) is not None]
        require_alike(tables, options, lambda path: self.resolve([path], options, wanted).learnt)
        for path in paths:
            if path.is_dir():
                yield from by_folder(path, options)
            elif is_filmed(path.name):
                yield Example(path.as_posix(), clip=Clip(path), origin=str(path))
            elif frame_column(path, options) is None and options.shape is not None and path.name.lower().endswith(SENSED):
                yield with_frames(Example(path.as_posix(), origin=str(path)), path, options)
            elif is_list(path, options):
                yield from by_list(path, options)
            elif frame_column(path, options) is not None:
                yield from by_table(path, options, wanted)
            else:
                told = f"{path} names no pictures or videos"
                raise DataError(f"{told}. Pass some, a folder of them, or a list or a table with a column of paths.")

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the first table."""
        if paths[0].is_dir() or is_list(paths[0], options) or frame_column(paths[0], options) is None:
            return options
        return table_of(paths[0]).resolve(paths, in_columns(paths[0], options), Target.LABELS if wanted is Target.TAGS else wanted)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """A table as it was with the prediction added, or a new one with the file of each clip and what is predicted."""
        first, found = look_ahead(found, 1)
        origin = first[0][0].origin if first else None
        if isinstance(origin, (Mapping, tuple)) and not first[0][1].each_step:
            (JsonLines() if isinstance(origin, Mapping) else TextTable("csv", (), ",")).write(found, file, options)
            return
        table = csv.writer(file, lineterminator="\n")
        for number, (example, prediction) in enumerate(found):
            if not number:
                table.writerow(["file", *(("start", "end") if prediction.each_step else ()), *prediction.columns])
            name = str(example.clip or example.place)
            if prediction.each_step:
                table.writerows([name, begin, end, tag, f"{p:.4f}"] for begin, end, tag, p in prediction.stretches())
            else:
                table.writerow([name, *prediction.cells(options.between)])


def has_frames(path: Path, options: ReadingOptions) -> bool:
    """Whether a path is that of pictures or videos: a file of them, a folder that has some, or a list or table that names some."""
    if path.is_dir():
        return any(is_filmed(one.name) for one in islice(path.rglob("*"), MOST_LOOKED_AT))
    return (
        options.shape is not None
        or is_filmed(path.name)
        or (path.is_file() and (is_list(path, options) or frame_column(path, options) is not None))
    )
