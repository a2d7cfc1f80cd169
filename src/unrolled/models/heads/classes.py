"""Heads that tell classes apart: one of several, one of two, one of an order, or any number of them."""

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.models.heads.head import Head, single


class ClassHead(Head):
    """A head for `classes` classes."""

    least = 2

    def __init__(self, classes: int) -> None:
        super().__init__()
        if classes < self.least:
            raise ConfigError(f"There must be at least {self.least} classes to tell apart, got {classes}.")
        self.classes, self.size = classes, classes

    @abstractmethod
    def probabilities(self, scores: Tensor) -> Tensor:
        """The probability of every class, `[…, classes]`."""

    def decide(self, probabilities: Tensor) -> Tensor:
        """The most probable class, `[…]`, in the form of the targets."""
        return probabilities.argmax(-1)


class Softmax(ClassHead):
    """One class of several, a score for each. Targets are whole numbers `[…]`."""

    least = 1

    def losses(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Cross-entropy."""
        scores = single(scores)
        weights = None if weights is None else weights.to(scores)
        return functional.cross_entropy(scores.flatten(0, -2), targets.flatten(), weights, reduction="none").view(targets.shape)

    def probabilities(self, scores: Tensor) -> Tensor:
        """The softmax of the scores."""
        return single(scores).softmax(-1)


class Binary(ClassHead):
    """One class of two, by a single score: the log-odds of class 1. Targets are 0 or 1, `[…]`."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__(classes)
        if classes != 2:
            raise ConfigError(f"A binary output tells 2 classes apart, got {classes}. Take softmax.")
        self.size = 1

    def losses(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Cross-entropy."""
        odds = single(scores)[..., 0]
        each = None if weights is None else weights.to(odds)[targets.long()]
        return functional.binary_cross_entropy_with_logits(odds, targets.to(odds), each, reduction="none")

    def probabilities(self, scores: Tensor) -> Tensor:
        """Those of class 0 and of class 1."""
        odds = single(scores)
        return torch.cat([-odds, odds], -1).sigmoid()


class MultiLabel(ClassHead):
    """Any number of classes at once, each by itself. Targets are 0 or 1, `[…, classes]`.

    A class's weight multiplies the loss of the decisions that have it.
    """

    least = 1
    threshold = 0.5

    def losses(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The cross-entropies of all classes."""
        scores = single(scores)
        weights = None if weights is None else weights.to(scores)
        each = functional.binary_cross_entropy_with_logits(scores, targets.to(scores), pos_weight=weights, reduction="none")
        return each.sum(-1)

    def probabilities(self, scores: Tensor) -> Tensor:
        """The probability of each class, whatever the others are."""
        return single(scores).sigmoid()

    def decide(self, probabilities: Tensor) -> Tensor:
        """True for each class that is at least as probable as not, `[…, classes]`."""
        return probabilities >= self.threshold


class Ordinal(ClassHead):
    """One class of several that have an order, by a single score s: P(y <= k) = sigmoid(threshold[k] - s).

    The proportional odds model (McCullagh 1980, "Regression models for ordinal data"). The thresholds are learnt; they cannot cross, since
    what is learnt is the first one and the logarithm of each gap to the next. At score 0 all classes are as probable at first.
    """

    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self.size = 1
        self.first, self.log_gaps = nn.Parameter(torch.empty(1)), nn.Parameter(torch.empty(classes - 2))
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """All classes equally likely at score 0."""
        start = torch.logit(torch.arange(1, self.classes, dtype=torch.float64) / self.classes)
        self.first.copy_(start[:1])
        self.log_gaps.copy_(start.diff().log())

    @property
    def thresholds(self) -> Tensor:
        """In ascending order, `[classes - 1]`."""
        return torch.cat([self.first, self.first + self.log_gaps.exp().cumsum(0)])

    def losses(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The negative log-likelihood of the classes."""
        likely = self._log_probabilities(scores).gather(-1, targets[..., None])[..., 0]
        return -likely if weights is None else -likely * weights.to(likely)[targets]

    def probabilities(self, scores: Tensor) -> Tensor:
        """The probability of every class."""
        return self._log_probabilities(scores).exp()

    def _log_probabilities(self, scores: Tensor) -> Tensor:
        """Through sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), in which nothing cancels."""
        above = single(self.thresholds) - single(scores)
        no = torch.zeros_like(above[..., :1])
        between = functional.pad((-torch.expm1(-single(self.log_gaps).exp())).log(), (1, 1))
        return torch.cat([functional.logsigmoid(above), no], -1) + torch.cat([no, functional.logsigmoid(-above)], -1) + between
