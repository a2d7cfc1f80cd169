"""Heads that predict how numbers are distributed where a normal distribution is too simple."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.models.heads.head import single
from unrolled.models.heads.regression import LEAST, Distribution
from unrolled.models.heads.special import student_quantile

FREEDOM = (2.0, 200.0)
"""Degrees of freedom of a Student t: above 2 there is a variance, and at 200 nobody tells it from a normal distribution."""

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Levels of quantiles, if none are given."""

_HALVINGS = 60
_EDGE = 1e-6
"""Draws are made of levels that are at least so far from 0 and 1."""


class StudentT(Distribution):
    """A Student t distribution of each number: location, scale (softplus) and degrees of freedom are learnt.

    Single wild targets cost the logarithm of their distance. The loss is the negative natural log-likelihood.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__(numbers)
        self.size = 3 * numbers

    def parameters_of(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Locations, scales and degrees of freedom, each `[…, K]`."""
        location, scale, raw = single(scores).split(self.numbers, -1)
        low, high = FREEDOM
        freedom = low + LEAST + (high - low) * torch.sigmoid(raw - 3)
        return location, functional.softplus(scale) + LEAST, freedom

    def moments(self, scores: Tensor, scale: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and standard deviations."""
        location, width, freedom = self.parameters_of(scores)
        return location, width * (freedom / (freedom - 2)).sqrt()

    @torch.no_grad()
    def quantiles(self, scores: Tensor, levels: Sequence[float], scale: Tensor | None = None) -> Tensor:
        """See `Distribution`."""
        location, width, freedom = (part[..., None] for part in self.parameters_of(scores))
        return location + width * student_quantile(freedom.new_tensor(levels, dtype=torch.float64), freedom).to(width)

    @torch.no_grad()
    def sample(self, scores: Tensor, generator: torch.Generator | None = None, scale: Tensor | None = None) -> Tensor:
        """See `Distribution`. After Bailey 1994, "Polar generation of random variates with the t-distribution"."""
        location, width, freedom = self.parameters_of(scores)
        u, v = (torch.rand(location.shape, generator=generator, dtype=torch.float64, device=location.device) for _ in range(2))
        radius = (freedom * torch.expm1(-2 / freedom * torch.log1p(-u))).sqrt()
        return location + width * (radius * torch.cos(2 * torch.pi * v)).to(width)

    def middle(self, scores: Tensor, scale: Tensor | None = None) -> Tensor:
        """The medians, which are the locations."""
        return self.parameters_of(scores)[0]

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        location, width, freedom = self.parameters_of(scores)
        beta = torch.lgamma(freedom / 2) - torch.lgamma((freedom + 1) / 2) + (freedom * torch.pi).log() / 2
        return beta + width.log() + (freedom + 1) / 2 * torch.log1p(((targets - location) / width).square() / freedom)


class Mixture(Distribution):
    """A mixture of normal distributions of each number: their weights (softmax), means and standard deviations (softplus) are learnt.

    It can have several peaks. The loss is the negative natural log-likelihood.
    """

    def __init__(self, numbers: int, components: int = 3) -> None:
        super().__init__(numbers)
        if components < 1:
            raise ConfigError(f"A mixture has at least 1 component, got {components}.")
        self.components, self.size = components, 3 * components * numbers

    def parameters_of(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-weights, means and standard deviations, each `[…, K, components]`."""
        weights, means, raw = single(scores).unflatten(-1, (3, self.numbers, self.components)).unbind(-3)
        # Components that begin as one would stay one.
        spread = torch.linspace(-1, 1, self.components).to(means) if self.components > 1 else 0
        return weights.log_softmax(-1), means + spread, functional.softplus(raw) + LEAST

    def moments(self, scores: Tensor, scale: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and standard deviations."""
        weights, means, deviations = self.parameters_of(scores)
        mean = (weights.exp() * means).sum(-1)
        variance = (weights.exp() * (deviations.square() + (means - mean[..., None]).square())).sum(-1)
        return mean, variance.sqrt()

    @torch.no_grad()
    def quantiles(self, scores: Tensor, levels: Sequence[float], scale: Tensor | None = None) -> Tensor:
        """See `Distribution`. A quantile lies between those of the components, where an interval is halved."""
        weights, means, deviations = (part.double()[..., None, :] for part in self.parameters_of(scores))
        wanted = means.new_tensor(levels)
        each = means + deviations * torch.special.ndtri(wanted)[:, None]
        low, high = each.amin(-1), each.amax(-1)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            below = (weights.exp() * torch.special.ndtr((middle[..., None] - means) / deviations)).sum(-1) < wanted
            low, high = torch.where(below, middle, low), torch.where(below, high, middle)
        return ((low + high) / 2).to(single(scores))

    @torch.no_grad()
    def sample(self, scores: Tensor, generator: torch.Generator | None = None, scale: Tensor | None = None) -> Tensor:
        """See `Distribution`."""
        weights, means, deviations = self.parameters_of(scores)
        drawn = torch.multinomial(weights.exp().flatten(0, -2), 1, generator=generator).view(*weights.shape[:-1], 1)
        return torch.normal(means.gather(-1, drawn), deviations.gather(-1, drawn), generator=generator)[..., 0]

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        weights, means, deviations = self.parameters_of(scores)
        apart = ((targets[..., None] - means) / deviations).square() / 2
        return -(weights - apart - deviations.log() - math.log(2 * torch.pi) / 2).logsumexp(-1)


class Quantiles(Distribution):
    """The quantiles of each number at given levels, and no other assumption.

    The first score is the lowest quantile, and each other adds a step (softplus) to the one before, so that they never cross. Steps are
    measured in those of a standard normal distribution, whose quantiles the head begins with. The loss is twice the mean pinball loss of the
    levels (Koenker and Bassett 1978, "Regression Quantiles"), which is the absolute error for the median alone.
    """

    levels: Tensor

    def __init__(self, numbers: int, levels: Sequence[float] = LEVELS) -> None:
        super().__init__(numbers)
        if not levels or not all(0 < level < 1 for level in levels) or any(b <= a for a, b in pairwise(levels)):
            raise ConfigError(f"Levels of quantiles must rise and lie between 0 and 1, got {', '.join(map(str, levels))}.")
        self.size = len(levels) * numbers
        self.register_buffer("levels", torch.tensor(levels, dtype=torch.float64), persistent=False)

    def values(self, scores: Tensor) -> Tensor:
        """The quantiles at the head's own levels, `[…, K, Q]`."""
        raw = single(scores).unflatten(-1, (self.numbers, -1))
        places = torch.special.ndtri(self.levels).to(raw)
        # softplus(log(e - 1)) is 1.
        steps = functional.softplus(raw[..., 1:] + math.log(math.e - 1)) * places.diff()
        return torch.cat([raw[..., :1] + places[0], steps], -1).cumsum(-1)

    @torch.no_grad()
    def quantiles(self, scores: Tensor, levels: Sequence[float], scale: Tensor | None = None) -> Tensor:
        """See `Distribution`. Between the head's levels, and beyond them, lines are drawn in the scale of a normal distribution."""
        wanted = torch.tensor(levels, dtype=torch.float64, device=scores.device)
        return self._between(self.values(scores), wanted)

    @torch.no_grad()
    def sample(self, scores: Tensor, generator: torch.Generator | None = None, scale: Tensor | None = None) -> Tensor:
        """See `Distribution`. Each draw is the quantile at a level that is drawn."""
        values = self.values(scores)
        level = torch.rand(values.shape[:-1], generator=generator, dtype=torch.float64, device=values.device)
        return self._between(values, level.clamp(_EDGE, 1 - _EDGE)[..., None])[..., 0]

    def _between(self, values: Tensor, levels: Tensor) -> Tensor:
        """The quantiles at other levels, `[…, K, R]`: levels are `[R]`, or a row for each number."""
        places, wanted = torch.special.ndtri(self.levels), torch.special.ndtri(levels).expand(*values.shape[:-1], -1)
        if len(places) == 1:
            return values.expand(wanted.shape)
        right = torch.searchsorted(places, wanted.contiguous()).clamp(1, len(places) - 1)
        part = ((wanted - places[right - 1]) / (places[right] - places[right - 1])).to(values)
        return torch.lerp(values.gather(-1, right - 1), values.gather(-1, right), part)

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        over = targets[..., None] - self.values(scores)
        levels = self.levels.to(over)
        return 2 * torch.maximum(levels * over, (levels - 1) * over).mean(-1)
