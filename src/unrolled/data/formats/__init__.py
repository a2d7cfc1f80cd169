"""Labelled files in the formats that people have: each read as a stream of examples, and written again with predictions."""

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from unrolled.data.builtin import PREFIX
from unrolled.data.builtin_examples import builtin_examples
from unrolled.data.examples import Example, Prediction
from unrolled.data.formats.bio import in_bio
from unrolled.data.formats.files import named
from unrolled.data.formats.hugging_face import from_hugging_face
from unrolled.data.formats.known import FORMATS, are_text, files_of, find_format, resolved, where_labels_are
from unrolled.data.formats.objects import save_examples
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.text import Source
from unrolled.errors import DataError, UnrolledWarning

__all__ = [
    "FORMATS",
    "ReadingOptions",
    "for_other_files",
    "from_hugging_face",
    "labelled_examples",
    "read_examples",
    "resolve_format",
    "resolve_reading",
    "save_examples",
    "write_predictions",
]


def read_examples(sources: Source | Sequence[Source], options: ReadingOptions, *, tagged: bool) -> Iterator[Example]:
    """The examples of files, folders, built-in sources (`builtin:…`) and the standard input (`-`), one by one.

    `tagged` says whether labels belong to steps or to whole sequences. The format is that of `find_format`. Tags of spans
    come in BIO, from the scheme that the options name or the first sequences show, unless labels are not needed (`options.to_predict()`)
    and come as they are. What cannot be read, and sources without any sequence, are
    a `DataError`; two sequences of one name are an `UnrolledWarning`.
    """
    names = _names(sources)
    examples = _read(names, options, tagged)
    if tagged and options.labels_needed:
        examples = in_bio(examples, options.scheme)
    seen: set[str] = set()
    example = None
    for example in examples:
        if example.name is not None:
            _notice_twice(example, seen)
        yield example
    if example is None:
        raise DataError(f"There is no sequence in {', '.join(map(named, map(Path, names)))}. Pass files that have some.")


def labelled_examples(
    sources: Source | Sequence[Source], options: ReadingOptions, *, tagged: bool, several: bool = False
) -> Iterator[Example]:
    """The same, but an example without a label, or without tags if `tagged`, is a `DataError` that says where its format has them.

    So is one with many labels, unless `several` are meant; then it may have none, too.
    """
    for example in read_examples(sources, options, tagged=tagged):
        found = example.tags if tagged else example.labels
        if found is None or not (found or several):
            cure = where_labels_are(_paths(_names(sources)), options, tagged=tagged)
            what, where = "tags" if tagged else "label", _where_from(example, options)
            raise DataError(f"{example.place}: the sequence has no {what}. {cure}{where}")
        if len(found) > 1 and not (tagged or several):
            told = ", ".join(map(repr, found))
            raise DataError(f"{example.place}: a sequence must have one label, got {told}. Train with `--output multi-label` for several.")
        yield example


def _where_from(example: Example, options: ReadingOptions) -> str:
    """The column from which a label was to come, and why it, as a sentence; nothing where that is not known."""
    if column := example.record.get("target"):
        return f" It was looked for in {column}{'' if options.target else ', as `--target` is not given'}."
    learnt = None if options.target else options.learnt_target
    return f" It was looked for in {learnt!r}, where those that are learnt stand." if learnt else ""


def resolve_format(sources: Source | Sequence[Source], options: ReadingOptions, *, tagged: bool) -> ReadingOptions:
    """The options with the format named that the sources are in, as `write_predictions` needs it; JSON Lines for built-in ones."""
    paths = _paths(_names(sources))
    return replace(options, format=find_format(paths, options, tagged=tagged).name if paths else "jsonl")


def resolve_reading(sources: Source | Sequence[Source], options: ReadingOptions, *, tagged: bool) -> ReadingOptions:
    """The options with what the sources of a run show of how other files are to be read, such as the columns that it learns from."""
    paths = _paths(_names(sources))
    return resolved(paths, options, tagged=tagged) if paths else options


def for_other_files(options: ReadingOptions, sources: Source | Sequence[Source], *, labels: bool = True) -> ReadingOptions:
    """The resolved options of a run for other sources, with or without `labels`.

    That each file has a label holds for files whose names do not say what they are; those without labels say it themselves.
    """
    keeps = options.format != "files" or (labels and are_text(_paths(_names(sources))))
    return options if keeps else replace(options, format=None)


def write_predictions(found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
    """Write examples in the format that `options` name, in which they were read (`resolve_format`), with a prediction beside each."""
    FORMATS[options.format or "jsonl"].write(found, file, options)


def _read(names: Sequence[str], options: ReadingOptions, tagged: bool) -> Iterator[Example]:
    for name in names:
        if name.startswith(PREFIX):
            yield from builtin_examples(name, tagged)
    if paths := _paths(names):
        known = find_format(paths, options, tagged=tagged)
        yield from known.read(files_of(paths, known), options, tagged=tagged)


def _names(sources: Source | Sequence[Source]) -> list[str]:
    names = [os.fspath(source) for source in ([sources] if isinstance(sources, str | os.PathLike) else sources)]
    if not names:
        raise DataError("No data was given. Pass files, a folder, or a built-in source such as builtin:intents.")
    return names


def _paths(names: Sequence[str]) -> list[Path]:
    return [Path(name) for name in names if not name.startswith(PREFIX)]


def _notice_twice(example: Example, seen: set[str]) -> None:
    """Say of the first name that comes again that it does."""
    name = example.name or ""
    if name in seen and "" not in seen:
        warnings.warn(f"{example.place}: the name {name!r} has come before. Both sequences are read.", UnrolledWarning, stacklevel=4)
        seen.add("")
    seen.add(name)
