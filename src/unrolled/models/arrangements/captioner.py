"""A sentence after a picture, and beside it the same network without the picture."""

import torch
from torch import Tensor

from unrolled.cells import Cell
from unrolled.data.batches import Batch
from unrolled.models.arrangements.encoder_decoder import EncoderDecoder
from unrolled.models.encoder import Encoder
from unrolled.models.inputs import NUMBERS, InputSizes
from unrolled.models.options import EncoderDecoderOptions, EncoderOptions


class Captioner(EncoderDecoder):
    """An `EncoderDecoder` over pictures or videos, with one that is `blind` as a rival, or None: it learns the same sentences in the same batches, and
    its picture is a single number, 0. Both have weights of their own.

    Args:
        sizes: what there is to see.
        eyes: how it is read.
        symbols: V, the size of the vocabulary.
        options: the decoder.
        cell: that of all recurrent layers.
        blind: whether there is the rival.
        end: the symbol that ends a sentence.
    """

    def __init__(
        self,
        sizes: InputSizes,
        eyes: EncoderOptions,
        symbols: int,
        options: EncoderDecoderOptions,
        *,
        cell: Cell | None = None,
        blind: bool = True,
        end: int = 1,
    ) -> None:
        super().__init__(Encoder(sizes, eyes, cell), symbols, options, cell=cell, end=end)
        self.blind: EncoderDecoder | None = None
        if blind:
            nothing = EncoderOptions(layers=0, hidden=eyes.hidden, bidirectional=False, dropout=eyes.dropout)
            self.blind = EncoderDecoder(Encoder(InputSizes(numbers=1), nothing, cell), symbols, options, cell=cell, end=end)

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The loss of the network that sees; in training the gradient is that of both, which have no weight in common."""
        seeing, count = super().loss(batch)
        if self.blind is None or not self.training:
            return seeing, count
        blind, _ = self.blind.loss(blinded(batch))
        return seeing + (blind - blind.detach()), count


def blinded(batch: Batch) -> Batch:
    """A batch in whose pictures nothing is to be seen."""
    _, size = batch.shape
    first = next(iter(batch.fields.values()))
    device = first.device if isinstance(first, Tensor) else None
    nothing = torch.zeros(1, size, 1, device=device)
    return Batch({NUMBERS: nothing}, torch.ones(size, dtype=torch.long, device=device), batch.targets, batch.target_lengths)
