"""Pictures and videos with sentences: tables, JSON of COCO and of Karpathy's splits, Flickr8k's tokens, JSON Lines, folders with text files."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from unrolled.data.builtin import expanded
from unrolled.data.examples import Example
from unrolled.data.formats.bad_rows import decided, good, tried
from unrolled.data.formats.caption_json import described, is_coco, is_described
from unrolled.data.formats.caption_lines import in_lines, is_lines
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.caption_parts import require_whole
from unrolled.data.formats.caption_tables import Named, in_objects, in_rows
from unrolled.data.formats.files import HEAD, head_lines, read_lines
from unrolled.data.formats.frame_layouts import BESIDE
from unrolled.data.formats.guesses import column_names
from unrolled.data.formats.heads import ColumnHead, FormatSeen
from unrolled.data.formats.heads import described as described_columns
from unrolled.data.formats.json_values import whole_value
from unrolled.data.formats.object_lines import read_objects
from unrolled.data.formats.rows import open_rows
from unrolled.data.pictures.clips import FILMED, Clip, frames_in, is_filmed, is_picture, natural
from unrolled.data.words import says_nothing
from unrolled.errors import ConfigError, DataError

ARRAYS = (".npy", ".npz")
"""How names of files of features end."""

Find = Callable[[str, str], Path]
"""`(name, place) -> the file of that name`; `DataError` where there is none."""

_OBJECTS = (".jsonl", ".ndjson", ".json")


def read_captions(sources: Sequence[str], options: CaptionOptions, *, features: bool = False, moving: bool = False) -> Iterator[Example]:
    """The pictures of some files and folders with their sentences, each picture once with all of them, in the order in which they come.

    With `features` files of arrays stand for the pictures, under their names with another end. Where `moving` ones are wanted, every folder of pictures that
    stand still is a video; otherwise it is one beside a text file of its name. What cannot be read, a picture that is not there, and one
    without a sentence are a `DataError`, unless they are left out as `options.bad_rows` says.
    """
    found = (example for source in expanded(sources) for example in _of_source(Path(source), options, features=features, moving=moving))
    example = None
    for example in decided(together(found), options.bad_rows):
        yield example
    if example is None:
        raise DataError(f"There is no picture in {', '.join(sources)}. Pass a table with pictures and sentences, or a folder of them.")


def first_captions(sources: Sequence[str], options: CaptionOptions, most: int, *, features: bool = False) -> list[Example]:
    """The first sentences of some sources with their pictures, `most` at most, without those that cannot be read; errors as in `read_captions`."""
    some = (example for source in sources for example in islice(_of_source(Path(source), options, features=features), most))
    return [example for example in some if isinstance(example, Example)]


def caption_format(source: str, options: CaptionOptions, *, features: bool = False) -> FormatSeen:
    """How a source has pictures with sentences."""
    path, ends = Path(source), _ends(features=features)
    if path.is_dir():
        return FormatSeen("folder", "as text files lie beside pictures")
    if is_filmed(path.name) or path.name.endswith(ARRAYS):
        return FormatSeen("picture", "as the name ends so")
    if path.suffix.lower() in _OBJECTS:
        record = whole_value(path, options.encoding) if path.suffix.lower() == ".json" else None
        if is_described(record):
            coco = is_coco(record)
            return FormatSeen("coco" if coco else "karpathy", f"as it has images {'with annotations' if coco else 'in splits'}")
        return FormatSeen("json", "as the name ends so", tuple(_keys(path, options)))
    lines = head_lines(path, options.encoding)
    if is_lines(lines, options, ends):
        some = good(in_lines(path, enumerate(lines, 1), options, ends))
        columns = described_columns(("picture", "sentence"), [(named.name, *named.sentences) for named in some])
        return FormatSeen("lines", "as lines begin with a picture", tuple(columns))
    return FormatSeen("csv", "as its first row names columns", tuple(_heads(path, options)))


def _keys(path: Path, options: CaptionOptions) -> Iterator[ColumnHead]:
    """The keys of the first objects of a file that have one text or number each."""
    records = [record for _, record in good(islice(read_objects(path, options.encoding), HEAD))]
    names = list(dict.fromkeys(name for record in records for name in record))
    plain = [{name: _cell(value) for name, value in record.items()} for record in records]
    return described_columns(names, [[record.get(name, "") for name in names] for record in plain])


def _cell(value: Any) -> str:
    return " | ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _heads(path: Path, options: CaptionOptions) -> Iterator[ColumnHead]:
    with open_rows(path, options.encoding) as (_, rows):
        header, *some = [row for _, row in good(islice(rows, HEAD))] or [[]]
        yield from described_columns(column_names(header), some)


def _ends(*, features: bool) -> tuple[str, ...]:
    return (*FILMED, *ARRAYS) if features else FILMED


def together(examples: Iterable[Example | DataError]) -> Iterator[Example | DataError]:
    """Each clip once, with all its different sentences; where some are parts of files, those of one file are a group."""
    known, bad = dict[Clip, Example](), list[DataError]()
    for example in examples:
        if isinstance(example, DataError):
            bad.append(example)
            continue
        assert example.clip is not None
        before = known.setdefault(example.clip, replace(example, texts=()))
        known[example.clip] = replace(before, texts=tuple(dict.fromkeys((*(before.texts or ()), *(example.texts or ())))))
    yield from bad
    parts = any(clip.begin or clip.end is not None for clip in known)
    yield from (replace(example, group=example.name) if parts else example for example in known.values())


def _of_source(path: Path, options: CaptionOptions, *, features: bool, moving: bool = False) -> Iterator[Example | DataError]:
    whole, video = Path(os.path.abspath(path)), moving and _is_video(path)
    find = _finder(whole.parent if video else path, options, features=features)

    def example(named: Named) -> Example:
        sentences = tuple(filter(None, named.sentences))
        if not sentences and options.sentences_needed:
            raise DataError(f"{named.place}: {named.name} has no sentence. Add one, or take it out.")
        clip = Clip(find(named.name, named.place), named.begin, named.end)
        return Example(named.place, clip=clip, texts=sentences, name=named.name)

    if not path.exists():
        raise DataError(f"{path} does not exist. Pass a table with pictures and sentences, or a folder of them.")
    alone = iter([Named(str(path), whole.name, _beside(whole, options))]) if video else None
    return tried(_filled(alone or _named(path, options, find, _ends(features=features), moving=moving)), example)


def _filled(some: Iterable[Named | DataError]) -> Iterator[Named | DataError]:
    """The same with single blanks in sentences; an empty sentence beside others is an error of its own."""
    for named in some:
        if isinstance(named, DataError):
            yield named
            continue
        sentences = tuple("" if says_nothing(sentence) else " ".join(sentence.split()) for sentence in named.sentences)
        if any(sentences) and not all(sentences):
            yield DataError(f"{named.place}: sentence {sentences.index('') + 1} of {named.name} is empty. Take it out.")
        yield replace(named, sentences=sentences)


def _named(path: Path, options: CaptionOptions, find: Find, ends: tuple[str, ...], *, moving: bool) -> Iterator[Named | DataError]:
    def names(text: str) -> bool:
        return text.lower().endswith(ends) or next(good(tried([text], lambda name: find(name, str(path)))), None) is not None

    if path.is_dir():
        require_whole(path, options.part)
        return _in_folder(path, options, ends, moving=moving)
    if is_filmed(path.name) or path.name.endswith(ARRAYS):
        require_whole(path, options.part)
        return iter([Named(str(path), path.name, _beside(path, options))])
    if path.suffix.lower() in _OBJECTS:
        record = whole_value(path, options.encoding) if path.suffix.lower() == ".json" else None
        records = read_objects(path, options.encoding)
        return described(path, record, options) if is_described(record) else in_objects(path, records, options, names)
    if is_lines(head_lines(path, options.encoding), options, ends):
        return in_lines(path, read_lines(path, options.encoding), options, ends)
    return in_rows(path, options, names)


def _in_folder(folder: Path, options: CaptionOptions, ends: tuple[str, ...], *, moving: bool) -> Iterator[Named | DataError]:
    """The pictures, videos and folders of frames in a folder, each with the lines of the text file of its name beside it."""

    def is_video(path: Path) -> bool:
        return path.is_dir() and ((moving and _is_video(path)) or (path.with_suffix(".txt").is_file() and bool(frames_in(path))))

    inside = sorted((path for path in folder.rglob("*") if not path.name.startswith(".")), key=natural)
    clips = [path for path in inside if path.name.lower().endswith(ends) or is_video(path)]
    framed = {path for path in clips if path.is_dir()}
    for path in clips:
        if path.parent not in framed:
            yield Named(str(path), str(path.relative_to(folder)), _beside(path, options))
    texts = {path.with_suffix("") for path in inside if path.suffix == ".txt"} - {path.with_suffix("") for path in clips}
    for path in sorted(texts) if options.sentences_needed else ():
        yield DataError(f"{path}.txt has sentences, and no picture lies beside it. Put it there, or take the file out.")


def _is_video(folder: Path) -> bool:
    """Whether a folder holds frames: pictures alone, none of which may move by itself or has sentences of its own."""
    some = [path for path in folder.iterdir() if is_filmed(path.name)] if folder.is_dir() else []
    return len(some) > 1 and all(is_picture(p.name) and p.suffix.lower() != ".gif" and not p.with_suffix(".txt").is_file() for p in some)


def _beside(path: Path, options: CaptionOptions) -> tuple[str, ...]:
    text = path.with_suffix(".txt")
    return tuple(line for _, line in read_lines(text, options.encoding) if not says_nothing(line)) if text.is_file() else ()


def _finder(source: Path, options: CaptionOptions, *, features: bool) -> Find:
    """What finds the file of a name at a place of a source: in `images`, or beside it."""
    if options.images is not None and not Path(options.images).is_dir():
        raise ConfigError(f"`images` must be a folder, got {options.images}. Pass the one in which the pictures lie.")
    beside = source.absolute() if source.is_dir() else source.absolute().parent
    folders = [beside, *(beside / name for name in BESIDE)] if options.images is None else [Path(options.images)]
    ends: Sequence[Callable[[Path], Path]] = [lambda path: path, *(_ending(end) for end in ARRAYS if features)]

    def find(name: str, place: str) -> Path:
        tried_ones = [end(folder / name) for end in ends for folder in folders]
        found = next((one for one in tried_ones if os.path.exists(one) and not (features and is_filmed(one.name))), None) if name else None
        if found is None:
            told = f"there is no {'file of features for' if features else 'picture'} {name!r}; it was looked for as {tried_ones[0]}"
            raise DataError(f"{place}: {told}. Mend the name, or say in which folder they lie as `images`.")
        return found

    return find


def _ending(end: str) -> Callable[[Path], Path]:
    return lambda path: path.with_suffix(end)
