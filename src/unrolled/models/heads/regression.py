"""Heads that predict numbers."""

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.models.heads.head import Head, single

LEAST = 1e-4
"""The smallest standard deviation of a normal distribution, in deviations of the targets: what is certain costs no infinite loss."""


class NumberHead(Head):
    """A head for `numbers` K numbers at once. Targets are `[…, K]`, as are the means; a loss is the sum over all K.

    With `counts`, targets are whole numbers as they are, from 0, and `scale` `[…, K]` says how large they usually are, if it is given;
    other heads take standardised targets and ignore it.
    """

    counts = False

    def __init__(self, numbers: int) -> None:
        super().__init__()
        if numbers < 1:
            raise ConfigError(f"There must be at least 1 number to predict, got {numbers}.")
        self.numbers, self.size = numbers, numbers

    def moments(self, scores: Tensor, scale: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """The means of the numbers and, where they are predicted, their standard deviations."""
        return single(scores), None

    def middle(self, scores: Tensor, scale: Tensor | None = None) -> Tensor:
        """The best guess of each number, `[…, K]`: the median where there is a distribution."""
        return self.moments(scores, scale)[0]

    def losses(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Of each decision, `[…]`. Raises `ConfigError` for weights, which are those of classes."""
        if weights is not None:
            raise ConfigError("Numbers have no classes that could have weights. Leave them out.")
        return self.each(scores, targets).sum(-1)

    def each(self, scores: Tensor, targets: Tensor, scale: Tensor | None = None) -> Tensor:
        """The loss of each number, `[…, K]`."""
        scores = single(scores)
        return self._each(scores, targets.to(scores), scale)

    def known(self, scores: Tensor, targets: Tensor, scale: Tensor | None = None) -> Tensor:
        """The loss of each number, `[…, K]`, and 0 where its target is missing (NaN), which changes no gradient."""
        missing = targets.isnan()
        return self.each(scores, targets.masked_fill(missing, 0), scale).masked_fill(missing, 0)

    @abstractmethod
    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        """The loss of each number, `[…, K]`, in the precision of the scores."""


class Distribution(NumberHead):
    """A head that predicts how each number is distributed, each by itself."""

    @abstractmethod
    def quantiles(self, scores: Tensor, levels: Sequence[float], scale: Tensor | None = None) -> Tensor:
        """The quantiles of each number at Q levels between 0 and 1, `[…, K, Q]`, without a gradient."""

    @abstractmethod
    def sample(self, scores: Tensor, generator: torch.Generator | None = None, scale: Tensor | None = None) -> Tensor:
        """One draw of each number, `[…, K]`, without a gradient."""

    def middle(self, scores: Tensor, scale: Tensor | None = None) -> Tensor:
        """The median of each number, `[…, K]`."""
        return self.quantiles(scores, (0.5,), scale)[..., 0]


class Squared(NumberHead):
    """The squared error: what is predicted is a mean."""

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        return (scores - targets).square()


class Absolute(NumberHead):
    """The absolute error: what is predicted is a median, on which single wild targets have little influence."""

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        return (scores - targets).abs()


class Huber(NumberHead):
    """Half the squared error up to 1 and the absolute one beyond (Huber 1964, "Robust Estimation of a Location Parameter")."""

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        return functional.huber_loss(scores, targets, reduction="none")


class Normal(Distribution):
    """A normal distribution of each number, whose standard deviation is learnt too: softplus of a second score.

    The loss is the negative natural log-likelihood.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__(numbers)
        self.size = 2 * numbers

    def moments(self, scores: Tensor, scale: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and standard deviations."""
        means, raw = single(scores).split(self.numbers, -1)
        return means, functional.softplus(raw) + LEAST

    @torch.no_grad()
    def quantiles(self, scores: Tensor, levels: Sequence[float], scale: Tensor | None = None) -> Tensor:
        """See `Distribution`."""
        means, deviations = self.moments(scores)
        return means[..., None] + deviations[..., None] * torch.special.ndtri(means.new_tensor(levels))

    @torch.no_grad()
    def sample(self, scores: Tensor, generator: torch.Generator | None = None, scale: Tensor | None = None) -> Tensor:
        """See `Distribution`."""
        means, deviations = self.moments(scores)
        return torch.normal(means, deviations, generator=generator)

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        means, deviations = self.moments(scores)
        return ((targets - means) / deviations).square() / 2 + deviations.log() + math.log(2 * torch.pi) / 2
