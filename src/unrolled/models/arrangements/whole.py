"""One answer to a sequence: many to one."""

from torch import Tensor, nn

from unrolled.data.batches import Batch
from unrolled.layers import dropout
from unrolled.models.arrangements.arrangement import Scoring, full_lengths, probabilities_of
from unrolled.models.encoder import Encoder
from unrolled.models.heads import Head
from unrolled.models.pooling import Pooling


class Whole(Scoring):
    """An encoder, whose steps become one vector, of which a linear layer makes scores; `head` says what these mean.

    In training, parts of the vector are dropped with the encoder's probability.
    """

    once = True
    head: Head

    def __init__(self, encoder: Encoder, pooling: str, head: Head) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        self.pooling = Pooling(pooling, encoder.width, encoder.directions)
        self.linear = nn.Linear(encoder.width, head.size)
        self.reset_parameters()

    def forward(self, batch: Batch) -> Tensor:
        """Scores `[B, size]`."""
        outputs, _ = self.encoder(batch)
        lengths = None if batch.lengths is None else self.encoder.output_lengths(batch.lengths)
        pooled = self.pooling(outputs, full_lengths(lengths, outputs.shape[0], outputs.shape[1], outputs.device).values)
        return self.linear(dropout(pooled, self.encoder.dropout, self.training))

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The summed loss of the targets `[B, …]`, and how many there are."""
        assert batch.targets is not None
        return self.loss_of(self(batch), batch.targets, weights=weights), len(batch.targets)

    def loss_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None, weights: Tensor | None = None) -> Tensor:
        """The summed loss of all sequences."""
        return self.head.loss(scores, targets, weights)

    def losses_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Of each sequence, `[B]`."""
        return self.head.losses(scores, targets)

    def probabilities_of(self, scores: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Of each class, `[B, K]`."""
        return probabilities_of(self.head, scores)
