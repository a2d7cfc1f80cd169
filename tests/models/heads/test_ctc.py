"""CTC beside the sum over every way to put symbols among steps."""

from itertools import product

import pytest
import torch

from unrolled.errors import ConfigError
from unrolled.models.heads.ctc import CTC, least


def collapsed(path, blank):
    return tuple(s for i, s in enumerate(path) if s != blank and (i == 0 or path[i - 1] != s))


def by_hand(logs, target, blank):
    """The negative logarithm of the sum over all paths `[T]` that say the target."""
    total = torch.tensor(0.0, dtype=torch.float64)
    for path in product(range(logs.shape[1]), repeat=len(logs)):
        if collapsed(path, blank) == tuple(target):
            total = total + torch.stack([logs[t, k] for t, k in enumerate(path)]).sum().exp()
    return -total.log()


@pytest.mark.parametrize("blank", [0, 1])
def test_the_loss_is_the_sum_over_all_ways(blank):
    torch.manual_seed(2)
    scores = torch.randn(5, 3, 3, dtype=torch.float64, requires_grad=True)
    symbols = [k for k in range(3) if k != blank]
    targets = torch.tensor([[symbols[0], symbols[1], symbols[1]], [symbols[0], symbols[0], 0]])
    lengths, target_lengths = torch.tensor([5, 4, 2]), torch.tensor([2, 2, 1])
    found = CTC(3, blank).text_losses(scores, lengths, targets, target_lengths)
    logs = scores.log_softmax(-1)
    expected = torch.stack(
        [by_hand(logs[:n, b], targets[:s, b].tolist(), blank) for b, (n, s) in enumerate(zip(lengths, target_lengths, strict=True))]
    )
    assert torch.allclose(found, expected, atol=1e-10)
    gradients = [torch.autograd.grad(part.sum(), scores, retain_graph=True)[0] for part in (found, expected)]
    assert torch.allclose(*gradients, atol=1e-10)


def test_symbols_that_need_more_steps_than_there_are_are_impossible():
    targets = torch.tensor([[1, 1, 1], [1, 2, 0], [2, 0, 0]])
    lengths = torch.tensor([3, 2, 1])
    assert least(targets, lengths).tolist() == [4, 2, 1]
    losses = CTC(3).text_losses(torch.zeros(3, 3, 3), torch.tensor([3, 2, 1]), targets, lengths)
    assert losses.isinf().tolist() == [True, False, False]
    assert CTC(3).text_losses(torch.zeros(4, 1, 3), torch.tensor([4]), targets[:, :1], lengths[:1]).isfinite().all()


def test_a_blank_must_be_one_of_the_classes():
    with pytest.raises(ConfigError, match="CTC needs a blank among at least 2 classes, got 1 classes and the blank 0"):
        CTC(1)
    with pytest.raises(ConfigError, match="the blank 3"):
        CTC(3, 3)
