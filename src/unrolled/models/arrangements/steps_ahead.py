"""The steps that are to come, said from windows of a context and a horizon."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.layers import dropout
from unrolled.models.arrangements.arrangement import Scoring
from unrolled.models.encoder import Encoder, State
from unrolled.models.heads import Distribution

SCALE = "scale"
"""The field of a batch that says how large the counts of each window are, `[1, B, K]`."""


class StepsAhead(Scoring):
    """An encoder of one direction over windows of `[T, B, F]` numbers, and how the numbers of their last steps are distributed.

    What a step may know stands in what is read at it. Where a horizon's own numbers are hidden, the encoder goes on over it as a decoder
    would, with the same weights; where each step reads the number before it, the network is that of DeepAR (Salinas et al. 2020).

    `calibration` `[K, Q]` are factors of the distances of quantiles at `levels` from the median, 1 until held-out windows are known. They are
    stored with the weights.
    """

    head: Distribution
    calibration: Tensor

    def __init__(self, encoder: Encoder, head: Distribution, levels: Sequence[float]) -> None:
        super().__init__()
        if not encoder.streams:
            raise ConfigError("What comes next cannot be read ahead of. Use `bidirectional=False`.")
        self.encoder, self.head, self.levels = encoder, head, tuple(levels)
        self.linear = nn.Linear(encoder.width, head.size)
        self.register_buffer("calibration", torch.ones(head.numbers, len(self.levels)))
        self.reset_parameters()

    def forward(self, batch: Batch, state: State | None = None, last: int | None = None) -> tuple[Tensor, State]:
        """Scores `[T', B, size]` of the `last` T' steps, or of all, and the state to go on with."""
        outputs, state = self.encoder(batch, state)
        outputs = outputs if last is None else outputs[-last:]
        return self.linear(dropout(outputs, self.encoder.dropout, self.training)), state

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The summed loss of the targets `[T', B, K]` of the last T' steps that are known, and how many these are; those that are NaN are not."""
        assert batch.targets is not None
        scores, _ = self(batch, last=len(batch.targets))
        return self.loss_of(scores, batch.targets, weights=weights, scale=scale_of(batch)), int((~batch.targets.isnan()).sum())

    def loss_of(
        self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None, weights: Tensor | None = None, *, scale: Tensor | None = None
    ) -> Tensor:
        """The loss of all targets that are known, summed."""
        return self.head.known(scores, targets, scale).sum()

    def losses_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Of each step, `[T', B]`."""
        return self.head.known(scores, targets).sum(-1)

    def probabilities_of(self, scores: Tensor, lengths: Tensor | None = None) -> Tensor:
        """`ConfigError`: numbers have no classes."""
        raise ConfigError("A network of forecasts predicts numbers, and has no classes with probabilities.")


def scale_of(batch: Batch) -> Tensor | None:
    """How large the counts of each window are, if it is said."""
    return batch[SCALE] if SCALE in batch.fields else None
