"""Heads of distributions beside scipy."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import betainc
from torch.nn.functional import softplus

from unrolled.errors import ConfigError
from unrolled.models import FORECAST_HEADS, Distribution
from unrolled.models.heads import Mixture, NegativeBinomial, Normal, Quantiles, StudentT, ZeroInflatedNegativeBinomial
from unrolled.models.heads.special import beta_cdf

LEVELS = (0.02, 0.1, 0.45, 0.5, 0.75, 0.99)
DISTRIBUTIONS = [name for name, head in FORECAST_HEADS.items() if issubclass(head, Distribution)]
COUNTS = [NegativeBinomial, ZeroInflatedNegativeBinomial]


def scores_of(head, rows=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 1.5 * torch.randn(rows, 2, head.size, generator=generator, dtype=torch.float64)


def test_student_t_is_that_of_scipy():
    head = StudentT(3)
    scores, targets = scores_of(head), 2 * torch.randn(6, 2, 3, dtype=torch.float64)
    location, width, freedom = scores[..., :3].numpy(), (softplus(scores[..., 3:6]) + 1e-4).numpy(), head.parameters_of(scores)[2].numpy()
    assert freedom.min() > 2 and freedom.max() < 203
    assert head.parameters_of(torch.zeros(9))[2][0] == pytest.approx(2 + 198 / (1 + np.exp(3)), rel=1e-4)
    known = stats.t(freedom, location, width)
    np.testing.assert_allclose(head.each(scores, targets), -known.logpdf(targets), rtol=1e-10)
    np.testing.assert_allclose(head.losses(scores, targets), -known.logpdf(targets).sum(-1), rtol=1e-10)
    found = head.quantiles(scores, LEVELS)
    np.testing.assert_allclose(found, np.stack([known.ppf(level) for level in LEVELS], -1), rtol=1e-7, atol=1e-9)
    means, deviations = head.moments(scores)
    np.testing.assert_allclose(means, known.mean())
    np.testing.assert_allclose(deviations, known.std())
    assert torch.equal(head.middle(scores), scores[..., :3])


def test_normal_quantiles_are_those_of_scipy():
    head = Normal(2)
    scores = scores_of(head)
    known = stats.norm(*(part.numpy() for part in head.moments(scores)))
    np.testing.assert_allclose(head.quantiles(scores, LEVELS), np.stack([known.ppf(level) for level in LEVELS], -1), rtol=1e-9)
    torch.testing.assert_close(head.middle(scores), scores[..., :2])


def test_a_mixture_is_the_sum_of_its_components():
    head = Mixture(2, components=3)
    scores, targets = scores_of(head), torch.randn(6, 2, 2, dtype=torch.float64)
    raw = scores.view(6, 2, 3, 2, 3).numpy()
    weights = np.exp(raw[:, :, 0]) / np.exp(raw[:, :, 0]).sum(-1, keepdims=True)
    known = stats.norm(raw[:, :, 1] + [-1, 0, 1], np.log1p(np.exp(raw[:, :, 2])) + 1e-4)
    np.testing.assert_allclose(head.each(scores, targets), -np.log((weights * known.pdf(targets[..., None])).sum(-1)), rtol=1e-9)
    for level, quantile in zip(LEVELS, head.quantiles(scores, LEVELS).unbind(-1), strict=True):
        np.testing.assert_allclose((weights * known.cdf(quantile[..., None])).sum(-1), level, rtol=1e-9)
    means, deviations = head.moments(scores)
    np.testing.assert_allclose(means, (weights * known.mean()).sum(-1))
    np.testing.assert_allclose(deviations**2, (weights * (known.var() + known.mean() ** 2)).sum(-1) - means.numpy() ** 2)


def test_quantiles_never_cross_and_cost_their_pinball_losses():
    levels = np.array([0.1, 0.5, 0.8])
    head = Quantiles(2, levels.tolist())
    scores, targets = 5 * scores_of(head), torch.randn(6, 2, 2, dtype=torch.float64)
    values = head.values(scores).numpy()
    assert (np.diff(values) > 0).all()
    over = targets[..., None].numpy() - values
    pinball = np.where(over > 0, levels * over, (levels - 1) * over)
    np.testing.assert_allclose(head.each(scores, targets), 2 * pinball.mean(-1))
    np.testing.assert_allclose(head.quantiles(scores, levels), values)
    np.testing.assert_allclose(head.middle(scores), values[..., 1])
    alone, scores, targets = Quantiles(1, [0.5]), scores[..., :1], targets[..., :1]
    torch.testing.assert_close(alone.each(scores, targets), (targets - scores).abs())


def test_a_head_of_quantiles_begins_with_those_of_a_normal_distribution():
    head = Quantiles(1, LEVELS)
    np.testing.assert_allclose(head.values(torch.zeros(1, head.size, dtype=torch.float64))[0, 0], stats.norm.ppf(LEVELS))
    wider = (0.001, 0.02, 0.3, 0.999)
    np.testing.assert_allclose(head.quantiles(torch.zeros(1, head.size), wider)[0, 0], stats.norm.ppf(wider), rtol=1e-5)
    assert Quantiles(1, [0.5]).quantiles(torch.ones(2, 1), (0.1, 0.9)).tolist() == [[[1, 1]]] * 2


@pytest.mark.parametrize("cls", COUNTS)
@pytest.mark.parametrize("scaled", [False, True])
def test_counts_are_those_of_scipy(cls, scaled):
    head = cls(2)
    scores = scores_of(head)
    scale = torch.rand(6, 1, 2, dtype=torch.float64) * 30 + 0.5 if scaled else None
    factor = scale.numpy() if scaled else 1
    mean = (softplus(scores[..., :2]) + 1e-4).numpy() * factor
    shape = 1 / ((softplus(scores[..., 2:4]) + 1e-4).numpy() / np.sqrt(factor))
    known = stats.nbinom(shape, shape / (shape + mean))
    nothing = torch.sigmoid(scores[..., 4:]).numpy() if cls is ZeroInflatedNegativeBinomial else 0
    targets = torch.from_numpy(np.random.default_rng(0).poisson(mean * 0.8).astype(float))
    expected = np.log(nothing * (targets.numpy() == 0) + (1 - nothing) * known.pmf(targets))
    np.testing.assert_allclose(head.each(scores, targets, scale), -expected, rtol=1e-9)
    for level, quantile in zip(LEVELS, head.quantiles(scores, LEVELS, scale).unbind(-1), strict=True):
        reached, below = (nothing * (quantile.numpy() >= less) + (1 - nothing) * known.cdf(quantile - less) for less in (0, 1))
        assert (reached >= level).all() and (below < level).all()
    means, deviations = head.moments(scores, scale)
    np.testing.assert_allclose(means, (1 - nothing) * known.mean())
    np.testing.assert_allclose(deviations**2, (1 - nothing) * (known.var() + known.mean() ** 2) - means.numpy() ** 2)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_have_the_distribution_of_the_quantiles(name):
    head = FORECAST_HEADS[name](2)
    scores = scores_of(head, rows=1)[:, :1]
    drawn = head.sample(scores.expand(20_000, -1, -1), torch.Generator().manual_seed(1))
    again = head.sample(scores.expand(20_000, -1, -1), torch.Generator().manual_seed(1))
    assert drawn.shape == (20_000, 1, 2) and torch.equal(drawn, again)
    for level, quantile in zip(LEVELS, head.quantiles(scores, LEVELS).unbind(-1), strict=True):
        # A count is reached with a probability of the level or more, and what is one below it with less.
        reached, below = (drawn <= quantile + 1e-9).double().mean(0), (drawn < quantile - 1e-9).double().mean(0)
        assert (reached > level - 0.012).all() and (below < level + 0.012).all()
    means, deviations = head.moments(scores)
    if deviations is not None:
        torch.testing.assert_close(drawn.mean(0), means[0], atol=0.03 * deviations.max().item(), rtol=0.03)


@pytest.mark.parametrize("name", FORECAST_HEADS)
def test_gradients_are_those_of_finite_differences(name):
    head = FORECAST_HEADS[name](2)
    scores = scores_of(head, rows=2).requires_grad_()
    targets = torch.tensor([[[0.0, 2.0], [1.0, 3.0]], [[4.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda s: head.losses(s, targets), scores)


@pytest.mark.parametrize("name", FORECAST_HEADS)
@pytest.mark.parametrize("size", [0.0, 50.0, -50.0, 2000.0, -2000.0])
def test_extreme_scores_stay_finite(name, size):
    head = FORECAST_HEADS[name](1)
    scores = torch.full((3, head.size), size, requires_grad=True)
    losses = head.each(scores, torch.tensor([[0.0], [1.0], [1000.0]]))
    losses.sum().backward()
    assert losses.isfinite().all() and scores.grad.isfinite().all()
    if isinstance(head, Distribution):
        assert head.quantiles(scores, LEVELS).isfinite().all() and head.sample(scores).isfinite().all()


@pytest.mark.parametrize("name", FORECAST_HEADS)
def test_missing_targets_cost_nothing(name):
    head = FORECAST_HEADS[name](2)
    scores, targets = scores_of(head, rows=1), torch.tensor([[[1.0, 2.0], [3.0, 0.0]]], dtype=torch.float64)
    full = head.each(scores, targets)
    targets[0, 1, 0] = torch.nan
    scores.requires_grad_()
    found = head.known(scores, targets)
    assert found[0, 1, 0] == 0
    found = found.detach().clone()
    found[0, 1, 0] = full[0, 1, 0]
    torch.testing.assert_close(found, full)
    head.known(scores, targets).sum().backward()
    assert scores.grad.isfinite().all()
    # What belongs to the missing number has no gradient.
    assert (scores.grad[0, 1] == 0).sum() == head.size // 2


def test_the_incomplete_beta_function_is_that_of_scipy():
    a, b, x = np.meshgrid([1e-3, 0.5, 3, 1e4], [0.3, 2, 900, 1e6], [0, 1e-6, 0.2, 0.9, 0.99999, 1])
    np.testing.assert_allclose(beta_cdf(*map(torch.from_numpy, (x, a, b))), betainc(a, b, x), rtol=1e-8, atol=1e-13)


def test_what_cannot_be_is_named():
    with pytest.raises(ConfigError, match=r"must rise and lie between 0 and 1, got 0\.5, 0\.5"):
        Quantiles(1, (0.5, 0.5))
    with pytest.raises(ConfigError, match="between 0 and 1, got 1"):
        Quantiles(1, (1,))
    with pytest.raises(ConfigError, match="at least 1 component, got 0"):
        Mixture(1, 0)
