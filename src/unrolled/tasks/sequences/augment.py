"""Numbers varied in training: with noise, and moved about."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.models import FRAMES, NUMBERS


def varied(noise: float, shift: int) -> Callable[[Batch], Batch]:
    """What changes a batch: numbers get noise of that deviation, and are moved by up to `shift` steps and channels, frames by as many pixels."""

    def change(batch: Batch) -> Batch:
        if FRAMES in batch.fields and shift:
            batch = replace(batch, fields={**batch.fields, FRAMES: _moved_frames(batch[FRAMES], shift)})
        if NUMBERS not in batch.fields or not (noise or shift):
            return batch
        numbers = _moved(batch[NUMBERS], shift) if shift else batch[NUMBERS]
        return replace(batch, fields={**batch.fields, NUMBERS: numbers + noise * torch.randn_like(numbers)})

    return change


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


def _moved_frames(frames: Tensor, most: int) -> Tensor:
    """The frames of each clip `[T, B, C, H, W]` moved together by up to `most` rows and columns, with the pixels of the edge where nothing was."""
    batch, height, width = frames.shape[1], *frames.shape[3:]
    by_rows, by_columns = torch.randint(-most, most + 1, (2, batch, 1))
    rows = (torch.arange(height) + by_rows).clamp(0, height - 1)
    columns = (torch.arange(width) + by_columns).clamp(0, width - 1)
    each = torch.arange(batch)
    moved: Tensor = frames.permute(1, 3, 4, 0, 2)[each[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.permute(3, 0, 4, 1, 2)
