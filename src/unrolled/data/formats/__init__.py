"""Labelled files in the formats that people have: each read as a stream of examples, and written again with predictions."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TextIO

from unrolled.data.builtin import PREFIX, expanded, paths_of
from unrolled.data.builtin_examples import OF_DIGITS, builtin_examples
from unrolled.data.examples import Example, Prediction, Target
from unrolled.data.formats import known
from unrolled.data.formats.bad_rows import decided, tried
from unrolled.data.formats.bio import in_bio
from unrolled.data.formats.contents import are_plain
from unrolled.data.formats.doubtful import in_normal_form, not_names, noticed
from unrolled.data.formats.files import named
from unrolled.data.formats.heads import FormatSeen
from unrolled.data.formats.hugging_face import from_hugging_face
from unrolled.data.formats.known import FORMATS, are_text, files_of, find_format, require_looked_at, resolved, where_labels_are
from unrolled.data.formats.numbers import parse_targets
from unrolled.data.formats.objects import save_examples
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import cure_for
from unrolled.data.pictures.images import GLIMPSES, fields_of
from unrolled.data.text import Source
from unrolled.errors import ConfigError, DataError, UnrolledWarning

__all__ = [
    "FORMATS",
    "ReadingOptions",
    "for_other_files",
    "from_hugging_face",
    "labelled_examples",
    "read_examples",
    "require_used",
    "resolve_format",
    "resolve_reading",
    "save_examples",
    "seen_format",
    "write_predictions",
]


def read_examples(sources: Source | Sequence[Source], options: ReadingOptions, wanted: Target, *, blank: bool = False) -> Iterator[Example]:
    """The examples of files, folders, built-in sources (`builtin:…`) and the standard input (`-`), one by one.

    `wanted` is what is to be said of them. The format is that of `find_format`. Tags of spans
    come in BIO, from the scheme that the options name or the first sequences show, unless labels are not needed (`options.to_predict()`)
    and come as they are. What cannot be read, unless it is left out as `options.bad_rows` says, and sources without any sequence, are
    a `DataError`; two sequences of one name are an `UnrolledWarning`. Empty lines of plain text are left out, or `blank` examples in their place.
    """
    found = _decided(sources, options, _found(sources, options, wanted))
    return found if blank else (example for example in found if not example.blank)


def _found(sources: Source | Sequence[Source], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """The examples, and in the place of bad ones what is wrong with them."""
    examples = _read(_names(sources), options, wanted)
    if options.labels_needed and not wanted.numbers:
        examples = tried(examples, in_normal_form(_filled))
    if wanted is Target.TAGS and options.labels_needed:
        examples = in_bio(examples, options.scheme)
    return tried(examples, lambda example: _in_numbers(example, options)) if wanted.numbers else examples


def _decided(sources: Source | Sequence[Source], options: ReadingOptions, examples: Iterable[Example | DataError]) -> Iterator[Example]:
    seen: set[str] = set()
    example = None
    for example in decided(examples, options.bad_rows):
        if example.name is not None:
            _notice_twice(example, seen)
        yield example
    if example is None:
        raise DataError(f"There is no sequence in {', '.join(map(named, map(Path, _names(sources))))}. Pass files that have some.")


def labelled_examples(
    sources: Source | Sequence[Source], options: ReadingOptions, wanted: Target, *, several: bool = False
) -> Iterator[Example]:
    """The same, but an example without what is wanted is a `DataError` that says where its format has it.

    So is one with many labels, unless `several` are meant; then it may have none, too. Labels such as NA are labels, of which an `UnrolledWarning` tells.
    """

    def require(example: Example) -> Example:
        found = example.values if wanted.numbers else (example.tags or example.spans) if wanted.each_step else example.labels
        if found is None or not (len(found) or several or example.spans is not None):
            what = f"{wanted.said}{'s' if wanted.each_step else ''}"
            elsewhere = f"{where_labels_are(_paths(_names(sources)), options, wanted)}{_where_from(example, options)}"
            raise DataError(f"{example.place}: the sequence has no {what}. {cure_for(example, wanted) or elsewhere}")
        if len(found) > 1 and wanted is Target.LABELS and not several:
            told = ", ".join(map(repr, found))
            raise DataError(f"{example.place}: a sequence must have one label, got {told}. Train with `output='multi-label'` for several.")
        return example

    found = not_names(_decided(sources, options, tried(_found(sources, options, wanted), require)), _paths(_names(sources)))
    return noticed(found) if wanted is Target.LABELS else found


def _where_from(example: Example, options: ReadingOptions) -> str:
    """The column from which a label was to come, and why it, as a sentence; nothing where that is not known."""
    if example.target:
        return f" It was looked for in {example.target}{'' if options.target else ', as `target` is not given'}."
    learnt = () if options.target else options.learnt_targets
    return f" It was looked for in {', '.join(map(repr, learnt))}, where those that are learnt stand." if learnt else ""


def _filled(example: Example) -> Example:
    """The example, if none of its labels and tags is empty."""
    # A blank may be a tag: where proteins are loops, their states are often written so.
    step = next((step for step, tag in enumerate(example.tags or ()) if not tag), None)
    if step is not None or not all(map(str.strip, example.labels or ())):
        place, what = (example.place, "label") if step is None else (example.step_place(step), "tag")
        raise DataError(f"{place}: the {what} is empty. Fill it in, or take it out.")
    return example


def _in_numbers(example: Example, options: ReadingOptions) -> Example:
    """With its labels or tags as numbers, where its format knows of labels and tags alone."""
    if example.values is not None or (example.labels is None and example.tags is None):
        return replace(example, labels=None, tags=None)
    cells = [example.labels] if example.labels is not None else [(tag,) for tag in example.tags or ()]
    try:
        values = parse_targets(cells, lambda row: example.place if example.labels is not None else example.step_place(row))
    except DataError:
        if options.labels_needed:
            raise
        return replace(example, labels=None, tags=None)
    return replace(example, labels=None, tags=None, values=values if example.tags is not None else values[0])


def resolve_format(sources: Source | Sequence[Source], options: ReadingOptions, wanted: Target) -> ReadingOptions:
    """The options with the format named that the sources are in, as `write_predictions` needs it; JSON Lines for built-in ones."""
    paths = _paths(_names(sources))
    return replace(options, format=find_format(paths, options, wanted).name if paths else "jsonl")


def resolve_reading(sources: Source | Sequence[Source], options: ReadingOptions, wanted: Target) -> ReadingOptions:
    """The options with what the sources of a run show of how other files are to be read, such as the columns that it learns from."""
    paths = _paths(_names(sources))
    return resolved(paths, options, wanted) if paths else options


def seen_format(sources: Source | Sequence[Source], options: ReadingOptions, wanted: Target) -> FormatSeen:
    """The format of some sources, and the columns of the first file; errors as in `read_examples`."""
    paths = _paths(_names(sources))
    return known.seen_format(paths, options, wanted) if paths else FormatSeen("builtin", "as the name says")


def for_other_files(options: ReadingOptions, sources: Source | Sequence[Source], *, labels: bool = True) -> ReadingOptions:
    """The resolved options of a run for other sources, with or without `labels`.

    That each file has a label holds for files that do not say what they are; those without labels say it themselves.
    """
    paths = _paths(_names(sources))
    keeps = options.format != "files" or (labels and are_text(paths) and (not options.unnamed or are_plain(paths, options)))
    return options.of_others() if keeps else replace(options.of_others(), format=None)


def require_used(sources: Source | Sequence[Source], options: ReadingOptions, asked: Iterable[str]) -> None:
    """`ConfigError` if some options that were `asked` for, by name, say nothing about sources in the format that `options` name."""
    names, asked = _names(sources), {*asked}
    made = {"digits", "copies"}
    if (named := asked & made) and not {*OF_DIGITS} & {*names}:
        raise ConfigError(f"`{min(named)}` is for {', '.join(OF_DIGITS)}, and DATA has none of these. Leave it out.")
    pictures = {*made, "image"} if {*names} <= {*OF_DIGITS} else made
    require_looked_at(options if _paths(names) else replace(options, format=PREFIX), asked - pictures)


def write_predictions(found: Iterable[tuple[Example, Prediction]], file: TextIO, options: ReadingOptions) -> None:
    """Write examples in the format that `options` name, in which they were read (`resolve_format`), with a prediction beside each."""
    FORMATS[options.format or "jsonl"].write(found, file, options)


def _read(names: Sequence[str], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    for name in names:
        if name.startswith(PREFIX):
            found = builtin_examples(name, wanted, partial(_digits, options) if options.digits else None, options.copies)
            yield from map(partial(_read_as, options.image), found) if name in OF_DIGITS else found
    if paths := _paths(names):
        format = find_format(paths, options, wanted)
        yield from format.read(files_of(paths, format), options, wanted)


def _digits(options: ReadingOptions) -> Iterator[Example]:
    """The digits that built-in sources are made of, as pictures."""
    read = FORMATS["idx"].read([Path(options.digits or "")], replace(options, image=GLIMPSES), Target.LABELS)
    return decided(read, options.bad_rows)


def _read_as(image: str, picture: Example) -> Example:
    """A picture as `image` says; a clip as it is."""
    assert picture.frames is not None
    return picture if len(picture.frames) > 1 else replace(picture, **fields_of(picture.frames[0, ..., 0], image))


def _names(sources: Source | Sequence[Source]) -> list[str]:
    names = expanded(paths_of(sources))
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
