"""A shorter sequence that stands somewhere in a longer one: many to many, without knowing where."""

from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.models.arrangements.arrangement import full_lengths
from unrolled.models.arrangements.each_step import EachStep
from unrolled.models.encoder import Encoder
from unrolled.models.heads.ctc import CTC


class Unaligned(EachStep):
    """An encoder, of whose every output a linear layer makes scores of symbols and of a blank; the head says what these mean together.

    By itself an output has the probability of each class, and the loss of one that is given, as every step of `EachStep` has.
    """

    head: CTC
    every = False

    def __init__(self, encoder: Encoder, head: CTC) -> None:
        super().__init__(encoder, head)

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The summed loss of the targets `[S, B]`, and how many symbols they have, at least one each. Symbols have no `weights`."""
        assert batch.targets is not None and batch.target_lengths is not None
        scores, _ = self(batch)
        lengths = None if batch.lengths is None else self.encoder.output_lengths(batch.lengths)
        read = full_lengths(lengths, scores.shape[0], scores.shape[1], scores.device)
        losses = self.head.text_losses(scores, read.values, batch.targets, batch.target_lengths)
        return losses.sum(), int(batch.target_lengths.clamp(min=1).sum())
