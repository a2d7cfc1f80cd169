"""Numbers and frames varied in training: played faster or slower, with other frequencies, with noise, with parts blanked, moved about, and seen
in other ways."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.data.batches import Batch
from unrolled.data.codecs import InputCodec
from unrolled.data.sound.warping import Warping
from unrolled.models import FRAMES, NUMBERS
from unrolled.tasks.sequences.options import BatchOptions, ClipVariation, VaryingOptions

Room = Callable[[Batch], Tensor]
"""How many steps `[B]` each sequence of a batch needs at least."""


@dataclass(frozen=True)
class Variation:
    """What changes a batch of standardised numbers `[T, B, C]`, or of clips, which are moved, mirrored, cut and lit as one, and some of their frames
    show the one before.

    `warping` knows the bands whose frequencies are changed, `room` how many steps there must be, and with `each_step` there is a target for each.
    Blanked is what has the value of the mean, 0 (SpecAugment: Park et al. 2019, without warping of time; that is what `speed` is for, as in Ko et
    al. 2015, "Audio Augmentation for Speech Recognition", but on the steps, so that pitch stays).
    """

    ways: VaryingOptions
    warping: Warping | None = None
    room: Room | None = None
    each_step: bool = False

    def __call__(self, batch: Batch) -> Batch:
        """The batch, with what it has of both in a new place; what was given stays as it was."""
        ways = self.ways
        batch = _played(batch, ways.speed, self.room, self.each_step) if ways.speed and NUMBERS in batch.fields else batch
        fields = dict(batch.fields)
        if NUMBERS in fields:
            fields[NUMBERS] = self._heard(batch)
        if FRAMES in fields and isinstance(ways, BatchOptions):
            fields[FRAMES] = _noisy(varied_clips(batch[FRAMES], ways), ways.noise)
        return batch if all(fields[name] is batch.fields[name] for name in fields) else replace(batch, fields=fields)

    def _heard(self, batch: Batch) -> Tensor:
        ways, numbers = self.ways, batch[NUMBERS]
        shift = ways.shift if isinstance(ways, BatchOptions) else 0
        numbers = _moved(numbers, shift) if shift else numbers
        if self.warping is not None and ways.warp:
            numbers = self.warping(numbers, 1 + ways.warp * (2 * torch.rand(numbers.shape[1]) - 1))
        return _blanked(_noisy(numbers, ways.noise), _lengths(batch), ways)


def _noisy(numbers: Tensor, noise: float) -> Tensor:
    return numbers + noise * torch.randn_like(numbers) if noise else numbers


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


def _played(batch: Batch, most: float, room: Room | None, each_step: bool) -> Batch:
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


def varied_clips(frames: Tensor, ways: ClipVariation) -> Tensor:
    """Clips `[T, B, C, H, W]` moved, mirrored, cut and lit, of each all frames in one way; those that were given if nothing is to change."""
    if ways.drop_frames:
        frames = _repeated(frames, ways.drop_frames)
    if ways.shift or ways.flip != "none" or ways.zoom:
        frames = _placed(frames, ways)
    if ways.brightness:
        frames = frames + ways.brightness * (2 * torch.rand(frames.shape[1], 1, 1, 1) - 1)
    return frames


def _repeated(frames: Tensor, part: float) -> Tensor:
    """With the last frame that was not dropped in the place of each that is; the first stays."""
    steps, batch = frames.shape[:2]
    kept = torch.rand(steps, batch) >= part
    kept[:1] = True
    last = torch.where(kept, torch.arange(steps)[:, None], 0).cummax(0).values
    return frames[last, torch.arange(batch)]


def _placed(frames: Tensor, ways: ClipVariation) -> Tensor:
    """Each clip cut, mirrored and moved by whole pixels, with its edge repeated where nothing was."""
    steps, batch, _, height, width = frames.shape
    scale = 1 - ways.zoom * torch.rand(batch)
    across = torch.where(torch.rand(batch) < 0.5, -1.0, 1.0) if ways.flip != "none" else torch.ones(batch)
    down = torch.where(torch.rand(batch) < 0.5, -1.0, 1.0) if ways.flip == "both" else torch.ones(batch)
    room = (1 - scale)[:, None] * (2 * torch.rand(batch, 2) - 1)
    moved = torch.randint(-ways.shift, ways.shift + 1, (batch, 2)) * torch.tensor([2 / width, 2 / height])
    where = torch.zeros(batch, 2, 3)
    where[:, 0, 0], where[:, 1, 1], where[:, :, 2] = scale * across, scale * down, room + moved
    grid = functional.affine_grid(where, [batch, 1, height, width], align_corners=False).repeat(steps, 1, 1, 1)
    return functional.grid_sample(frames.flatten(0, 1), grid, padding_mode="border", align_corners=False).view_as(frames)
