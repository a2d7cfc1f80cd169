"""Each frame as a vector: a small convolutional network, the same for all frames."""

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers import dropout

FLATTEN, MEAN, POINTS = POOLINGS = ("flatten", "mean", "points")
"""How the last planes become one vector: all their places, their means, or where in each plane its mass lies."""

SMALLEST = 5
"""The longer side of planes that are not halved any more."""

_GROUP = 8
"""Channels that are normalised together."""

WIDER = 4
"""By how much the last planes may be more than the first."""


class FrameNetwork(nn.Module):
    """Rectified convolutions of 3 × 3, each of which halves the planes until their longer side is at most `SMALLEST`, normalised in groups
    of channels of each frame (Wu & He 2018, "Group Normalization"), so that frames know nothing of each other.

    `pooling` says how the last planes become a vector: `points` are the expected coordinates of each plane and what it has in all (spatial
    softmax, Finn et al. 2016, "Deep Spatial Autoencoders for Visuomotor Learning"), which read motion well from few clips.

    Args:
        shape: `(C, H, W)` of a frame.
        filters: channels of the first convolution; each next one has twice as many, up to four times.
        features: the width of the vector.
        pooling: one of `POOLINGS`.
        probability: the part of the vector that is dropped in training.
    """

    def __init__(self, shape: tuple[int, int, int], filters: int, features: int, pooling: str, probability: float) -> None:
        super().__init__()
        channels, height, width = shape
        blocks, halve = list[nn.Module](), True
        while halve:
            stride, wider = 2 if max(height, width) > SMALLEST else 1, filters * min(2 ** len(blocks), WIDER)
            blocks.append(block(channels, wider, stride))
            channels, height, width = wider, -(-height // stride), -(-width // stride)
            halve = max(height, width) > SMALLEST
        self.blocks = nn.Sequential(*blocks)
        self.planes, self.width = (channels, height, width), features
        self.pooling, self.probability = pooling, probability
        self.linear = nn.Linear(channels * {FLATTEN: height * width, MEAN: 1, POINTS: 3}[pooling], features)

    def maps(self, frames: Tensor) -> Tensor:
        """The last planes `[N, D, h, w]` of frames `[N, C, H, W]`; `planes` is `(D, h, w)`."""
        return self.blocks(frames.to(self.linear.weight.dtype))

    def forward(self, frames: Tensor, real: Tensor | None = None) -> Tensor:
        """`[T, B, width]` for `[T, B, C, H, W]`, 0 where `real` `[T, B]` is false."""
        kept = frames.flatten(0, 1) if real is None else frames[real]
        found = self._pooled(self.maps(kept)) if len(kept) else self.linear.weight.new_zeros(0, self.linear.in_features)
        found = dropout(self.linear(found).relu(), self.probability, self.training)
        if real is None:
            return found.unflatten(0, frames.shape[:2])
        return found.new_zeros(*frames.shape[:2], self.width).masked_scatter(real[..., None], found)

    def _pooled(self, planes: Tensor) -> Tensor:
        if self.pooling == FLATTEN:
            return planes.flatten(1)
        if self.pooling == MEAN:
            return planes.mean((2, 3))
        weights = planes.flatten(2).softmax(-1).view_as(planes)
        down, across = (torch.linspace(-1, 1, size, device=planes.device, dtype=planes.dtype) for size in planes.shape[2:])
        return torch.cat([(weights.sum(3) * down).sum(2), (weights.sum(2) * across).sum(2), planes.mean((2, 3))], 1)


def block(channels: int, wider: int, stride: int) -> nn.Sequential:
    """A rectified convolution of 3 × 3, normalised in groups of channels."""
    groups = wider // _GROUP if wider % _GROUP == 0 else 1
    return nn.Sequential(nn.Conv2d(channels, wider, 3, stride, 1), nn.GroupNorm(groups, wider), nn.ReLU())


def require_pooling(pooling: str) -> None:
    """`ConfigError` for another one than those that there are."""
    if pooling not in POOLINGS:
        raise ConfigError(f"`frame_pooling` must be one of {', '.join(POOLINGS)}, got {pooling!r}.")
