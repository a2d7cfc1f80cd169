"""What makes pixels of many clips, and says at the end what was odd about them."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from unrolled.data.pictures.clips import Clip, Timed, is_uneven, rate_of, read_frames
from unrolled.data.pictures.pixels import Pixels, Shape, brightest, channels_of, pixels_of, resized
from unrolled.data.pictures.sensors import read_rows
from unrolled.errors import DataError, UnrolledWarning

OUTSIDE = "O"
"""The tag of frames that lie in no interval."""

_NEAR = 1e-6
"""Parts of a second, or of a frame, that say nothing."""

_SLACK = 0.01
"""The part of a step by which the end of a clip, reckoned from its mean rate, may be wrong."""

_TURNED = {1: 3, 3: 1}
"""Which channels frames in arrays may be turned into which others: grey into colours and back."""

_DARK = 13
"""Bits of 16 that pixels fill in pictures that are seen as black, or nearly."""

_LARGEST = 1 << 28
"""Pixels that all frames of a clip may have together."""


@dataclass(frozen=True)
class Seen:
    """The size of the first frame of a clip, its channels, and the frames a second, None where these are not known."""

    height: int
    width: int
    channels: int
    rate: float | None = None


class Sight(Protocol):
    """How frames are seen; see `unrolled.data.codecs.FrameCodec`."""

    @property
    def shape(self) -> Shape:
        """What frames are brought to."""

    def rate_for(self, own: float | None) -> float | None:
        """Frames a second of what is seen of a clip that has some of its `own`, or none; None where frames are counted."""

    @property
    def outside(self) -> str:
        """The tag of frames that lie in no interval; nothing if they are not looked at."""


V = TypeVar("V", bound=Sight)


@dataclass
class Dim:
    """Pictures of 16 bits: how many, the first of them, and the largest value of any; white is 65535, whatever a sensor fills of it."""

    count: int = 0
    first: Path = Path()
    largest: int = 0

    def note(self, path: Path, brightest: int | None) -> None:
        """One more picture, of 16 bits if something is its `brightest` pixel."""
        if brightest is not None:
            self.count, self.largest = self.count + 1, max(self.largest, brightest)
            self.first = path if self.count == 1 else self.first

    def report(self) -> None:
        """An `UnrolledWarning` if they are dark because their values fill a part of the 16 bits alone."""
        bits = self.largest.bit_length()
        if self.count and 8 < bits <= _DARK:
            told = f"{self.first}{f' and {self.count - 1:,} more pictures' if self.count > 1 else ''} of 16 bits fill {bits} of them, and are seen nearly black"
            warnings.warn(f"{told}. Multiply their pixels by {1 << (16 - bits)}, and save them again.", UnrolledWarning, stacklevel=4)


class Seeing(Generic[V]):
    """Makes pixels of clips, as a `codec` has them, or the one that `choose` makes of the first clip."""

    def __init__(self, codec: V | None = None, choose: Callable[[Seen], V] | None = None) -> None:
        self.codec, self._choose = codec, choose
        self._sizes = dict[tuple[int, int], int]()
        self._first_other, self._overlaps, self._dim = "", list[str](), Dim()
        self._uneven, self._other_rates = list[tuple[Path, float]](), list[tuple[Path, float]]()

    def __call__(self, clip: Clip | Pixels, place: str) -> Pixels:
        """The frames `[T, H, W, C]` of a clip, or of an array `[T, h, w, c]`. `DataError` for what cannot be read."""
        if not isinstance(clip, Clip):
            return self._of_array(clip, place)
        if clip.shape is not None:
            return self._of_table(clip, place)
        own = rate_of(clip.path)
        codec = self._codec(lambda: _first(clip, own))
        rate = codec.rate_for(own)
        if own is not None and rate is not None:
            self._note(clip, own, rate)
        frames, found = _timed(clip, read_frames(clip.path), own or rate or 1.0), list[Pixels]()
        for frame in frames if own is None or rate is None else _at_rate(frames, own, rate):
            self._size(frame.image.height, frame.image.width, place)
            self._dim.note(clip.path, brightest(frame.image))
            found.append(pixels_of(frame.image, codec.shape))
            if len(found) * found[0].size > _LARGEST:
                told = f"{clip} has more than {len(found):,} frames of {codec.shape.width}x{codec.shape.height}"
                raise DataError(f"{told}, which one sequence cannot have. Choose a smaller `size`, fewer `fps`, or parts of it.")
        if not found:
            raise DataError(f"{place}: {clip} has no frame in that time. Mend its times.")
        return np.stack(found)

    def _of_array(self, frames: Pixels, place: str) -> Pixels:
        if frames.ndim != 4:
            raise DataError(
                f"{place}: a clip must be an array [T, H, W, C], got one of shape {list(frames.shape)}. Bring it into that shape."
            )
        if frames.dtype.kind == "f" and not np.isfinite(frames).all():
            raise DataError(f"{place}: pixels must be finite numbers, got NaN or infinite ones. Mend them, or take the clip out.")
        _, height, width, channels = frames.shape
        self._size(height, width, place)
        shape = self._codec(lambda: Seen(height, width, channels)).shape
        if shape.channels not in (channels, _TURNED.get(channels)):
            told = f"its frames have {channels} channels, and frames of {shape.channels} are read"
            raise DataError(f"{place}: {told}, which only grey and 3 colours can be turned into each other for. Pass such frames.")
        return resized(frames, shape)

    def _of_table(self, clip: Clip, place: str) -> Pixels:
        assert clip.shape is not None
        frames, seen = read_rows(clip.path, clip.shape), Seen(*clip.shape)
        rate = self._codec(lambda: seen).rate_for(None) or 1.0
        _require_inside(clip, len(frames) / rate, 1 / rate)
        first, last = (len(frames) if time is None else math.ceil(time * rate - _NEAR) for time in (clip.begin, clip.end))
        if not len(frames[first:last]):
            raise DataError(f"{place}: {clip} has no frame in that time. Mend its times.")
        return self._of_array(frames[first:last], place)

    def tags(self, clip: Clip, spans: Sequence[tuple[float, float, str]], steps: int, place: str) -> tuple[str, ...]:
        """The tag of each of so many frames of a clip by the interval that it lies in, which may be endless; of several intervals the last one counts.

        `DataError` for an interval that goes on after the last frame.
        """
        assert self.codec is not None
        rate = self.codec.rate_for(None if clip.shape else rate_of(clip.path)) or 1.0
        found = [self.codec.outside] * steps
        for begin, end, tag in spans:
            first, last = (steps if second == math.inf else math.ceil(second * rate - _NEAR) for second in (begin, end))
            if last > steps + 1 or first >= steps:
                told = f"the interval {begin:g} to {'the end' if end == math.inf else f'{end:g}'} ({tag}) ends after the clip, which has {steps} frames"
                raise DataError(f"{place}: {told}{'' if rate == 1 else f' at {rate:g} a second'}. Mend the interval.")
            if any(tag != self.codec.outside for tag in found[first:last]):
                self._overlaps.append(place)
            found[first:last] = [tag] * (min(last, steps) - first)
        return tuple(found)

    def _codec(self, first: Callable[[], Seen]) -> V:
        if self.codec is None:
            assert self._choose is not None
            self.codec = self._choose(first())
        return self.codec

    def _size(self, height: int, width: int, place: str) -> None:
        if (height, width) not in self._sizes and len(self._sizes) == 1:
            self._first_other = place
        self._sizes[height, width] = self._sizes.get((height, width), 0) + 1

    def _note(self, clip: Clip, rate: float, wanted: float) -> None:
        if is_uneven(clip.path):
            self._uneven.append((clip.path, wanted))
        elif abs(rate - wanted) > 0.01 * wanted:
            self._other_rates.append((clip.path, wanted))

    def report(self, *, sizes: bool = True) -> None:
        """Say, each as an `UnrolledWarning`, what was odd; that frames are of several `sizes` if they matter."""
        if self.codec is None:
            return
        shape = self.codec.shape
        self._dim.report()
        if sizes and len(self._sizes) > 1:
            (height, width), *_ = self._sizes
            told = f"Frames are of {len(self._sizes)} sizes: {self._first_other} is another one than the first, of {width}x{height}"
            cure = "" if shape.crop else " Pass `crop='centre'` to keep proportions."
            warnings.warn(f"{told}. All are scaled to {shape.width}x{shape.height}.{cure}", UnrolledWarning, stacklevel=3)
        if self._overlaps:
            told = f"{self._overlaps[0]}: {len(self._overlaps):,} interval{' begins' if len(self._overlaps) == 1 else 's begin'} before the one before ends"
            warnings.warn(f"{told}. Where two overlap the later one counts.", UnrolledWarning, stacklevel=3)
        odd = (
            (self._uneven, "of a variable frame rate; its frames are taken at {:g} a second"),
            (self._other_rates, "not at {:g} frames a second, and resampled. Pass `fps` for another rate"),
        )
        for clips, told in odd:
            if clips:
                (path, wanted), *others = clips
                more = f" and {len(others):,} more clips are" if others else " is"
                warnings.warn(f"{path}{more} {told.format(wanted)}.", UnrolledWarning, stacklevel=3)


def _first(clip: Clip, rate: float | None) -> Seen:
    image: Any = next(read_frames(clip.path)).image
    return Seen(image.height, image.width, channels_of(image), rate)


def _timed(clip: Clip, frames: Iterable[Timed], rate: float) -> Iterator[Timed]:
    """The frames of the time that is meant; those without times come at a `rate`. `DataError` for a time after the last one."""
    time = 0.0
    for number, frame in enumerate(frames):
        time = number / rate if frame.time is None else frame.time
        if clip.end is not None and time >= clip.end - _NEAR:
            return
        if time >= clip.begin - _NEAR:
            yield Timed(frame.image, time)
    _require_inside(clip, time + 1 / rate, 1 / rate)


def _require_inside(clip: Clip, lasts: float, slack: float) -> None:
    """`DataError` for a clip whose end is more than that after the end of what it is a part of."""
    if clip.end is not None and clip.end > lasts + slack + _NEAR:
        raise DataError(f"{clip} ends after the clip, which ends at {lasts:g}. Mend its times.")


def _at_rate(frames: Iterable[Timed], own: float, rate: float) -> Iterator[Timed]:
    """The frames that are shown at each step of a `rate`, the nearest in time."""
    count, begin, before = 0, 0.0, None
    for frame in frames:
        time = frame.time or 0.0
        if before is None:
            begin = time
        else:
            while count / rate < ((before.time or 0.0) + time) / 2 - begin - _NEAR:
                yield before
                count += 1
        before = frame
    while before is not None and count / rate < (before.time or 0.0) - begin + 1 / own - _SLACK / rate:
        yield before
        count += 1
