"""Sound, however it lies about: files, folders, archives, Kaldi's folders, and tables with the paths of files."""

import csv
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import TextIO

from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats.files import look_ahead
from unrolled.data.formats.format import About
from unrolled.data.formats.objects import JsonLines
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import require_alike, table_of
from unrolled.data.formats.sound_layouts import BESIDE, Tree, by_folder, by_pattern, layout_of, with_spans, with_texts
from unrolled.data.formats.sound_tables import in_columns, known_column, read_table, sound_column
from unrolled.data.formats.tables import TextTable
from unrolled.data.sound.recordings import Recording
from unrolled.data.sound.waves import SOUNDS, is_sound
from unrolled.errors import ConfigError, DataError, UnrolledWarning

MOST_LOOKED_AT = 1000
"""Files of a folder that are looked at to find out whether it has sound."""


class Sounds:
    """Recordings: files of sound, with what is said of them in their names, their folders, texts beside them, or a table."""

    name = "sound"
    suffixes = SOUNDS
    about = About(
        "wav, flac, ogg or mp3: files, folders of classes, zip archives, Kaldi, LibriSpeech and LJSpeech folders, tables with paths",
        ("sound", "labels", "tags", "values", "texts"),
        ("pattern", "input", "target", "header", "separator", "group"),
        labels="Name a `pattern` such as '{label}_{speaker}.wav', put the files of each class into a folder of their own, put a .txt file beside each "
        "recording (for tags a label track of Audacity, a TextGrid, or a table with start, end and label), or pass a table with their paths.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The recordings, which are heard later. What names a file that is not there is a `DataError`, and so is a table with other columns than the first."""
        if wanted is Target.STEP_VALUES:
            raise ConfigError(
                "A recording has no numbers for its frames. Use it to classify, to tag, to transcribe, or for a number of all of it."
            )
        others = [path for path in paths if not is_sound(path.name)]
        tables = [path for path in others if known_column(path, options) is not None]
        require_alike(tables, options, lambda path: self.resolve([path], options, wanted).learnt)
        yield from _named([(path.as_posix(), Recording(path)) for path in paths if is_sound(path.name)], options, wanted)
        for path in others:
            yield from _read(path, options, wanted)

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """With the columns of the first table."""
        if known_column(paths[0], options) is None:
            return options
        known = Target.LABELS if wanted is Target.TAGS else wanted
        return table_of(paths[0]).resolve(paths, in_columns(paths[0], options, wanted), known)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """A table as it was with the prediction added, or a new one with the file of each recording and what is predicted."""
        first, found = look_ahead(found, 1)
        origin = first[0][0].origin if first else None
        if origin is not None and not first[0][1].each_step:
            (JsonLines() if isinstance(origin, Mapping) else TextTable("csv", (), ",")).write(found, file, options)
            return
        table = csv.writer(file, lineterminator="\n")
        for number, (example, prediction) in enumerate(found):
            if not number:
                table.writerow(["file", *(("begin", "end") if prediction.each_step else ()), *prediction.columns])
            name = str(example.sound)
            if prediction.each_step:
                table.writerows([name, begin, end, tag, f"{p:.4f}"] for begin, end, tag, p in prediction.stretches())
            else:
                table.writerow([name, *prediction.cells(options.between)])


def _read(path: Path, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """The recordings of a folder, an archive or a table."""
    if known_column(path, options) is not None:
        yield from read_table(path, options, wanted)
        return
    if path.is_file() and path.suffix.lower() != ".zip":
        raise DataError(f"{path} names no files of sound. Pass sound, a folder or zip archive of it, or a table with a column of paths.")
    tree = Tree.of(path)
    layout = None if options.pattern or wanted is Target.TAGS else layout_of(tree)
    if layout is not None:
        yield from layout(tree, options, wanted)
        return
    if not tree.sounds:
        raise DataError(f"{path} has no files of sound in it: {', '.join(SOUNDS)}. Pass one that has some.")
    if wanted is Target.TEXTS and options.labels_needed and not options.pattern:
        _notice_texts_alone(tree)
    yield from _named([(name, tree.recording(name)) for name in tree.sounds], options, wanted)


def _notice_texts_alone(tree: Tree) -> None:
    """Say which of the texts that lie beside recordings have none, as an `UnrolledWarning`."""
    stems = {PurePosixPath(name).with_suffix("") for name in tree.sounds}
    texts = [name for name in tree.names if name.lower().endswith(BESIDE)]
    alone = [name for name in texts if PurePosixPath(name).with_suffix("") not in stems]
    if 0 < len(alone) < len(texts):
        more = f" and {len(alone) - 1:,} more texts have" if len(alone) > 1 else " has"
        warnings.warn(
            f"{tree.root / alone[0]}{more} no recording of the same name beside it, and is not learnt.", UnrolledWarning, stacklevel=2
        )


def _named(recordings: list[tuple[str, Recording]], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """Recordings with what their names, folders or neighbours say."""
    if wanted is Target.TAGS:
        return with_spans(recordings, options, wanted)
    if options.pattern and options.labels_needed:
        return by_pattern(recordings, options, wanted)
    return (with_texts if wanted is Target.TEXTS else by_folder)(recordings, options, wanted)


def has_sound(path: Path, options: ReadingOptions) -> bool:
    """Whether a path is that of sound: a file of it, a folder or an archive that has some, or a table that names some."""
    if path.is_dir():
        inside = islice(path.rglob("*"), MOST_LOOKED_AT)
        return any(
            is_sound(one.name) or one.name == "wav.scp" for one in chain([path / "wav.scp"] if (path / "wav.scp").exists() else [], inside)
        )
    if not path.is_file():
        return is_sound(path.name)
    if path.suffix.lower() == ".zip":
        try:
            if any(map(is_sound, Tree.of(path).names)):
                return True
        except DataError:
            # Whoever reads the archive says what is wrong with it.
            return False
    return is_sound(path.name) or sound_column(path, options) is not None
