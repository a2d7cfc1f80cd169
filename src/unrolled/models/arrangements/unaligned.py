"""A shorter sequence that stands somewhere in a longer one: many to many, without knowing where."""

from torch import Tensor, nn

from unrolled.data.batches import Batch
from unrolled.layers import dropout
from unrolled.models.arrangements.arrangement import Arrangement, full_lengths
from unrolled.models.encoder import Encoder, State
from unrolled.models.heads.ctc import CTC


class Unaligned(Arrangement):
    """An encoder, of whose every output a linear layer makes scores of symbols and of a blank; the head says what these mean together.

    In training, parts of the encoder's outputs are dropped with the encoder's probability.
    """

    def __init__(self, encoder: Encoder, head: CTC) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head
        self.linear = nn.Linear(encoder.width, head.size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew what the parts begin in another way: the scores without a bias."""
        nn.init.zeros_(self.linear.bias)

    def forward(self, batch: Batch, state: State | None = None) -> tuple[Tensor, State]:
        """Scores `[T, B, size]` of the encoder's outputs, and its state to go on with."""
        outputs, state = self.encoder(batch, state)
        return self.linear(dropout(outputs, self.encoder.dropout, self.training)), state

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The summed loss of the targets `[S, B]`, and how many symbols they have, at least one each. Symbols have no `weights`."""
        assert batch.target_lengths is not None
        scores, _ = self(batch)
        return self.losses_of(scores, batch).sum(), int(batch.target_lengths.clamp(min=1).sum())

    def losses_of(self, scores: Tensor, batch: Batch) -> Tensor:
        """The loss of each sequence, `[B]`; infinite where it has too few steps."""
        assert batch.targets is not None and batch.target_lengths is not None
        lengths = None if batch.lengths is None else self.encoder.output_lengths(batch.lengths)
        read = full_lengths(lengths, scores.shape[0], scores.shape[1], scores.device)
        return self.head.losses(scores, read.values, batch.targets, batch.target_lengths)
