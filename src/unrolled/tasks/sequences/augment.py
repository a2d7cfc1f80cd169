"""Numbers varied in training: with noise, and moved about."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.models import NUMBERS


def varied(noise: float, shift: int) -> Callable[[Batch], Batch]:
    """What changes a batch: numbers get noise of that deviation, and are moved by up to `shift` steps and channels."""

    def change(batch: Batch) -> Batch:
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
