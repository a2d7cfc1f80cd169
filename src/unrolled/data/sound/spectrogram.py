"""Log-mel spectrograms, or the samples themselves, made block by block: the same numbers, bit for bit, however a sound comes in."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.errors import ConfigError

FLOOR = 1e-6
"""What is added to the energy of a band before its logarithm is taken, so that silence has one."""

FRAMES = 8
"""Frames that are computed at a time, always as many: how a sum is rounded can depend on how many sums there are."""

Frames = NDArray[np.float32]
"""Log energies `[T, M]` of M bands."""


@dataclass(frozen=True)
class MelOptions:
    """A frame of `length` seconds every `step` seconds, at a `rate` of samples a second, in so many `mels`: bands of the mel scale.

    With 0 of them a frame is the samples of its step themselves.
    """

    rate: int
    mels: int
    length: float = 0.025
    step: float = 0.01

    def __post_init__(self) -> None:
        if self.hop < 1 or self.width < 2:
            told = f"{self.length * 1000:g} ms every {self.step * 1000:g} ms at {self.rate} samples a second"
            raise ConfigError(f"`frame_length` and `frame_step` must be at least a few samples, got {told}. Make them longer.")
        if self.mels < 0 or not bool((mel_matrix(self) > 0).any(1).all()):
            raise ConfigError(
                f"`mels` must be at least 0, and few enough for each band to have a frequency of the {self.fft // 2 + 1} that a frame tells "
                f"apart, got {self.mels}. Ask for fewer, or for a longer `frame_length`."
            )

    @property
    def width(self) -> int:
        """The samples of a frame."""
        return round(self.rate * self.length)

    @property
    def hop(self) -> int:
        """The samples from one frame to the next."""
        return round(self.rate * self.step)

    @property
    def fft(self) -> int:
        """The samples of the Fourier transform, a power of two."""
        return int(2 ** math.ceil(math.log2(self.width)))

    @property
    def channels(self) -> int:
        """The numbers of a frame."""
        return self.mels or self.hop

    def frames(self, samples: int) -> int:
        """How many frames so many samples have: each stands around its sample, the first one around the first; or they fill as many steps."""
        return 1 + samples // self.hop if self.mels else -(-samples // self.hop)


@lru_cache(maxsize=8)
def mel_matrix(options: MelOptions) -> Tensor:
    """Triangles on the mel scale, `[M, fft / 2 + 1]`, that reach their height of 1 where the two beside them are 0.

    The scale is 2595 log10(1 + f / 700) (O'Shaughnessy 1987), from 0 to half the rate.
    """
    highest = float(mel_of(torch.tensor(options.rate / 2, dtype=torch.float64)))
    edges = hertz_of(torch.linspace(0, highest, options.mels + 2, dtype=torch.float64))
    bins = torch.linspace(0, options.rate / 2, options.fft // 2 + 1, dtype=torch.float64)
    below, centre, above = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (bins - below) / (centre - below), (above - bins) / (above - centre)
    return torch.minimum(rising, falling).clamp(min=0).float()


def mel_of(hertz: Tensor) -> Tensor:
    """Frequencies on the mel scale."""
    return 2595 * torch.log10(1 + hertz / 700)


def hertz_of(mel: Tensor) -> Tensor:
    """The frequencies of places on the mel scale."""
    return 700 * (10 ** (mel / 2595) - 1)


class MelFrames:
    """The log-mel spectrogram of one sound whose samples come in blocks of any size."""

    def __init__(self, options: MelOptions) -> None:
        self.options = options
        self._matrix, self._window = mel_matrix(options), torch.hann_window(options.width)
        self._block = torch.zeros((FRAMES - 1) * options.hop + options.fft)
        # Silence before the first sample, so that the first frame stands around it.
        self._waiting = np.zeros(options.fft // 2, np.float32)
        self._samples = self._given = 0

    def feed(self, samples: NDArray[np.float32]) -> Frames:
        """The frames that are ready once some more samples are there, always a multiple of `FRAMES`."""
        self._samples += len(samples)
        self._waiting = np.concatenate([self._waiting, samples])
        return self._ready()

    def finish(self) -> Frames:
        """The frames that are left, with silence after the last sample."""
        left = self.options.frames(self._samples) - self._given
        self._waiting = np.concatenate([self._waiting, np.zeros(self.options.fft // 2 + len(self._block), np.float32)])
        return self._ready()[:left]

    def _ready(self) -> Frames:
        size, taken = len(self._block), FRAMES * self.options.hop
        found = [np.zeros((0, self.options.mels), np.float32)]
        start = 0
        while start + size <= len(self._waiting):
            found.append(self._frames(self._waiting[start : start + size]))
            start += taken
        self._waiting = self._waiting[start:]
        done = np.concatenate(found)
        self._given += len(done)
        return done

    @torch.no_grad()
    def _frames(self, samples: NDArray[np.float32]) -> Frames:
        """Those of one block, `[FRAMES, M]`."""
        options = self.options
        # The block lies in one place, as where numbers lie can change how they are added up, too.
        self._block.copy_(torch.from_numpy(samples))
        spectrum = torch.stft(self._block, options.fft, options.hop, options.width, self._window, center=False, return_complex=True)
        energies = self._matrix @ torch.view_as_real(spectrum).square().sum(-1)
        found: Frames = (energies + FLOOR).log_().T.numpy()
        return found


class WaveFrames:
    """The samples of one sound themselves, those of each step in a row; whoever convolves over steps convolves over samples with a stride."""

    def __init__(self, options: MelOptions) -> None:
        self.options = options
        self._waiting = np.zeros(0, np.float32)

    def feed(self, samples: NDArray[np.float32]) -> Frames:
        """The frames that are full once some more samples are there."""
        along = np.concatenate([self._waiting, samples])
        full = len(along) // self.options.hop * self.options.hop
        self._waiting = along[full:]
        found: Frames = along[:full].reshape(-1, self.options.hop)
        return found

    def finish(self) -> Frames:
        """The last frame, filled with silence, if samples are left."""
        return self.feed(np.zeros(-len(self._waiting) % self.options.hop, np.float32))


def new_frames(options: MelOptions) -> MelFrames | WaveFrames:
    """What makes the frames of one sound."""
    return MelFrames(options) if options.mels else WaveFrames(options)
