"""Heads that predict whole numbers from 0: how many were sold, called, counted."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.models.heads.head import single
from unrolled.models.heads.regression import Distribution
from unrolled.models.heads.special import smallest_count

LEAST = 1e-4
"""The smallest mean, in scales, and the smallest dispersion, at which a negative binomial is nearly a Poisson distribution."""


class NegativeBinomial(Distribution):
    """A negative binomial distribution of each count: mean m and dispersion a are learnt, the variance is m + a·m².

    With a scale s, the mean is s·softplus and the dispersion softplus/√s (Salinas et al. 2020, "DeepAR", section 3.1), so that the
    network sees scaled counts and the likelihood is that of the counts as they are. The loss is the negative natural log-likelihood.
    """

    counts = True

    def __init__(self, numbers: int) -> None:
        super().__init__(numbers)
        self.size = 2 * numbers

    def parameters_of(self, scores: Tensor, scale: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and dispersions, each `[…, K]`, in double precision, which log-gamma functions of large counts need."""
        mean, dispersion = (functional.softplus(part) + LEAST for part in self._split(scores)[:2])
        return (mean, dispersion) if scale is None else (mean * scale, dispersion * scale.double().rsqrt().clamp(max=1 / LEAST))

    def moments(self, scores: Tensor, scale: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and standard deviations."""
        mean, dispersion = self.parameters_of(scores, scale)
        return mean.to(single(scores)), (mean + dispersion * mean.square()).sqrt().to(single(scores))

    @torch.no_grad()
    def quantiles(self, scores: Tensor, levels: Sequence[float], scale: Tensor | None = None) -> Tensor:
        """See `Distribution`: the smallest count that is reached with a probability of the level."""
        wanted = torch.tensor(levels, dtype=torch.float64, device=scores.device)
        return self._reaching(wanted, scores, scale).to(single(scores))

    @torch.no_grad()
    def sample(self, scores: Tensor, generator: torch.Generator | None = None, scale: Tensor | None = None) -> Tensor:
        """See `Distribution`: a Poisson draw whose mean is drawn from a gamma distribution."""
        mean, dispersion = self.parameters_of(scores, scale)
        rate = torch._standard_gamma(1 / dispersion, generator=generator) * dispersion * mean
        return torch.poisson(rate, generator=generator).to(single(scores))

    def _split(self, scores: Tensor) -> tuple[Tensor, ...]:
        return single(scores).double().split(self.numbers, -1)

    def _reaching(self, levels: Tensor, scores: Tensor, scale: Tensor | None) -> Tensor:
        """The counts that are reached at levels `[…, K or 1, Q]`."""
        mean, dispersion = (part[..., None] for part in self.parameters_of(scores, scale))
        return smallest_count(levels, mean, (mean + dispersion * mean.square()).sqrt(), 1 / dispersion)

    def _log_likelihood(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        mean, dispersion = self.parameters_of(scores, scale)
        shape, targets = 1 / dispersion, targets.double()
        ways = torch.lgamma(targets + shape) - torch.lgamma(targets + 1) - torch.lgamma(shape)
        spread = torch.log1p(dispersion * mean)
        return ways - shape * spread + targets * ((dispersion * mean).log() - spread)

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        return -self._log_likelihood(scores, targets, scale).to(scores)


class ZeroInflatedNegativeBinomial(NegativeBinomial):
    """A negative binomial distribution of each count, or 0 with a probability that is learnt too: counts that are mostly 0."""

    def __init__(self, numbers: int) -> None:
        super().__init__(numbers)
        self.size = 3 * numbers

    def moments(self, scores: Tensor, scale: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and standard deviations."""
        (mean, dispersion), nothing = self.parameters_of(scores, scale), self._split(scores)[2].sigmoid()
        variance = (1 - nothing) * (mean + (dispersion + nothing) * mean.square())
        return ((1 - nothing) * mean).to(single(scores)), variance.sqrt().to(single(scores))

    @torch.no_grad()
    def sample(self, scores: Tensor, generator: torch.Generator | None = None, scale: Tensor | None = None) -> Tensor:
        """See `Distribution`."""
        some = torch.bernoulli(torch.sigmoid(-self._split(scores)[2]), generator=generator)
        return super().sample(scores, generator, scale) * some.to(single(scores))

    def _reaching(self, levels: Tensor, scores: Tensor, scale: Tensor | None) -> Tensor:
        odds = self._split(scores)[2][..., None]
        # P(X ≤ k) = p + (1 - p) F(k) ≥ level where F(k) ≥ (level - p)/(1 - p), which 0 reaches when that is not above 0.
        rest = (levels - odds.sigmoid()) / torch.sigmoid(-odds)
        return super()._reaching(rest.clamp(min=0), scores, scale)

    def _each(self, scores: Tensor, targets: Tensor, scale: Tensor | None) -> Tensor:
        odds = self._split(scores)[2]
        counted = functional.logsigmoid(-odds) + self._log_likelihood(scores, targets, scale)
        return -torch.where(targets == 0, torch.logaddexp(functional.logsigmoid(odds), counted), counted).to(scores)
