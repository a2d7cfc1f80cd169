"""Frequencies of sound raised or lowered, as a shorter or longer vocal tract does: what tells voices apart and leaves words as they are."""

from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.data.sound.spectrogram import MelOptions, hertz_of, mel_of

BEND = 0.6
"""The part of the highest frequency up to which all are multiplied alike; above, a straight line leads to the highest, which stays."""


@dataclass(frozen=True)
class Warping:
    """Spectrograms of some bands whose frequencies are multiplied by a factor (Jaitly & Hinton 2013, "Vocal Tract Length Perturbation").

    `mean` and `deviation` `[M]` are those by which bands were standardised, as a band is read from others.
    """

    mel: MelOptions
    mean: Tensor
    deviation: Tensor

    def __call__(self, bands: Tensor, factors: Tensor) -> Tensor:
        """Standardised bands `[T, B, M]`, those of each sequence warped by one of `factors` `[B]`: above 1 what was heard is higher."""
        mean, deviation = self.mean.to(bands), self.deviation.to(bands)
        logs, places = bands * deviation + mean, self.places(factors).to(bands)
        below = places.floor().long().clamp(max=max(bands.shape[-1] - 2, 0))
        above = (below + 1).clamp(max=bands.shape[-1] - 1)
        first, second = (logs.gather(-1, which.expand_as(logs)) for which in (below, above))
        return (torch.lerp(first, second, places - below) - mean) / deviation

    def places(self, factors: Tensor) -> Tensor:
        """From where among the bands, which are numbered from 0, each band is read, `[B, M]`."""
        most, count = self.mel.rate / 2, self.mel.mels
        # The middle of band 0 is one step of the mel scale above silence.
        step = mel_of(torch.tensor(most, dtype=torch.float64)) / (count + 1)
        heard = hertz_of(step * torch.arange(1, count + 1))
        # A factor moves up what lies below the bend divided by it, so that nothing goes beyond the highest frequency.
        bend = BEND * most * factors.double().clamp(max=1)[:, None]
        origin = bend / factors.double()[:, None]
        slope = (most - origin) / (most - bend)
        read = torch.where(heard <= bend, heard * origin / bend, most - slope * (most - heard))
        return (mel_of(read) / step - 1).clamp(0, count - 1)
