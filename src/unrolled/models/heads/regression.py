"""Heads that predict numbers."""

import math
from abc import abstractmethod

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.models.heads.head import Head, single

LEAST = 1e-4
"""The smallest standard deviation of a normal distribution, in deviations of the targets: what is certain costs no infinite loss."""


class NumberHead(Head):
    """A head for `numbers` K numbers at once. Targets are `[…, K]`, as are the means; a loss is the sum over all K."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        if numbers < 1:
            raise ConfigError(f"There must be at least 1 number to predict, got {numbers}.")
        self.numbers, self.size = numbers, numbers

    def moments(self, scores: Tensor) -> tuple[Tensor, Tensor | None]:
        """The means of the numbers and, where they are predicted, their standard deviations."""
        return single(scores), None

    def losses(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Of each decision, `[…]`. Raises `ConfigError` for weights, which are those of classes."""
        if weights is not None:
            raise ConfigError("Numbers have no classes that could have weights. Leave them out.")
        means = single(scores)
        return self._each(means, targets.to(means)).sum(-1)

    @abstractmethod
    def _each(self, scores: Tensor, targets: Tensor) -> Tensor:
        """The loss of each number, `[…, K]`."""


class Squared(NumberHead):
    """The squared error: what is predicted is a mean."""

    def _each(self, scores: Tensor, targets: Tensor) -> Tensor:
        return (scores - targets).square()


class Absolute(NumberHead):
    """The absolute error: what is predicted is a median, on which single wild targets have little influence."""

    def _each(self, scores: Tensor, targets: Tensor) -> Tensor:
        return (scores - targets).abs()


class Huber(NumberHead):
    """Half the squared error up to 1 and the absolute one beyond (Huber 1964, "Robust Estimation of a Location Parameter")."""

    def _each(self, scores: Tensor, targets: Tensor) -> Tensor:
        return functional.huber_loss(scores, targets, reduction="none")


class Normal(NumberHead):
    """A normal distribution of each number, whose standard deviation is learnt too: softplus of a second score.

    The loss is the negative natural log-likelihood.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__(numbers)
        self.size = 2 * numbers

    def moments(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Means and standard deviations."""
        means, raw = single(scores).split(self.numbers, -1)
        return means, functional.softplus(raw) + LEAST

    def _each(self, scores: Tensor, targets: Tensor) -> Tensor:
        means, deviations = self.moments(scores)
        return ((targets - means) / deviations).square() / 2 + deviations.log() + math.log(2 * torch.pi) / 2
