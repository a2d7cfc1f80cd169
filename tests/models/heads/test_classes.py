import itertools
import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional

from squares import Squares
from unrolled.errors import ConfigError
from unrolled.models import CLASS_HEADS

CLASSES, WEIGHTS = 4, torch.tensor([0.5, 2.0, 1.5, 3.0])


def head_of(name, classes=CLASSES):
    return CLASS_HEADS[name](2 if name == "binary" else classes).double()


def scores_for(head, batch=6):
    torch.manual_seed(0)
    return torch.randn(batch, head.size, dtype=torch.float64) * 2


def targets_for(head, batch=6):
    torch.manual_seed(1)
    shape = (batch, head.classes) if head is not None and type(head).__name__ == "MultiLabel" else (batch,)
    return torch.randint(2 if len(shape) == 2 else head.classes, shape)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def by_hand(name, head, scores):
    """The probability of every class for one row of scores."""
    if name == "softmax":
        total = sum(math.exp(s) for s in scores)
        return [math.exp(s) / total for s in scores]
    if name == "binary":
        return [1 - sigmoid(scores[0]), sigmoid(scores[0])]
    if name == "multi-label":
        return [sigmoid(s) for s in scores]
    below = [0.0, *(sigmoid(threshold - scores[0]) for threshold in head.thresholds.tolist()), 1.0]
    return [after - before for before, after in itertools.pairwise(below)]


@pytest.mark.parametrize("name", CLASS_HEADS)
@pytest.mark.parametrize("weighted", [False, True])
def test_probabilities_decisions_and_loss_are_those_of_the_formulas(name, weighted):
    head = head_of(name)
    scores, targets, weights = scores_for(head), targets_for(head), WEIGHTS[: head.classes] if weighted else None
    expected = [by_hand(name, head, row) for row in scores.tolist()]
    found = head.probabilities(scores)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64))
    total = 0.0
    each = WEIGHTS.tolist() if weighted else [1.0] * CLASSES
    for row, target in zip(expected, targets.tolist(), strict=True):
        if name == "multi-label":
            total -= sum(each[k] * math.log(p) if yes else math.log(1 - p) for k, (p, yes) in enumerate(zip(row, target, strict=True)))
            continue
        total -= each[target] * math.log(row[target])
    assert head.loss(scores, targets, weights).item() == pytest.approx(total, rel=1e-12)
    decided = head.decide(found).tolist()
    assert decided == (
        [[p >= 0.5 for p in row] for row in expected] if name == "multi-label" else [row.index(max(row)) for row in expected]
    )


def by_torch(name, head, scores, targets, weights):
    """The loss of each decision by other functions than those that the heads call."""
    if name == "multi-label":
        each = torch.where(targets == 1, weights, torch.ones_like(weights))
        return functional.binary_cross_entropy(scores.sigmoid(), targets.double(), each, reduction="none").sum(-1)
    if name == "binary":
        scores = torch.cat([torch.zeros_like(scores), scores], -1)
        return functional.cross_entropy(scores.movedim(-1, 1), targets, weights, reduction="none")
    if name == "softmax":
        return functional.nll_loss(scores.softmax(-1).log().movedim(-1, 1), targets, weights, reduction="none")
    below = functional.pad((head.thresholds - scores).sigmoid(), (1, 0))
    below = functional.pad(below, (0, 1), value=1.0)
    return functional.nll_loss(below.diff(dim=-1).log().movedim(-1, 1), targets, weights, reduction="none")


@pytest.mark.parametrize("name", CLASS_HEADS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(7,), (5, 3), (0, 3)])
def test_every_decision_has_the_loss_that_torch_gives_it(name, weighted, shape):
    torch.manual_seed(2)
    head = head_of(name)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    scores = (2 * torch.randn(*shape, head.size, dtype=torch.float64)).requires_grad_()
    targets = torch.randint(2 if name == "multi-label" else head.classes, (*shape, head.classes) if name == "multi-label" else shape)
    weights = WEIGHTS[: head.classes].double() if weighted else torch.ones(head.classes, dtype=torch.float64)
    found = head.losses(scores, targets, weights if weighted else None)
    expected = by_torch(name, head, scores, targets, weights)
    assert found.shape == shape
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(head.loss(scores, targets, weights if weighted else None), expected.sum())
    inputs, cotangent = [scores, *head.parameters()], torch.randn(shape, dtype=torch.float64)
    torch.testing.assert_close(torch.autograd.grad(found, inputs, cotangent), torch.autograd.grad(expected, inputs, cotangent))


def test_a_head_needs_no_more_than_the_loss_of_each_decision():
    head, (scores, targets) = Squares(), torch.randn(2, 5, 3, 2)
    assert not head.joint
    torch.testing.assert_close(head.loss(scores, targets), functional.mse_loss(scores, targets, reduction="sum"))


@pytest.mark.parametrize("name", CLASS_HEADS)
def test_derivatives(name):
    head = head_of(name)
    scores, targets = scores_for(head).requires_grad_(), targets_for(head)
    assert gradcheck(lambda *_: head.loss(scores, targets, WEIGHTS[: head.classes].double()), (scores, *head.parameters()))


@pytest.mark.parametrize("name", CLASS_HEADS)
def test_half_precision_is_summed_in_single_and_extremes_stay_finite(name):
    head = head_of(name).float()
    scores, targets = (scores_for(head) * 40).bfloat16().requires_grad_(), targets_for(head)
    loss = head.loss(scores, targets)
    assert loss.dtype == head.probabilities(scores).dtype == torch.float32
    assert head.losses(scores, targets).dtype == torch.float32
    torch.testing.assert_close(loss.double(), head.double().loss(scores.double(), targets), rtol=1e-5, atol=0)
    loss.backward()
    assert scores.grad.isfinite().all()


def test_ordinal_thresholds_begin_even_and_never_cross():
    head = head_of("ordinal", 5)
    torch.testing.assert_close(head.probabilities(torch.zeros(1, 1)), torch.full((1, 5), 0.2).double())
    torch.nn.init.normal_(head.log_gaps, std=5)
    assert (head.thresholds.diff() > 0).all()


def test_ordinal_learns_an_order():
    torch.manual_seed(0)
    x = torch.randn(400, 1)
    truth = (x[:, 0] > torch.tensor([[-1.0], [0.5]])).sum(0)
    head, linear = CLASS_HEADS["ordinal"](3), torch.nn.Linear(1, 1)
    optimiser = torch.optim.Adam([*head.parameters(), *linear.parameters()], 0.1)
    for _ in range(200):
        optimiser.zero_grad()
        (head.loss(linear(x), truth) / len(x)).backward()
        optimiser.step()
    assert (head.decide(head.probabilities(linear(x))) == truth).float().mean() > 0.97


@pytest.mark.parametrize("name, classes", [("softmax", 0), ("multi-label", 0), ("ordinal", 1), ("binary", 1), ("binary", 3)])
def test_classes_that_cannot_be_told_apart(name, classes):
    with pytest.raises(ConfigError, match=f"got {classes}"):
        CLASS_HEADS[name](classes)


def test_a_single_class_is_certain():
    head, scores = CLASS_HEADS["softmax"](1), torch.randn(3, 1)
    assert head.probabilities(scores).tolist() == [[1.0]] * 3 and not head.losses(scores, torch.zeros(3, dtype=torch.long)).any()
