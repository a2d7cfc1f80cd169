"""An exponential moving average of the weights, which is often better than the weights themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_SLOW = 10
"""Updates after which the mean reaches further back than over a few of the last ones."""


class ExponentialMovingAverage:
    """An exponential moving average of a model's parameters (EMA; after Polyak & Juditsky 1992).

    `decay` is the part of the mean that an update leaves; it is less during the first updates, whose weights mean little. With 0 the mean
    is the weights.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._own = dict(model.named_parameters()) if decay else {}
        self._decay = decay
        self._mean = [p.detach().clone() for p in self._own.values()]

    def tensors(self) -> dict[str, Tensor]:
        """The means, by the names of the parameters, to be stored and written to."""
        return dict(zip(self._own, self._mean, strict=True))

    def update(self, updates: int) -> None:
        """Take in the weights after so many updates."""
        if self._mean:
            decay = min(self._decay, (1 + updates) / (_SLOW + updates))
            with torch.no_grad():
                torch._foreach_lerp_(self._mean, [p.detach() for p in self._own.values()], 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model has the means as its weights for as long as this lasts."""
        weights = [p.detach() for p in self._own.values()]
        kept = [w.clone() for w in weights]
        _copy(weights, self._mean)
        try:
            yield
        finally:
            _copy(weights, kept)


@torch.no_grad()
def _copy(to: list[Tensor], values: list[Tensor]) -> None:
    for own, value in zip(to, values, strict=True):
        own.copy_(value)
