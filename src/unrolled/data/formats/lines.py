"""Plain text: a sequence a line, without labels or with one label for all lines of a file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TextIO

from unrolled.data.examples import BLANK, Example, Prediction, Target
from unrolled.data.folders import visible, visible_folders
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.files import STANDARD_INPUT, named, open_text, tried_lines
from unrolled.data.formats.format import About
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.opening import PACKED, PLAIN_TEXT
from unrolled.errors import ConfigError, DataError

_TEXT = frozenset({"", *PLAIN_TEXT, ".utf8"})
"""Ends of names that say nothing about a class."""

_SHOWN = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r"})
"""How characters are written that would divide cells and lines."""


class PlainLines:
    """Text without labels. Lines with nothing in them are blank examples."""

    name = "lines"
    suffixes: tuple[str, ...] = PLAIN_TEXT
    about = About(
        "plain text without labels, a sequence a line, to predict",
        ("text",),
        ("separator",),
        "What time is it?\nTurn off the lights.\n",
        task="",
        labels="Plain text has none: pass a table, or a file for each label.",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The lines, or the texts where each file is one; what is typed is always read by lines."""
        for path in paths:
            yield from _text(path, options) if options.whole and path != STANDARD_INPUT else _lines(path, options)

    def write(self, found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
        """For each line the label, its probability and the text, or for each of its tokens that, its tag and the probability, with tabs between.

        A blank line stays one. After the tokens of a line comes an empty one. Characters with one tag in a row are together, with their mean probability.
        """
        for example, prediction in found:
            if example.blank:
                file.write("\n")
            elif prediction.each_step:
                file.writelines("\t".join(row) + "\n" for row in (*_pieces(example.tokens or (), prediction), ()))
            else:
                text = (example.text or "").replace("\n", " ")
                file.write("\t".join((*prediction.cells(options.between), text)) + "\n")


class ClassFiles(PlainLines):
    """Files that have a class each: `pos.txt` and `neg.txt`, a sequence a line; or a folder for each class, a sequence a file.

    The class is named by the file without its suffix, by the suffix if all names are equal without it, or by the folder; in files that are
    only to be labelled by none. README and LICENSE files, hidden ones and those that begin with an underscore are left out.
    """

    name = "files"
    suffixes = ()
    about = About(
        "a file for each class, a sequence a line, or a folder for each class, a sequence a file",
        ("text", "labels", "values"),
        sample="Dubois\nLefèvre\nMoreau\n",
    )

    def read(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
        """The sequences class by class, in the order of names. A folder without files is a `DataError`, and a file that cannot be read as a sequence is bad."""
        if wanted.each_step:
            raise ConfigError("Files of classes have a label for each sequence and none for its steps. Use them to classify, not to tag.")
        whole = options.whole or _are_classes(_folders(paths), paths)
        for file, label in classes(paths, whole=whole):
            yield from (_text if whole else _lines)(file, options, (label,))

    def resolve(self, paths: Sequence[Path], options: ReadingOptions, wanted: Target) -> ReadingOptions:
        """That files have classes, and whether each is one sequence."""
        return replace(options, format=self.name, whole=_are_classes(_folders(paths), paths))


def _pieces(tokens: Sequence[str], prediction: Prediction) -> Iterator[tuple[str, ...]]:
    """What each tag stands at, the tag, and its probability; of numbers each step's."""
    if prediction.tags is None:
        yield from ((token.translate(_SHOWN), *cells) for token, cells in zip(tokens, prediction.step_cells(","), strict=True))
        return
    steps = zip(tokens, prediction.tags, prediction.probabilities, strict=True)
    characters = all(len(token) == 1 for token in tokens)
    for (tag, _), run in groupby(enumerate(steps), lambda at: (at[1][1], characters or at[0])):
        inside = [step for _, step in run]
        sure = [probability for _, _, probability in inside]
        text = "".join(token for token, _, _ in inside).translate(_SHOWN)
        yield text, tag, f"{sum(sure) / len(sure):.4f}"


def classes(paths: Sequence[Path], *, whole: bool | None = None) -> list[tuple[Path, str]]:
    """The files of classes, each with its class; those in folders of classes are `whole` sequences, if nothing is said."""
    if _are_classes(_folders(paths), paths) if whole is None else whole:
        inside = [file for folder in _folders(paths) for file in visible(folder)]
        return [(file, file.absolute().parent.name) for file in inside or paths]
    files = [file for path in paths for file in (visible(path) if path.is_dir() else [path])]
    by_suffix = len({_stem(file) for file in files}) == 1 and all(_suffix(file) not in _TEXT for file in files)
    return [(file, _suffix(file)[1:] if by_suffix else _stem(file)) for file in files]


def _folders(paths: Sequence[Path]) -> list[Path]:
    """The folders among some paths, or those inside them."""
    return [folder for path in paths if path.is_dir() for folder in (visible_folders(path) or [path])]


def _are_classes(folders: Sequence[Path], paths: Sequence[Path]) -> bool:
    """Whether each folder is a class, and not the only one a place where the files of all classes lie."""
    return len(folders) > 1 or (len(folders) == 1 and folders[0] not in paths)


def _text(path: Path, options: ReadingOptions, labels: tuple[str, ...] | None = None) -> Iterator[Example | DataError]:
    """A whole file as one sequence."""
    return tried([path], lambda path: _whole(path, options, labels))


def _whole(path: Path, options: ReadingOptions, labels: tuple[str, ...] | None) -> Example:
    with open_text(path, options.encoding) as file:
        text = file.read().replace("\r\n", "\n").strip()
    if not text:
        raise DataError(
            f"{named(path)} is empty, and should be a sequence{f' of the class {labels[0]!r}' if labels else ''}. Fill it, or take it away."
        )
    return Example(str(path), text=text, labels=labels if options.labels_needed else None)


def _lines(path: Path, options: ReadingOptions, labels: tuple[str, ...] | None = None) -> Iterator[Example | DataError]:
    empty, name = True, named(path)
    labels = labels if options.labels_needed else None
    for item in tried_lines(path, options.encoding):
        if isinstance(item, DataError):
            yield item
        elif item[1].strip():
            empty = False
            yield Example(f"{name}, line {item[0]}", text=item[1], labels=labels)
        elif not options.labels_needed:
            yield Example(f"{name}, line {item[0]}", text="", origin=BLANK)
    if empty:
        raise DataError(f"{name} has no text. Give a sequence a line.")


def _stem(path: Path) -> str:
    return Path(_plain(path)).stem


def _suffix(path: Path) -> str:
    return Path(_plain(path)).suffix


def _plain(path: Path) -> str:
    """The name of a file without the end that says that it is packed."""
    return path.stem if path.suffix.lower() in PACKED else path.name
