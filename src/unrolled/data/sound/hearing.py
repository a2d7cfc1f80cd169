"""What makes the features of many recordings, and says at the end what was odd about them."""

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Generic, Protocol, TypeVar

import numpy as np

from unrolled.data.examples import told_at
from unrolled.data.sound.kept import Kept, Oddities, kept
from unrolled.data.sound.recordings import SLACK, Sound, is_cut_off, rate_of, read_samples
from unrolled.data.sound.spectrogram import Frames, MelOptions, new_frames
from unrolled.errors import DataError, UnrolledWarning

OUTSIDE = "O"
"""The tag of frames that are part of nothing."""

FULL = 0.999
"""From where on a sample is as large as samples can be."""

CLIPPED = 0.005
"""The share of such samples from which on a recording is told to be clipped."""

NATS = math.log(10) / 10
"""Natural logarithms of energy in a decibel."""

SILENT = 1e-5
"""What no sample of a silent recording goes beyond."""


ODD = {
    "cut off": "shorter than the header of the file says, or without its end. Get what is damaged again",
    "silent": "silent from beginning to end. Take out what was not recorded",
    "clipped": "clipped: many samples are as large as can be. Record what is to be heard at a lower level",
    "other rate": "not at {rate} samples a second, and resampled",
}
"""What may be odd about recordings, and what is said of them."""


class Heard(Protocol):
    """How sound is heard; see `unrolled.data.codecs.SoundCodec`."""

    @property
    def mel(self) -> MelOptions:
        """Rate, frames and bands."""

    @property
    def alone(self) -> bool:
        """Whether each recording is standardised by itself."""

    @property
    def top_db(self) -> float | None:
        """How many decibels below the loudest band of a recording all are heard alike; None if none are."""


H = TypeVar("H", bound=Heard)


class Hearing(Generic[H]):
    """Makes spectrograms of recordings, as a `codec` has them, or the one that `choose` makes of the rate of the first recording."""

    def __init__(self, codec: H | None = None, choose: Callable[[int], H] | None = None) -> None:
        self.codec, self._choose = codec, choose
        self._odd: dict[str, list[str]] = {name: [] for name in ODD}
        self._kept: Kept | None = None

    def keep(self, recordings: Mapping[Sound, str], progress: Callable[[int], None] = lambda count: None) -> None:
        """Hear recordings, each with the place where it is named, beforehand, or find them in the cache, where they are kept. `DataError` for one that
        cannot be read."""
        different = [*recordings]
        if different:
            with told_at(recordings[different[0]]):
                codec, heard = self._codec(rate_of(different[0])), count(1)

            def hear(recording: Sound) -> tuple[Frames, Oddities]:
                progress(next(heard))
                with told_at(recordings[recording]):
                    return self._hear(recording)

            self._kept = kept(different, f"{codec.mel} {codec.alone} {codec.top_db}", hear)

    def __call__(self, recording: Sound) -> Frames:
        """The frames `[T, M]` of a recording. `DataError` for one that cannot be read."""
        known = None if self._kept is None else self._kept.of(recording)
        frames, odd = self._hear(recording) if known is None else known
        for name in odd:
            self._odd[name].append(str(recording))
        return frames

    def require_sound(self, recording: Sound) -> None:
        """`DataError` if a recording cannot be heard; nothing of it is kept."""
        self._hear(recording)

    def _hear(self, recording: Sound) -> tuple[Frames, Oddities]:
        rate = rate_of(recording)
        codec = self._codec(rate)
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
        holds = {
            "cut off": is_cut_off(recording),
            "silent": loudest <= SILENT,
            "clipped": full > CLIPPED * samples,
            "other rate": rate != codec.mel.rate,
        }
        frames = np.concatenate([*found, mel.finish()])
        if not np.isfinite(frames).all():
            raise DataError(f"{recording} has samples up to {loudest:.3g}, which are no sound. Write it again, with samples from -1 to 1.")
        frames = frames if codec.top_db is None else limited(frames, codec.top_db)
        return standardised(frames) if codec.alone else frames, tuple(name for name in ODD if holds[name])

    def tags(self, spans: Sequence[tuple[float, float, str]], steps: int, place: str) -> tuple[str, ...]:
        """The tag of each of so many frames by where its middle lies, O outside all spans; of several spans the last one counts. `DataError` for a span
        that goes on after the recording."""
        assert self.codec is not None
        found = [OUTSIDE] * steps
        step = self.codec.mel.step
        for begin, end, tag in spans:
            if begin > (steps + 1) * step or end > steps * step + SLACK:
                told = f"the span {begin:g} to {end:g} ({tag}) ends after the recording, which lasts {steps * step:.3f} s"
                raise DataError(f"{place}: {told}. Mend the span.")
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
        for name, told in ODD.items():
            if names := self._odd[name]:
                more = f" and {len(names) - 1:,} more recordings are" if len(names) > 1 else " is"
                cure = " Pass `rate` for another one." if name == "other rate" and self._choose is not None else ""
                warnings.warn(f"{names[0]}{more} {told.format(rate=rate)}.{cure}", UnrolledWarning, stacklevel=3)


def limited(frames: Frames, decibels: float) -> Frames:
    """Log energies of which the largest is 0, and none more decibels below it: neither loudness nor the noise of a room is left."""
    return np.maximum(frames - frames.max(), np.float32(-decibels * NATS))


def standardised(frames: Frames) -> Frames:
    """Frames whose bands have mean 0 and standard deviation 1 in this recording; bands that never change become 0."""
    mean, deviation = frames.mean(0), frames.std(0)
    found: Frames = (frames - mean) / np.where(deviation > SILENT, deviation, 1)
    return found
