"""Recordings that are heard and clips that are seen, of one data set."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from unrolled.data.codecs.frames import FrameCodec
from unrolled.data.codecs.sound import SoundCodec
from unrolled.data.examples import Example
from unrolled.data.pictures.pixels import Pixels
from unrolled.data.pictures.seeing import Seeing
from unrolled.data.sound.hearing import Hearing
from unrolled.errors import DataError

Encode = Callable[[Pixels, str], NDArray[np.float32]]
"""Makes the features `[T, C]` of frames `[T, H, W, C]` that an encoder of some name has."""


class Senses:
    """Makes numbers of the recordings of examples and frames of their clips, or what `encode` makes of these, and tags of the spans of both."""

    def __init__(
        self, hearing: Hearing[SoundCodec] | None = None, seeing: Seeing[FrameCodec] | None = None, encode: Encode | None = None
    ) -> None:
        self.hearing, self.seeing, self.encode = hearing, seeing, encode

    @classmethod
    def of(cls, sound: SoundCodec | None, frames: FrameCodec | None, encode: Encode | None = None) -> "Senses":
        """Those of a network that hears and sees so, or does not."""
        return cls(None if sound is None else Hearing(sound), None if frames is None else Seeing(frames), encode)

    @property
    def sound(self) -> SoundCodec | None:
        """How recordings are heard, once one was."""
        return None if self.hearing is None else self.hearing.codec

    @property
    def frames(self) -> FrameCodec | None:
        """How clips are seen, once one was."""
        return None if self.seeing is None else self.seeing.codec

    def __call__(self, example: Example) -> Example:
        """The example with numbers or frames. `DataError` for a recording or a clip that cannot be read, or that the network does not read."""
        if example.sound is not None:
            return self._heard(example)
        return self._seen(example)

    def after_seeing(self, example: Example) -> Example:
        """The same for an example whose clip was seen before: a recording is still to be heard."""
        return example if example.sound is None else self._heard(example)

    def _heard(self, example: Example) -> Example:
        if self.hearing is None or example.sound is None:
            raise DataError(f"{example.place} is sound, and the network reads none. Pass sequences like those that it learnt from.")
        numbers = self.hearing(example.sound)
        tags = example.tags if example.spans is None else self.hearing.tags(example.spans, len(numbers), example.place)
        return replace(example, sound=None, spans=None, numbers=numbers, tags=tags)

    def _seen(self, example: Example) -> Example:
        source = example.clip if example.clip is not None else example.frames
        if self.seeing is None or source is None:
            raise DataError(
                f"{example.place} is a picture or video, and the network reads none. Pass sequences like those that it learnt from."
            )
        frames = np.ascontiguousarray(self.seeing(source, example.place))
        tags = example.tags
        if example.spans is not None and example.clip is not None:
            tags = self.seeing.tags(example.clip, example.spans, len(frames), example.place)
        codec = self.frames
        encoder = None if codec is None else codec.encoder
        if codec is not None and encoder is None:
            frames = codec.without_background(frames, example.place)
        if encoder is not None:
            assert self.encode is not None
            return replace(example, clip=None, spans=None, frames=None, numbers=self.encode(frames, encoder), tags=tags)
        return replace(example, clip=None, spans=None, frames=frames, tags=tags)

    def report(self) -> None:
        """Say, each as an `UnrolledWarning`, what was odd about recordings and clips."""
        if self.hearing is not None:
            self.hearing.report()
        if self.seeing is not None:
            self.seeing.report()
