import itertools
import math

import pytest
import torch
from torch.autograd import gradcheck

from unrolled.errors import ConfigError
from unrolled.models import OUTPUTS

CLASSES, WEIGHTS = 4, torch.tensor([0.5, 2.0, 1.5, 3.0])


def output_of(name, classes=CLASSES):
    return OUTPUTS[name](2 if name == "binary" else classes).double()


def scores_for(output, batch=6):
    torch.manual_seed(0)
    return torch.randn(batch, output.size, dtype=torch.float64) * 2


def targets_for(output, batch=6):
    torch.manual_seed(1)
    shape = (batch, output.classes) if output is not None and type(output).__name__ == "MultiLabel" else (batch,)
    return torch.randint(2 if len(shape) == 2 else output.classes, shape)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def by_hand(name, output, scores):
    """The probability of every class for one row of scores."""
    if name == "softmax":
        total = sum(math.exp(s) for s in scores)
        return [math.exp(s) / total for s in scores]
    if name == "binary":
        return [1 - sigmoid(scores[0]), sigmoid(scores[0])]
    if name == "multi-label":
        return [sigmoid(s) for s in scores]
    below = [0.0, *(sigmoid(threshold - scores[0]) for threshold in output.thresholds.tolist()), 1.0]
    return [after - before for before, after in itertools.pairwise(below)]


@pytest.mark.parametrize("name", OUTPUTS)
@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities_decisions_and_loss_are_those_of_the_formulas(name, weighted):
    output = output_of(name)
    scores, targets, weights = scores_for(output), targets_for(output), WEIGHTS[: output.classes] if weighted else None
    expected = [by_hand(name, output, row) for row in scores.tolist()]
    found = output.probabilities(scores)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    total = 0.0
    each = WEIGHTS.tolist() if weighted else [1.0] * CLASSES
    for row, target in zip(expected, targets.tolist(), strict=True):
        if name == "multi-label":
            total -= sum(each[k] * math.log(p) if yes else math.log(1 - p) for k, (p, yes) in enumerate(zip(row, target, strict=True)))
            continue
        total -= each[target] * math.log(row[target])
    assert output.loss(scores, targets, weights).item() == pytest.approx(total, rel=1e-12)
    decided = output.decide(found).tolist()
    assert decided == (
        [[p >= 0.5 for p in row] for row in expected] if name == "multi-label" else [row.index(max(row)) for row in expected]
    )


@pytest.mark.parametrize("name", OUTPUTS)
def test_derivatives(name):
    output = output_of(name)
    scores, targets = scores_for(output).requires_grad_(), targets_for(output)
    assert gradcheck(lambda *_: output.loss(scores, targets, WEIGHTS[: output.classes].double()), (scores, *output.parameters()))


@pytest.mark.parametrize("name", OUTPUTS)
def test_half_precision_is_summed_in_single_and_extremes_stay_finite(name):
    output = output_of(name).float()
    scores, targets = (scores_for(output) * 40).bfloat16().requires_grad_(), targets_for(output)
    loss = output.loss(scores, targets)
    assert loss.dtype == output.probabilities(scores).dtype == torch.float32
    torch.testing.assert_close(loss.double(), output.double().loss(scores.double(), targets), rtol=1e-5, atol=0)
    loss.backward()
    assert scores.grad.isfinite().all()


def test_ordinal_thresholds_begin_even_and_never_cross():
    output = output_of("ordinal", 5)
    torch.testing.assert_close(output.probabilities(torch.zeros(1, 1)), torch.full((1, 5), 0.2).double())
    torch.nn.init.normal_(output.log_gaps, std=5)
    assert (output.thresholds.diff() > 0).all()


def test_ordinal_learns_an_order():
    torch.manual_seed(0)
    x = torch.randn(400, 1)
    truth = (x[:, 0] > torch.tensor([[-1.0], [0.5]])).sum(0)
    output, linear = OUTPUTS["ordinal"](3), torch.nn.Linear(1, 1)
    optimiser = torch.optim.Adam([*output.parameters(), *linear.parameters()], 0.1)
    for _ in range(200):
        optimiser.zero_grad()
        (output.loss(linear(x), truth) / len(x)).backward()
        optimiser.step()
    assert (output.decide(output.probabilities(linear(x))) == truth).float().mean() > 0.97


@pytest.mark.parametrize("name, classes", [("softmax", 1), ("ordinal", 1), ("binary", 3)])
def test_classes_that_cannot_be_told_apart(name, classes):
    with pytest.raises(ConfigError, match=f"got {classes}"):
        OUTPUTS[name](classes)
