import math

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.models import NUMBER_HEADS

TORCH = {
    "squared": torch.nn.functional.mse_loss,
    "absolute": torch.nn.functional.l1_loss,
    "huber": torch.nn.functional.huber_loss,
}


@pytest.mark.parametrize("name", TORCH)
def test_losses_are_those_of_torch_summed_over_the_numbers(name):
    torch.manual_seed(0)
    head, scores, targets = NUMBER_HEADS[name](3), 2 * torch.randn(5, 2, 3), torch.randn(5, 2, 3)
    found = head.losses(scores, targets)
    torch.testing.assert_close(found, TORCH[name](scores, targets, reduction="none").sum(-1))
    torch.testing.assert_close(head.loss(scores, targets), TORCH[name](scores, targets, reduction="sum"))
    means, deviations = head.moments(scores)
    assert torch.equal(means, scores) and deviations is None and head.size == 3


def test_a_normal_head_gives_the_likelihood_of_a_normal_distribution():
    torch.manual_seed(1)
    head, scores, targets = NUMBER_HEADS["normal"](2), torch.randn(7, 4, dtype=torch.float64), torch.randn(7, 2, dtype=torch.float64)
    means, deviations = head.moments(scores)
    assert head.size == 4 and torch.equal(means, scores[:, :2]) and (deviations > 0).all()
    torch.testing.assert_close(deviations, torch.nn.functional.softplus(scores[:, 2:]) + 1e-4)
    expected = -torch.distributions.Normal(means, deviations).log_prob(targets).sum(-1)
    torch.testing.assert_close(head.losses(scores, targets), expected)


def test_what_is_certain_costs_no_infinite_loss():
    head = NUMBER_HEADS["normal"](1)
    assert math.isfinite(head.loss(torch.tensor([[0.0, -200.0]]), torch.tensor([[0.0]])))


def test_half_precision_is_summed_up_in_single():
    head = NUMBER_HEADS["squared"](1)
    assert head.losses(torch.ones(2, 1, dtype=torch.bfloat16), torch.zeros(2, 1)).dtype == torch.float32


def test_what_cannot_be_is_named():
    with pytest.raises(ConfigError, match="at least 1 number to predict, got 0"):
        NUMBER_HEADS["squared"](0)
    with pytest.raises(ConfigError, match="no classes that could have weights"):
        NUMBER_HEADS["huber"](1).loss(torch.ones(1, 1), torch.ones(1, 1), torch.ones(2))
