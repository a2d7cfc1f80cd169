"""What makes the features of many recordings, and says at the end what was odd about them."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np

from unrolled.data.sound.recordings import Recording, is_cut_off, rate_of, read_samples
from unrolled.data.sound.spectrogram import Frames, MelOptions, new_frames
from unrolled.errors import DataError, UnrolledWarning

OUTSIDE = "O"
"""The tag of frames that are part of nothing."""

FULL = 0.999
"""From where on a sample is as large as samples can be."""

CLIPPED = 0.005
"""The share of such samples from which on a recording is told to be clipped."""

SILENT = 1e-5
"""What no sample of a silent recording goes beyond."""


class Heard(Protocol):
    """How sound is heard; see `unrolled.data.codecs.SoundCodec`."""

    @property
    def mel(self) -> MelOptions:
        """Rate, frames and bands."""

    @property
    def alone(self) -> bool:
        """Whether each recording is standardised by itself."""


H = TypeVar("H", bound=Heard)


class Hearing(Generic[H]):
    """Makes spectrograms of recordings, as a `codec` has them, or the one that `choose` makes of the rate of the first recording."""

    def __init__(self, codec: H | None = None, choose: Callable[[int], H] | None = None) -> None:
        self.codec, self._choose = codec, choose
        self._other_rates, self._clipped, self._silent, self._cut_off = list[str](), list[str](), list[str](), list[str]()

    def __call__(self, recording: Recording) -> Frames:
        """The frames `[T, M]` of a recording. `DataError` for one that cannot be read."""
        rate = rate_of(recording)
        codec = self._codec(rate)
        if rate != codec.mel.rate:
            self._other_rates.append(str(recording))
        if is_cut_off(recording):
            self._cut_off.append(str(recording))
        mel, found = new_frames(codec.mel), list[Frames]()
        samples = full = 0
        loudest = 0.0
        for block in read_samples(recording, codec.mel.rate):
            found.append(mel.feed(block))
            size = np.abs(block)
            samples, full = samples + len(block), full + int((size >= FULL).sum())
            loudest = max(loudest, float(size.max(initial=0)))
        if not samples:
            raise DataError(f"{recording} is too short to be heard at {codec.mel.rate} samples a second. Take it out.")
        if full > CLIPPED * samples:
            self._clipped.append(str(recording))
        if loudest <= SILENT:
            self._silent.append(str(recording))
        frames = np.concatenate([*found, mel.finish()])
        return standardised(frames) if codec.alone else frames

    def tags(self, spans: Sequence[tuple[float, float, str]], steps: int) -> tuple[str, ...]:
        """The tag of each of so many frames by where its middle lies, O outside all spans; of several spans the last one counts."""
        assert self.codec is not None
        found = [OUTSIDE] * steps
        step = self.codec.mel.step
        for begin, end, tag in spans:
            first, last = (min(max(math.ceil(round(second / step, 6)), 0), steps) for second in (begin, end))
            found[first:last] = [tag] * (last - first)
        return tuple(found)

    def _codec(self, rate: int) -> H:
        if self.codec is None:
            assert self._choose is not None
            self.codec = self._choose(rate)
        return self.codec

    def report(self) -> None:
        """Say, each as an `UnrolledWarning`, which recordings were odd."""
        rate = 0 if self.codec is None else self.codec.mel.rate
        odd = (
            (self._cut_off, "shorter than the header of the file says. Get what is damaged again"),
            (self._silent, "silent from beginning to end. Take out what was not recorded"),
            (self._clipped, "clipped: many samples are as large as can be. Record what is to be heard at a lower level"),
            (self._other_rates, f"not at {rate} samples a second, and resampled. Pass `rate` for another one"),
        )
        for names, told in odd:
            if names:
                more = f" and {len(names) - 1:,} more recordings are" if len(names) > 1 else " is"
                warnings.warn(f"{names[0]}{more} {told}.", UnrolledWarning, stacklevel=3)


def standardised(frames: Frames) -> Frames:
    """Frames whose bands have mean 0 and standard deviation 1 in this recording; bands that never change become 0."""
    mean, deviation = frames.mean(0), frames.std(0)
    found: Frames = (frames - mean) / np.where(deviation > SILENT, deviation, 1)
    return found
