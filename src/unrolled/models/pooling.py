"""All steps of a sequence as one vector."""

import torch
from torch import Tensor, nn

from unrolled.engines import read_lengths
from unrolled.errors import ConfigError

POOLINGS = ("last", "mean", "max", "attention")


class Pooling(nn.Module):
    """The outputs `[T, B, width]` of an encoder as one vector `[B, width]` for each sequence, 0 for one of length 0.

    Args:
        how: `"last"`: the last real step, and of a reverse direction the first, which it reads last; `"mean"` or `"max"` over the real
            steps, column by column; `"attention"`: a mean weighted by `Attention`.
        width: the columns of the outputs.
        directions: 2 if the second half of the columns is that of a reverse direction.
    """

    def __init__(self, how: str, width: int, directions: int = 1) -> None:
        super().__init__()
        if how not in POOLINGS:
            raise ConfigError(f"`pooling` must be one of {', '.join(POOLINGS)}, got {how!r}.")
        self.how, self.width, self.directions = how, width, directions
        self.attention = Attention(width) if how == "attention" else None

    def forward(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """`[B, width]`. What stands past each end reaches neither the result nor a gradient."""
        steps, batch = outputs.shape[:2]
        read = read_lengths(lengths, steps, batch, outputs.device)
        outputs = outputs.masked_fill(~read.mask[..., None], 0)
        if not steps or self.how == "mean":
            return outputs.sum(0) / read.values.clamp(min=1)[:, None]
        if self.how == "last":
            return self._last(outputs, read.values)
        if self.attention is not None:
            return (outputs * self.attention(outputs, read.mask)).sum(0)
        most = outputs.masked_fill(~read.mask[..., None], -torch.inf).amax(0)
        return most.masked_fill(read.values[:, None] == 0, 0)

    def _last(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        rows = torch.arange(outputs.shape[1], device=outputs.device)
        last = outputs[(lengths - 1).clamp(min=0), rows]
        if self.directions == 1:
            return last
        half = self.width // 2
        return torch.cat([last[:, :half], outputs[0, :, half:]], -1)


class Attention(nn.Module):
    """Weights of the steps of a sequence: softmax over t of v · tanh(W y[t] + b), with v, W and b learnt.

    Additive attention (Bahdanau et al. 2015), with one learnt query in the place of a decoder's state (Yang et al. 2016, "Hierarchical
    attention networks").
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.key, self.query = nn.Linear(width, width), nn.Linear(width, 1, bias=False)

    def forward(self, outputs: Tensor, real: Tensor) -> Tensor:
        """`[T, B, 1]`, which add up to 1 over the steps where `real` `[T, B]` is true, and are 0 elsewhere."""
        padding = ~real[..., None]
        scores = self.query(self.key(outputs).tanh())
        # The least number, and not -inf: the softmax of a sequence of length 0 is then one of numbers.
        return scores.masked_fill(padding, torch.finfo(scores.dtype).min).softmax(0).masked_fill(padding, 0)
