"""Recordings and clips of a data set that are heard and seen before it is gathered, so that those which cannot be read may be left out."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from unrolled.data.codecs import Senses, SoundCodec
from unrolled.data.examples import Example, told_at
from unrolled.data.formats.bad_rows import CURE, ERROR, decided, tried
from unrolled.data.formats.files import look_ahead
from unrolled.data.pictures.clips import is_filmed, read_frames
from unrolled.data.pictures.sensors import read_rows
from unrolled.data.sound.hearing import Hearing
from unrolled.data.sound.recordings import Sound, read_samples
from unrolled.data.sound.recordings import rate_of as sound_rate
from unrolled.errors import DataError
from unrolled.tasks.trained import Progress

T = TypeVar("T")


def seen_ahead(examples: Iterable[Example], senses: Senses, bad_rows: str) -> Iterator[Example]:
    """The examples with the frames of their clips. One whose clip cannot be read is left out if `bad_rows` says so."""
    return decided(
        tried(examples, lambda example: example if example.clip is None and example.frames is None else placed(example, senses)), bad_rows
    )


def readable(examples: Iterable[Example], bad_rows: str) -> Iterable[Example]:
    """The examples whose recordings, pictures and videos can be read, if `bad_rows` says that others are left out; all are then read twice."""
    return examples if bad_rows == ERROR else decided(tried(examples, lambda example: placed(example, _read)), bad_rows)


def _read(example: Example) -> Example:
    if example.sound is not None:
        for _ in read_samples(example.sound, sound_rate(example.sound)):
            pass
    if (clip := example.clip) is not None and (clip.path.is_dir() or is_filmed(clip.path.name)):
        for _ in read_frames(clip.path):
            pass
    elif clip is not None and clip.shape is not None:
        read_rows(clip.path, clip.shape)
    return example


def placed(example: Example, senses: Callable[[Example], T]) -> T:
    """What is perceived of an example; where its file cannot be read, its row is told, too."""
    with told_at(example.place):
        return senses(example)


def heard_ahead(examples: Iterable[Example], hear: Hearing[SoundCodec] | None, progress: Progress, bad_rows: str) -> Iterable[Example]:
    """The examples, of which those with sound were all heard, and kept, before the first one comes. Those that cannot be heard are left out if
    `bad_rows` says so, for which all are heard twice."""
    first, examples = look_ahead(examples, 1)
    if hear is None or not first or first[0].sound is None:
        return examples

    def require_sound(example: Example) -> Example:
        if (sound := example.sound) is not None:
            placed(example, lambda _: hear.require_sound(sound))
        return example

    every = [*(examples if bad_rows == ERROR else decided(tried(examples, require_sound), bad_rows))]
    places = dict[Sound, str]()
    for example in every:
        if example.sound is not None:
            places.setdefault(example.sound, example.place)
    try:
        hear.keep(
            places,
            lambda count: progress(f"hearing: {count:,} of {len(every):,} recordings", count, len(every)),
        )
    except DataError as error:
        raise DataError(f"{error}{CURE}") from None
    return every
