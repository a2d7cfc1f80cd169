"""Clips, read: which windows of them are learnt, and which are held out."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import evenly
from unrolled.data.builtin import PREFIX
from unrolled.data.builtin_examples import BUILTIN_EXAMPLES
from unrolled.data.codecs import FrameCodec, NumberCodec, Senses
from unrolled.data.columns import Elements, Places, places
from unrolled.data.dataset import FRAMES, Dataset, gather
from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, read_examples, require_used, resolve_format
from unrolled.data.pictures.seeing import Seeing
from unrolled.data.vocabulary import damaged, switch
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks.filming.options import FilmDataOptions
from unrolled.tasks.filming.windows import Windows, begins_in
from unrolled.tasks.sequences.ahead import seen_ahead
from unrolled.tasks.trained import Progress

SPLIT = 7
"""Seeds the drawing of what is held out, apart from all other chance."""

BRIGHTEST = 255

_AT_ONCE = 256
"""Frames that are looked at together."""


@dataclass(frozen=True)
class FilmCodecs:
    """How clips are seen, how many frames are read and said, and whether pixels are `bounded`: from 0 to 1. Values go from `low` to `high` in what is
    learnt, in the units in which errors are told; of pixels in bytes these are 0 and 1."""

    frames: FrameCodec
    past: int
    future: int
    bounded: bool
    low: float = 0.0
    high: float = 1.0

    @property
    def brightest(self) -> float | None:
        """The value of the brightest pixels of what is bounded: 255 of bytes, 1 of other numbers."""
        assert self.frames.scale is not None
        return float(self.frames.scale.deviation[0]) if self.bounded else None

    def spread(self, planes: Tensor) -> Tensor:
        """Frames `[…, C, H, W]` as the network has them, so that `low` is 0 and `high` is 1."""
        if self.bounded:
            return planes
        assert self.frames.scale is not None
        deviation, mean = (
            torch.from_numpy(part).to(planes.device).view(-1, 1, 1) for part in (self.frames.scale.deviation, self.frames.scale.mean)
        )
        return (planes.double() * deviation + mean - self.low) / (self.high - self.low)

    def to_json(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            "frames": self.frames.to_json(),
            "past": self.past,
            "future": self.future,
            "bounded": self.bounded,
            "range": [self.low, self.high],
        }

    @classmethod
    def from_json(cls, found: Any) -> "FilmCodecs":
        """What `to_json` gave. `RunError` for something else."""
        try:
            frames, (low, high) = FrameCodec.from_json(found["frames"]), map(float, found["range"])
            assert low < high
            return cls(frames, int(found["past"]), int(found["future"]), switch(found, "bounded"), low, high)
        except (KeyError, TypeError, ValueError, AssertionError) as error:
            raise damaged(f"clips must have frames, a past, a future, bounds and a range ({error!r})") from None


@dataclass(frozen=True)
class FilmData:
    """The data of a run."""

    codecs: FilmCodecs
    train: Windows
    held_out: Windows
    clips: int
    short: int
    fingerprint: str

    def summary(self) -> str:
        """What is learnt, and how much of it there is."""
        short = f" {self.short:,} of the clips have fewer frames, and are left out." if self.short else ""
        codecs = self.codecs
        return (
            f"{len(self.train):,} windows of {codecs.past} + {codecs.future} frames to learn, {len(self.held_out):,} held out, from {self.clips:,} "
            f"clip{'s' * (self.clips != 1)}.{short} Input: {codecs.frames.describe()}. Target: the next {codecs.future} frames."
        )


def read_films(data: FilmDataOptions, reading: ReadingOptions, asked: Sequence[str], seed: int, progress: Progress) -> FilmData:
    """Read what the options name, and set apart what is held out."""
    if not data.sources:
        raise ConfigError("There are no FILES to train on. Pass videos, folders of frames, arrays of clips, or builtin:… ones.")
    require_used(data.sources, resolve_format(data.sources, reading, wanted_of(data.sources)), asked)
    seeing = Seeing(choose=data.frame_codec)
    clips = read_clips(data.sources, reading, Senses(None, seeing), progress)
    other = read_clips(data.validation, reading, Senses(None, seeing), progress) if data.validation else None
    seeing.report()
    size, everything = data.past + data.future, np.arange(len(clips))
    long = everything[clips.lengths >= size]
    if not len(long):
        raise DataError(
            f"No clip has {size} frames, `past` and `future` together: the longest has {int(clips.lengths.max())}. Pass longer ones, or say less."
        )
    learnt, held = (long, long[:0]) if other or len(long) == 1 else evenly(long, data.held_out, np.random.default_rng([SPLIT, seed]))
    assert seeing.codec is not None
    if seeing.codec.encoder is not None:
        raise ConfigError("`encoder` makes features of frames, and here frames are to be said. Leave it out.")
    codecs, stride = _scaled(FilmCodecs(seeing.codec, data.past, data.future, True), clips, learnt), data.stride or data.future
    codec = codecs.frames
    train = Windows(clips, codec, begins_in(clips, learnt, size, stride), size)
    measured = Windows(clips, codec, begins_in(clips, held, size, data.future), size)
    if other:
        measured = Windows(other, codec, begins_in(other, np.arange(len(other)), size, data.future), size)
    elif len(long) == 1 and data.held_out:
        train, measured = _end_of(train, data)
    if data.held_out and not len(measured):
        warnings.warn("Nothing is held out, so nothing will be measured. Name clips as `validation`.", UnrolledWarning, stacklevel=2)
    fingerprint = blake2b(f"{clips.fingerprint} {other and other.fingerprint}".encode(), digest_size=16).hexdigest()
    return FilmData(codecs, train, measured, len(clips), len(clips) - len(long), fingerprint)


def _end_of(windows: Windows, data: FilmDataOptions) -> tuple[Windows, Windows]:
    """The windows of one clip in two parts, the later ones held out, with none between that has frames of both."""
    count = max(round(data.held_out * len(windows)), 1)
    first = windows.begins[-count:][0]
    return (
        replace(windows, begins=windows.begins[windows.begins + windows.size <= first]),
        replace(windows, begins=windows.begins[windows.begins >= first]),
    )


def _scaled(codecs: FilmCodecs, clips: Dataset, learnt: Places) -> FilmCodecs:
    """With the scale of frames: bytes go from 0 to 1, numbers that lie there stay as they are, and others are standardised by what is learnt."""
    elements, which, channels = clips.columns[FRAMES].elements, places(clips.starts, learnt), codecs.frames.shape.channels
    brightest = float(BRIGHTEST)
    if elements.dtype != np.uint8:
        low, high = extent(elements, which)
        if low < 0 or high > 1:
            return replace(
                codecs, frames=codecs.frames.learn(elements, which), bounded=False, low=low, high=high if high > low else low + 1
            )
        brightest = 1.0
    return replace(codecs, frames=replace(codecs.frames, scale=NumberCodec(np.zeros(channels), np.full(channels, brightest))))


def extent(elements: Elements, which: Places) -> tuple[float, float]:
    """The smallest and the largest value of some frames."""
    parts = (elements.take(which[at : at + _AT_ONCE]) for at in range(0, len(which), _AT_ONCE))
    lows, highs = zip(*((float(part.min()), float(part.max())) for part in parts), strict=True)
    return min(lows), max(highs)


def read_clips(sources: Any, reading: ReadingOptions, senses: Senses, progress: Progress | None = None) -> Dataset:
    """The clips of some sources. `DataError` for sequences without frames."""
    sources = [sources] if isinstance(sources, str) or not isinstance(sources, Sequence) else sources

    def tick(count: int) -> None:
        if progress:
            progress(f"reading: {count:,} clips", 0, 1)

    examples = seen_ahead(read_examples(sources, reading, wanted_of(sources)), senses, reading.bad_rows)
    clips = gather(examples, "word", perceive=senses.after_seeing, progress=tick)
    if FRAMES not in clips.columns:
        raise DataError(
            "There are no frames in what was read, but texts or numbers. Pass videos, folders of frames, or arrays of clips, "
            "and of one clip in an array `axes='THW'`."
        )
    return clips


def wanted_of(sources: Any) -> Target:
    """What a built-in source says of its clips, as it must be asked for something; labels of files, which may be missing."""
    names = [str(source) for source in sources if str(source).startswith(PREFIX)]
    known = next((BUILTIN_EXAMPLES[name] for name in names if name in BUILTIN_EXAMPLES), None)
    return Target.LABELS if known is None else known.has[0]
