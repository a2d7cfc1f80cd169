"""Each place of a picture as a step: a small convolutional network whose last planes stay a grid, which attention can look at."""

import torch
from torch import Tensor, nn

from unrolled.cells import Cell
from unrolled.layers import Recurrent, dropout
from unrolled.models.frames import WIDER, block


class GridNetwork(nn.Module):
    """The convolutions of a `FrameNetwork`, until the longer side has at most `grid` places; each place becomes a vector of its channels and of
    where it lies, from -1 to 1 down and across (Liu et al. 2018, "An intriguing failing of convolutional neural networks").

    With `rows` recurrent layers read every row of the grid from both ends (Deng et al. 2017, "Image-to-markup generation with coarse-to-fine
    attention"), so that a place knows what stands beside it.

    Args:
        shape: `(C, H, W)` of a picture.
        filters: channels of the first convolution; each next one has twice as many, up to four times.
        features: the width of a place's vector.
        grid: the places that the longer side has at most.
        probability: the part of the vectors that is dropped in training.
        rows: the cell that reads rows, or None.
    """

    def __init__(
        self, shape: tuple[int, int, int], filters: int, features: int, grid: int, probability: float, rows: Cell | None = None
    ) -> None:
        super().__init__()
        channels, height, width = shape
        blocks, halve = list[nn.Module](), True
        while halve or len(blocks) < 2:
            stride, wider = 2 if max(height, width) > grid else 1, filters * min(2 ** len(blocks), WIDER)
            blocks.append(block(channels, wider, stride))
            channels, height, width = wider, -(-height // stride), -(-width // stride)
            halve = max(height, width) > grid
        self.blocks, self.size, self.probability = nn.Sequential(*blocks), (height, width), probability
        down, across = torch.linspace(-1, 1, height), torch.linspace(-1, 1, width)
        self.register_buffer("where", torch.stack(torch.meshgrid(down, across, indexing="ij")), persistent=False)
        self.linear = nn.Linear(channels + 2, features)
        self.rows = None if rows is None else Recurrent(rows, features, -(-features // 2), bidirectional=True)
        self.width = features if self.rows is None else self.rows.output_size

    @property
    def places(self) -> int:
        """How many places a picture has."""
        return self.size[0] * self.size[1]

    def forward(self, frames: Tensor, real: Tensor | None = None) -> Tensor:
        """`[T * places, B, width]` for `[T, B, C, H, W]`, row by row; 0 for frames that are not `real` `[T, B]`."""
        kept = frames.flatten(0, 1) if real is None else frames[real]
        found = self._looked_at(kept) if len(kept) else kept.new_zeros(0, self.places, self.width)
        if real is not None:
            empty = found.new_zeros(*real.shape, self.places, self.width)
            found = empty.masked_scatter(real[..., None, None], found).flatten(0, 1)
        return found.unflatten(0, frames.shape[:2]).transpose(1, 2).flatten(0, 1)

    def _looked_at(self, frames: Tensor) -> Tensor:
        """`[N, places, width]`."""
        planes = self.blocks(frames)
        assert isinstance(self.where, Tensor)
        placed = torch.cat([planes, self.where.to(planes).expand(len(planes), -1, -1, -1)], 1).permute(0, 2, 3, 1)
        found = dropout(self.linear(placed), self.probability, self.training)
        if self.rows is None:
            return found.flatten(1, 2)
        across, _ = self.rows(found.flatten(0, 1).transpose(0, 1))
        return across.transpose(0, 1).unflatten(0, (len(planes), self.size[0])).flatten(1, 2)
