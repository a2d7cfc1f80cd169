"""One answer to a picture that is looked at in glimpses: one to one, by a network that reads step by step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.data.batches import Batch
from unrolled.layers import dropout
from unrolled.models.arrangements.whole import Whole
from unrolled.models.glimpses import RANDOM, GlimpseEncoder, GlimpseOptions, Path
from unrolled.models.heads import ClassHead


class Glimpses(Whole):
    """Whole pictures, each labelled after some glimpses of it (Mnih et al. 2014, "Recurrent models of visual attention").

    The labels are learnt by their loss, as everywhere. Where to look, and whether to stop, are learnt by REINFORCE (Williams 1992): of each way of
    looking that was drawn, the log-probability of what was drawn is raised by how much better it came out than expected. It comes out at 1 where
    the label is right, less what its glimpses cost a network that may stop. What is expected is linear in the output before each decision, and
    learnt by its squared error; neither moves what reads the glimpses.
    """

    encoder: GlimpseEncoder
    head: ClassHead

    def __init__(self, encoder: GlimpseEncoder, pooling: str, head: ClassHead) -> None:
        super().__init__(encoder, pooling, head)
        self.expected = nn.Linear(encoder.width, 1)

    @property
    def looking(self) -> GlimpseOptions:
        """How it looks at pictures."""
        return self.encoder.looking

    @contextmanager
    def looking_otherwise(self, **changes: Any) -> Iterator[None]:
        """It looks at pictures with other options inside, of those that no parameter depends on."""
        before = self.encoder.looking
        self.encoder.looking = replace(before, **changes)
        try:
            yield
        finally:
            self.encoder.looking = before

    def forward(self, batch: Batch) -> Tensor:
        """Scores `[B, size]`: the mean of those of `test_samples` ways of looking, or of the one in which nothing is drawn."""
        samples = self.looking.test_samples
        scores = self.scores_of(self.encoder.look(batch, samples))
        return scores.unflatten(0, (-1, max(samples, 1))).mean(1)

    def scores_of(self, path: Path) -> Tensor:
        """Scores `[N, size]` of what was seen on the way."""
        pooled = self.pooling(path.after, path.lengths)
        return self.linear(dropout(pooled, self.encoder.dropout, self.training))

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The loss of the targets `[B, …]`, and of where it looks, each the mean of the ways of looking that are drawn, summed over the pictures."""
        assert batch.targets is not None
        samples = self.looking.samples
        path = self.encoder.look(batch, samples)
        scores, targets = self.scores_of(path), batch.targets.repeat_interleave(samples, 0)
        loss = self.head.loss(scores, targets, weights)
        if self.looking.locations != RANDOM or path.enough is not None:
            loss = loss + self.loss_of_looking(path, self._rewards(scores.detach(), targets, path.lengths))
        return loss / samples, len(batch.targets)

    def loss_of_looking(self, path: Path, rewards: Tensor) -> Tensor:
        """REINFORCE of all that was drawn on the way to `rewards` `[N]`, and the squared error of what was expected before each glimpse, summed."""
        steps = torch.arange(len(path.places), device=rewards.device)[:, None]
        apart = rewards - self.expected(path.before.detach())[..., 0]
        # Of a network that stopped it is asked once more what is expected: where it did so.
        errors = (apart**2)[steps <= path.lengths].sum()
        gained = (self._log_probabilities(path) * apart.detach())[steps < path.lengths].sum()
        if path.enough is not None:
            stopped = steps[1:] == path.lengths
            decided = functional.logsigmoid(torch.where(stopped, path.enough, -path.enough))
            gained = gained + (decided * apart[1:].detach())[steps[1:] <= path.lengths].sum()
        return errors - gained

    def _log_probabilities(self, path: Path) -> Tensor:
        """Those of the places that were drawn around their means, `[T, N]`, without what is constant; 0 for random ones."""
        if self.looking.locations == RANDOM:
            return torch.zeros_like(path.means[..., 0])
        return -(((path.places - path.means) / self.looking.location_deviation) ** 2).sum(-1) / 2

    def _rewards(self, scores: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
        """1 for each right answer, 0 for a wrong one, `[N]`, less what its glimpses cost if it may stop."""
        decided = self.head.decide(self.head.probabilities(scores))
        right = (decided == targets).view(len(targets), -1).all(1).to(scores)
        return right - self.looking.glimpse_cost * lengths if self.looking.stop_action else right
