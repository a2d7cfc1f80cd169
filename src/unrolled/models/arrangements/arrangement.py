"""What the networks for all arrangements of inputs and outputs have in common."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from unrolled.data.batches import Batch
from unrolled.engines import Lengths, read_lengths
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent
from unrolled.models.encoder import Encoder
from unrolled.models.heads import ClassHead, Head, SequenceHead


class Arrangement(nn.Module):
    """An encoder that reads, and what is said of it.

    `once` says that there is one answer to a sequence, and else one to every step; `predicts_input` that what should come is the input
    itself, one step later; `writes` that another sequence is written.
    """

    once = predicts_input = writes = False
    encoder: Encoder

    @property
    def recurrent(self) -> Recurrent | None:
        """The recurrent layers that read; None of a feed-forward network."""
        return self.encoder.recurrent

    @abstractmethod
    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The summed loss of the targets of a batch, and of how many decisions it is the sum. `weights` are those of classes."""

    def resets_of(self, batch: Batch) -> Tensor | None:
        """Where sequences begin within the rows of a batch, `[T, B]`, if they do."""
        return batch.resets


class Scoring(Arrangement):
    """A network of which a linear layer makes scores, and a head says what these mean."""

    head: Head | SequenceHead
    linear: nn.Linear

    def reset_parameters(self) -> None:
        """Begin anew what the parts begin in another way: the scores without a bias."""
        nn.init.zeros_(self.linear.bias)

    @abstractmethod
    def loss_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None, weights: Tensor | None = None) -> Tensor:
        """The loss of all decisions, summed."""

    @abstractmethod
    def losses_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The loss of each decision: `[T, B]`, or `[B]` where there is one for a sequence."""

    @abstractmethod
    def probabilities_of(self, scores: Tensor, lengths: Tensor | None = None) -> Tensor:
        """The probability of each class, `[T, B, K]`, or `[B, K]`. `ConfigError` for a head that has no classes."""


def full_lengths(lengths: Tensor | None, steps: int, batch: int, device: torch.device) -> Lengths:
    """Checked lengths; without any, all steps are real."""
    return read_lengths(torch.full((batch,), steps) if lengths is None else lengths, steps, batch, device)


def require_classes(head: nn.Module) -> None:
    """`ConfigError` for a head without classes."""
    if not isinstance(head, ClassHead | SequenceHead):
        raise ConfigError(f"A {type(head).__name__} head predicts numbers, and has no classes with probabilities.")


def probabilities_of(head: Head, scores: Tensor) -> Tensor:
    """Those of each class, `[…, K]`. `ConfigError` for a head without classes."""
    require_classes(head)
    assert isinstance(head, ClassHead)
    return head.probabilities(scores)
