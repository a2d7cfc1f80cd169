"""Numbers and frames varied in training: with noise, moved about, and seen in other ways."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.data.batches import Batch
from unrolled.models import FRAMES, NUMBERS
from unrolled.tasks.sequences.options import BatchOptions


@dataclass(frozen=True)
class Variation:
    """What changes a batch: numbers get noise, and are moved by up to `shift` steps and channels; clips are moved, mirrored, cut and lit as one,
    and some of their frames show the one before."""

    ways: BatchOptions

    def __call__(self, batch: Batch) -> Batch:
        """The batch, with what it has of both in a new place; what was given stays as it was."""
        ways, fields = self.ways, dict(batch.fields)
        if NUMBERS in fields and (ways.noise or ways.shift):
            fields[NUMBERS] = _noisy(_moved(batch[NUMBERS], ways.shift) if ways.shift else batch[NUMBERS], ways.noise)
        if FRAMES in fields:
            fields[FRAMES] = _seen(batch[FRAMES], ways)
        return batch if all(fields[name] is batch.fields[name] for name in fields) else replace(batch, fields=fields)


def _noisy(numbers: Tensor, noise: float) -> Tensor:
    return numbers + noise * torch.randn_like(numbers) if noise else numbers


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


def _seen(frames: Tensor, ways: BatchOptions) -> Tensor:
    """Clips `[T, B, C, H, W]`, of each all frames in one way."""
    if ways.drop_frames:
        frames = _repeated(frames, ways.drop_frames)
    if ways.shift or ways.flip != "none" or ways.zoom:
        frames = _placed(frames, ways)
    if ways.brightness:
        frames = frames + ways.brightness * (2 * torch.rand(frames.shape[1], 1, 1, 1) - 1)
    return _noisy(frames, ways.noise)


def _repeated(frames: Tensor, part: float) -> Tensor:
    """With the last frame that was not dropped in the place of each that is; the first stays."""
    steps, batch = frames.shape[:2]
    kept = torch.rand(steps, batch) >= part
    kept[:1] = True
    last = torch.where(kept, torch.arange(steps)[:, None], 0).cummax(0).values
    return frames[last, torch.arange(batch)]


def _placed(frames: Tensor, ways: BatchOptions) -> Tensor:
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
