"""What the scores of a network mean: their loss, the probabilities that they stand for, and the decision that follows."""

from abc import abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.errors import ConfigError


def single(scores: Tensor) -> Tensor:
    """The scores in single precision at least, in which losses are summed up."""
    return scores.to(torch.promote_types(scores.dtype, torch.float32))


class Output(nn.Module):
    """What the scores `[…, size]` say of `classes` classes.

    Weights, where they are given, are one number `[classes]` for each class, by which the loss of its examples is multiplied.
    """

    size: int

    def __init__(self, classes: int) -> None:
        super().__init__()
        if classes < 2 and not isinstance(self, MultiLabel):
            raise ConfigError(f"There must be at least 2 classes to tell apart, got {classes}.")
        self.classes, self.size = classes, classes

    @abstractmethod
    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The negative natural log-likelihood of the targets, summed over all of them."""

    @abstractmethod
    def probabilities(self, scores: Tensor) -> Tensor:
        """The probability of every class, `[…, classes]`."""

    def decide(self, probabilities: Tensor) -> Tensor:
        """The most probable class, `[…]`, in the form of the targets."""
        return probabilities.argmax(-1)


class Softmax(Output):
    """One class of several, a score for each. Targets are whole numbers `[…]`."""

    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Cross-entropy."""
        scores = single(scores)
        weights = None if weights is None else weights.to(scores)
        return functional.cross_entropy(scores.flatten(0, -2), targets.flatten(), weights, reduction="sum")

    def probabilities(self, scores: Tensor) -> Tensor:
        """The softmax of the scores."""
        return single(scores).softmax(-1)


class Binary(Output):
    """One class of two, by a single score: the log-odds of class 1. Targets are 0 or 1, `[…]`."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__(classes)
        if classes != 2:
            raise ConfigError(f"A binary output tells 2 classes apart, got {classes}. Take softmax.")
        self.size = 1

    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """Cross-entropy."""
        odds = single(scores)[..., 0]
        each = None if weights is None else weights.to(odds)[targets.long()]
        return functional.binary_cross_entropy_with_logits(odds, targets.to(odds), each, reduction="sum")

    def probabilities(self, scores: Tensor) -> Tensor:
        """Those of class 0 and of class 1."""
        odds = single(scores)
        return torch.cat([-odds, odds], -1).sigmoid()


class MultiLabel(Output):
    """Any number of classes at once, each by itself. Targets are 0 or 1, `[…, classes]`.

    A class's weight multiplies the loss of the examples that have it.
    """

    threshold = 0.5

    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The cross-entropies of all classes."""
        scores = single(scores)
        weights = None if weights is None else weights.to(scores)
        return functional.binary_cross_entropy_with_logits(scores, targets.to(scores), pos_weight=weights, reduction="sum")

    def probabilities(self, scores: Tensor) -> Tensor:
        """The probability of each class, whatever the others are."""
        return single(scores).sigmoid()

    def decide(self, probabilities: Tensor) -> Tensor:
        """True for each class that is at least as probable as not, `[…, classes]`."""
        return probabilities >= self.threshold


class Ordinal(Output):
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

    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The negative log-likelihood of the classes."""
        chances = self._log_probabilities(scores)
        weights = None if weights is None else weights.to(chances)
        return functional.nll_loss(chances.flatten(0, -2), targets.flatten(), weights, reduction="sum")

    def probabilities(self, scores: Tensor) -> Tensor:
        """The probability of every class."""
        return self._log_probabilities(scores).exp()

    def _log_probabilities(self, scores: Tensor) -> Tensor:
        """Through sigmoid(a) - sigmoid(b) = sigmoid(a) sigmoid(-b) (1 - exp(b - a)), in which nothing cancels."""
        above = single(self.thresholds) - single(scores)
        no = torch.zeros_like(above[..., :1])
        between = functional.pad((-torch.expm1(-single(self.log_gaps).exp())).log(), (1, 1))
        return torch.cat([functional.logsigmoid(above), no], -1) + torch.cat([no, functional.logsigmoid(-above)], -1) + between


OUTPUTS: dict[str, type[Output]] = {"softmax": Softmax, "binary": Binary, "multi-label": MultiLabel, "ordinal": Ordinal}
"""Every kind of output by its name."""
