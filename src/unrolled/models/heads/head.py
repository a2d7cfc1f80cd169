"""What the scores of a network mean."""

from abc import abstractmethod

import torch
from torch import Tensor, nn


def single(scores: Tensor) -> Tensor:
    """The scores in single precision at least, in which losses are summed up."""
    return scores.to(torch.promote_types(scores.dtype, torch.float32))


class Head(nn.Module):
    """What the scores `[…, size]` of a network say: the loss of targets, and what is predicted.

    Scores lie one beside the other, a row for each decision: a sequence, or a step. `joint` heads decide all steps of a sequence together
    and take lengths as well (`SequenceHead`).
    """

    size: int
    joint = False

    @abstractmethod
    def losses(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The loss of each decision, `[…]`; where there are probabilities, the negative natural log-likelihood of its target.

        `weights`, one for each class, multiply the losses of the decisions of that class.
        """

    def loss(self, scores: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The sum of `losses`."""
        return self.losses(scores, targets, weights).sum()


class SequenceHead(nn.Module):
    """A head that scores whole sequences `[T, B, size]` of the given lengths `[B]`."""

    size: int
    joint = True

    @abstractmethod
    def loss(self, scores: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
        """The negative log-likelihood of `targets` `[T, B]`, summed over the sequences."""

    @abstractmethod
    def probabilities(self, scores: Tensor, lengths: Tensor) -> Tensor:
        """The probability of each class at each step, `[T, B, size]`; 0 past each end."""

    def allows(self, targets: Tensor) -> bool:
        """Whether one sequence of targets `[T]` is possible at all."""
        return True

    @abstractmethod
    def best(self, scores: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The most probable targets `[T, B]`, 0 past each end, and their log-probability `[B]`."""
