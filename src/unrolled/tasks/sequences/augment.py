"""Numbers varied in training: played faster or slower, with other frequencies, with noise, with parts blanked, and moved about."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.codecs import InputCodec
from unrolled.data.sound.warping import Warping
from unrolled.models import NUMBERS
from unrolled.tasks.sequences.options import VaryingOptions

Change = Callable[[Batch], Batch]
"""Makes another batch of one."""


def varied(
    options: VaryingOptions,
    *,
    shift: int = 0,
    warping: Warping | None = None,
    room: Callable[[Batch], Tensor] | None = None,
    each_step: bool = False,
) -> Change:
    """What changes a batch of standardised numbers `[T, B, C]`; other batches stay.

    Numbers are moved by up to `shift` steps and channels. `warping` knows the bands whose frequencies are changed, `room` how many steps `[B]` each
    sequence needs at least, and with `each_step` there is a target for each. Blanked is what has the value of the mean, 0 (SpecAugment: Park et al. 2019,
    without warping of time; that is what `speed` is for, as in Ko et al. 2015, "Audio Augmentation for Speech Recognition", but on the steps, so
    that pitch stays).
    """

    def change(batch: Batch) -> Batch:
        if NUMBERS not in batch.fields:
            return batch
        batch = _played(batch, options.speed, room, each_step) if options.speed else batch
        numbers = _moved(batch[NUMBERS], shift) if shift else batch[NUMBERS]
        if warping is not None and options.warp:
            numbers = warping(numbers, 1 + options.warp * (2 * torch.rand(numbers.shape[1]) - 1))
        numbers = numbers + options.noise * torch.randn_like(numbers) if options.noise else numbers
        return replace(batch, fields={**batch.fields, NUMBERS: _blanked(numbers, _lengths(batch), options)})

    return change


def warping_of(inputs: InputCodec) -> Warping | None:
    """What changes the frequencies of what is heard; None where there is no sound, or its samples are read."""
    if inputs.sound is None or inputs.numbers is None or not inputs.sound.mel.mels:
        return None
    return Warping(inputs.sound.mel, torch.from_numpy(inputs.numbers.mean), torch.from_numpy(inputs.numbers.deviation))


def _lengths(batch: Batch) -> Tensor:
    steps, size = batch.shape
    return torch.full((size,), steps) if batch.lengths is None else batch.lengths


def _blanked(x: Tensor, lengths: Tensor, options: VaryingOptions) -> Tensor:
    """Numbers of which some bands, and some stretches of time, have the value 0."""
    if options.frequency_masks:
        across = torch.full_like(lengths, x.shape[2])
        x = x.masked_fill(_stretches(x.shape[2], across, options.frequency_masks, options.frequency_width * across).T[None], 0)
    if options.time_masks:
        x = x.masked_fill(_stretches(len(x), lengths, options.time_masks, lengths.clamp(max=options.time_width))[..., None], 0)
    return x


def _stretches(size: int, lengths: Tensor, count: int, most: Tensor) -> Tensor:
    """Where `count` stretches of `most` `[B]` at most lie within some lengths `[B]`, boolean `[size, B]`."""
    places = torch.arange(size)[:, None]
    hidden = torch.zeros(size, len(lengths), dtype=torch.bool)
    for _ in range(count):
        wide = (torch.rand(len(lengths)) * (most + 1)).long()
        first = (torch.rand(len(lengths)) * (lengths - wide + 1)).long()
        hidden |= (places >= first) & (places < first + wide)
    return hidden


def _played(batch: Batch, most: float, room: Callable[[Batch], Tensor] | None, each_step: bool) -> Batch:
    """Each sequence read at another speed, from 1 - `most` to 1 + `most`, steps between steps being their weighted means; targets of steps are those
    of the nearest."""
    x, lengths = batch[NUMBERS], _lengths(batch)
    speeds = 1 + most * (2 * torch.rand(len(lengths)) - 1)
    changed = (lengths / speeds).round().long().clamp(min=1)
    changed = changed if room is None else torch.maximum(changed, room(batch))
    steps = torch.arange(int(changed.max()))[:, None]
    # The first and the last step stay the first and the last.
    at = steps * ((lengths - 1) / (changed - 1).clamp(min=1))
    at = torch.minimum(at, (lengths - 1).to(at))
    before = at.floor().long()
    after = torch.minimum(before + 1, lengths - 1)
    rows, share = torch.arange(len(lengths)), (at - before)[..., None]
    numbers = torch.lerp(x[before, rows], x[after, rows], share.to(x))
    targets = batch.targets[at.round().long(), rows] if each_step and batch.targets is not None else batch.targets
    return replace(batch, fields={**batch.fields, NUMBERS: numbers}, lengths=changed, targets=targets)


def _moved(numbers: Tensor, most: int) -> Tensor:
    """Each sequence `[T, B, C]` moved by up to `most` steps and channels, with 0, the mean, where nothing was."""
    steps, batch, channels = numbers.shape
    by_steps, by_channels = torch.randint(-most, most + 1, (2, batch))
    times = torch.arange(steps)[:, None] + by_steps
    places = torch.arange(channels) + by_channels[:, None]
    inside = ((times >= 0) & (times < steps))[..., None] & ((places >= 0) & (places < channels))
    moved = numbers[times.clamp(0, steps - 1), torch.arange(batch)]
    moved = moved.gather(-1, places.clamp(0, channels - 1).expand(steps, -1, -1))
    return moved.masked_fill(~inside, 0)
