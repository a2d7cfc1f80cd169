"""Recordings varied in training: played faster or slower, with noise, and with parts of them blanked."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.models import NUMBERS
from unrolled.tasks.transcription.options import TranscribeBatchOptions


def varied(options: TranscribeBatchOptions, room: Callable[[Batch], Tensor]) -> Callable[[Batch], Batch]:
    """What changes a batch of standardised steps `[T, B, C]`; `room` says how many steps `[B]` each needs at least.

    Blanked is what has the value of the mean, 0 (SpecAugment: Park et al. 2019, without warping; that is what `speed` is for, as in Ko et al.
    2015, "Audio Augmentation for Speech Recognition", but on the steps, so that pitch stays).
    """

    def change(batch: Batch) -> Batch:
        assert batch.lengths is not None
        x, lengths = batch[NUMBERS], batch.lengths
        if options.speed:
            x, lengths = _resampled(x, lengths, options.speed, room(batch))
        if options.noise:
            x = x + options.noise * torch.randn_like(x)
        if options.frequency_masks:
            across = torch.full_like(lengths, x.shape[2])
            x = x.masked_fill(_stretches(x.shape[2], across, options.frequency_masks, options.frequency_width * across).T[None], 0)
        if options.time_masks:
            x = x.masked_fill(_stretches(len(x), lengths, options.time_masks, lengths.clamp(max=options.time_width))[..., None], 0)
        return replace(batch, fields={**batch.fields, NUMBERS: x}, lengths=lengths)

    return change


def _stretches(size: int, lengths: Tensor, count: int, most: Tensor) -> Tensor:
    """Where `count` stretches of `most` `[B]` at most lie within some lengths `[B]`, boolean `[size, B]`."""
    places = torch.arange(size)[:, None]
    hidden = torch.zeros(size, len(lengths), dtype=torch.bool)
    for _ in range(count):
        wide = (torch.rand(len(lengths)) * (most + 1)).long()
        first = (torch.rand(len(lengths)) * (lengths - wide + 1)).long()
        hidden |= (places >= first) & (places < first + wide)
    return hidden


def _resampled(x: Tensor, lengths: Tensor, most: float, room: Tensor) -> tuple[Tensor, Tensor]:
    """Each sequence read at another speed, from 1 - `most` to 1 + `most`, steps between steps being their weighted means."""
    speeds = 1 + most * (2 * torch.rand(len(lengths)) - 1)
    changed = torch.maximum((lengths / speeds).round().long(), room).clamp(min=1)
    steps = torch.arange(int(changed.max()))[:, None]
    # The first and the last step stay the first and the last.
    at = steps * ((lengths - 1) / (changed - 1).clamp(min=1))
    at = torch.minimum(at, (lengths - 1).to(at))
    before = at.floor().long()
    after = torch.minimum(before + 1, lengths - 1)
    rows, share = torch.arange(len(lengths)), (at - before)[..., None]
    return torch.lerp(x[before, rows], x[after, rows], share.to(x)), changed
