"""Dropout (Srivastava et al. 2014)."""

import torch
from torch import Tensor
from torch.nn import functional


def dropout(x: Tensor, probability: float, training: bool) -> Tensor:
    """`x` with each number set to 0 with that probability and the others divided by 1 - `probability`; `x` itself outside of training.

    What `torch.nn.functional.dropout` gives, but for other draws: on a CPU it takes four times as long to draw what is dropped.
    """
    if not (training and 0 < probability < 1) or x.device.type != "cpu":
        return functional.dropout(x, probability, training)
    kept = torch.rand(x.shape, device=x.device) >= probability
    return x * kept.to(x.dtype).mul_(1 / (1 - probability))
