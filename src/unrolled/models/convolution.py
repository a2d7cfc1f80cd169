"""What stands around each step, read before the recurrent layers."""

import torch
from torch import Tensor, nn

from unrolled.layers import dropout

WIDTHS = (3, 7, 11)
"""The steps that each convolution reads, of which the one it stands at is the middle."""


class ConvolutionalFrontEnd(nn.Module):
    """Each step with what rectified convolutions of 3, 7 and 11 steps find around it, as Li & Yu (2016) read proteins ("Protein Secondary
    Structure Prediction Using Cascaded Convolutional and Recurrent Neural Networks").

    Args:
        columns: I, those of the input.
        channels: C, those of each convolution, at least 1.
        dropout: the part of what they find that is dropped in training.
    """

    def __init__(self, columns: int, channels: int, dropout: float) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv1d(columns, channels, width, padding="same") for width in WIDTHS)
        self.dropout, self.width = dropout, columns + len(WIDTHS) * channels

    def forward(self, x: Tensor, real: Tensor | None) -> Tensor:
        """`[T, B, I + 3 C]`, 0 where `real` `[T, B]` is false, for `x` `[T, B, I]` that is 0 there, too."""
        if not x.numel():
            return x.new_zeros(*x.shape[:2], self.width)
        # One-hot vectors do not know in which precision the network computes.
        along = x.to(next(self.convolutions.parameters()).dtype).permute(1, 2, 0)
        found = torch.cat([convolution(along) for convolution in self.convolutions], 1).relu().permute(2, 0, 1)
        found = dropout(found, self.dropout, self.training)
        y = torch.cat([x, found], -1)
        return y if real is None else y.masked_fill(~real[..., None], 0)
