"""Connectionist temporal classification: the probability of a sequence of symbols that stand somewhere among more steps (Graves et al. 2006)."""

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.errors import ConfigError
from unrolled.models.heads.classes import Softmax
from unrolled.models.heads.head import single


class CTC(Softmax):
    """P(symbols | scores) is the sum over all ways to put them among the steps, in their order.

    At each step there is one of `size` classes: a symbol, or the `blank`, which says nothing. The same symbol at steps that follow each other
    is said once, so that a symbol that comes twice in a row needs a blank between: a text of S symbols needs at least `least` steps. Of a single
    step it says what `Softmax` does.
    """

    def __init__(self, size: int, blank: int = 0) -> None:
        if size < 2 or not 0 <= blank < size:
            raise ConfigError(f"CTC needs a blank among at least 2 classes, got {size} classes and the blank {blank}.")
        super().__init__(size)
        self.blank = blank

    def text_losses(self, scores: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> Tensor:
        """The negative log-likelihood of each sequence, `[B]`: infinite where it has fewer steps than its symbols need.

        `scores` are `[T, B, size]` of `lengths` `[B]` real steps, `targets` `[S, B]` symbols, `target_lengths` `[B]` of them.
        """
        logs = single(scores).log_softmax(-1)
        found: Tensor = functional.ctc_loss(logs, targets.T, lengths, target_lengths, self.blank, reduction="none")
        return found


def least(targets: Tensor, target_lengths: Tensor) -> Tensor:
    """The fewest steps that symbols `[S, B]` need, `[B]`: one for each, and a blank between two that are equal."""
    if len(targets) < 2:
        return target_lengths.clone()
    inside = torch.arange(1, len(targets), device=targets.device)[:, None] < target_lengths
    return target_lengths + ((targets[1:] == targets[:-1]) & inside).sum(0)
