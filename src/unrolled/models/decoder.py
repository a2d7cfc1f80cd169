"""What is written after a source has been read: recurrent layers that look at the source as they go."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from unrolled.cells import Cell
from unrolled.layers import Recurrent, dropout
from unrolled.models.attention import SourceAttention
from unrolled.models.copying import SURE
from unrolled.models.embedding import UNKNOWN, Embedding
from unrolled.models.fitting import check_cell
from unrolled.models.options import EncoderDecoderOptions

State = tuple[Tensor, ...]


class Memory(NamedTuple):
    """What is known of a batch of sources once they are read; every tensor has the batch as its second dimension.

    `outputs` `[S, B, E]` of the encoder, 0 past each end; the attention's `keys` `[S, B, H]`, or None; where steps are `real`, `[S, B]`;
    what is copied from each step, `copies` `[S, B]`, or None; and the encoder's `final` states, `[L * D, B, n]` each.
    """

    outputs: Tensor
    keys: Tensor | None
    real: Tensor
    copies: Tensor | None
    final: State


class DecoderState(NamedTuple):
    """The recurrent states `[L, B, n]`, and with input feeding the last step's features `[1, B, H]`."""

    states: State
    fed: Tensor | None


class Seen(NamedTuple):
    """What the steps `[T, B]`, or single ones `[B]`, give: `features` `[…, H]`; the `weights` `[…, S]` of the source, or None; and, or
    None, the logits `gate` `[…]` of writing a symbol of the vocabulary rather than copying one."""

    features: Tensor
    weights: Tensor | None
    gate: Tensor | None

    def map(self, change: Callable[[Tensor], Tensor]) -> "Seen":
        """The same with every tensor changed."""
        others = (None if part is None else change(part) for part in self[1:])
        return Seen(change(self.features), *others)


class Decoder(nn.Module):
    """Recurrent layers whose output h[t] asks the attention, and with its answer c[t] becomes the features tanh(W [c[t]; h[t]]).

    So Luong et al. (2015), with input feeding as an option: the features of each step are read by the next one, beside its symbol. Without
    attention the features are h[t]. The gate of copying is a linear map of [c[t]; h[t]]; See et al. (2017) also let it read the symbol,
    which h[t] has just read.

    Args:
        vectors: the embeddings of the symbols that are read; numbers past them stand for copied symbols, which are read as `<UNK>`.
        options: resolved ones.
        memory: E, the columns of the encoder's outputs.
        cell: the one that writes.
    """

    def __init__(self, vectors: Embedding, options: EncoderDecoderOptions, memory: int, cell: Cell) -> None:
        super().__init__()
        check_cell(cell, symbols=True)
        hidden = options.decoder_hidden or options.hidden
        self.vectors, self.dropout, self.feeding = vectors, options.dropout, options.input_feeding
        self.recurrent = Recurrent(
            cell,
            vectors.width + hidden * self.feeding,
            hidden,
            options.layers,
            dropout=options.dropout,
            recurrent_dropout=options.recurrent_dropout,
            residual=options.residual,
            engine=options.engine,
        )
        self.width = self.recurrent.output_size
        self.attention = None if options.attention == "none" else SourceAttention(options.attention, self.width, memory)
        self.combine = nn.Linear(memory + self.width, self.width, bias=False) if self.attention is not None else None
        self.gate = nn.Linear(memory + self.width, 1) if options.copy else None

    def begin(self, states: State) -> DecoderState:
        """The state before the first step."""
        return DecoderState(states, states[0].new_zeros(1, states[0].shape[1], self.width) if self.feeding else None)

    def whole(self, symbols: Tensor, state: DecoderState, memory: Memory, lengths: Tensor) -> Seen:
        """All steps `[T, B]` at once, for a decoder without input feeding; what comes past each of the `lengths` `[B]` has no meaning."""
        outputs, _ = self.recurrent(self._read(symbols, None), state.states, lengths=lengths)
        return self._look(outputs, memory)

    def step(self, symbols: Tensor, state: DecoderState, memory: Memory) -> tuple[Seen, DecoderState]:
        """One step `[N]`, where N is a multiple of B: the rows b N/B … (b + 1) N/B - 1 all read source b."""
        output, states = self.recurrent.step(self._read(symbols, state.fed), state.states)
        sources = memory.real.shape[1]
        # The rows of one source ask as so many steps would, so that nothing of the source is copied for them.
        seen = self._look(output.unflatten(0, (sources, -1)).transpose(0, 1), memory)
        seen = seen.map(lambda part: part.transpose(0, 1).flatten(0, 1))
        return seen, DecoderState(states, seen.features[None] if self.feeding else None)

    def _read(self, symbols: Tensor, fed: Tensor | None) -> Tensor:
        """The vectors of symbols, beside what is fed; or whole numbers, which stand for one-hot vectors."""
        symbols = symbols.masked_fill(symbols >= self.vectors.symbols, UNKNOWN) if self.gate is not None else symbols
        if self.vectors.one_hot and fed is None:
            return symbols
        x = dropout(self.vectors(symbols), self.dropout, self.training)
        return x if fed is None else torch.cat([x, fed[0]], -1)

    def _look(self, outputs: Tensor, memory: Memory) -> Seen:
        """What the attention makes of outputs `[T, B, H]`."""
        if self.attention is None or self.combine is None or memory.keys is None:
            return Seen(outputs, None, None)
        context, weights = self.attention(outputs, memory.outputs, memory.keys, memory.real)
        both = torch.cat([context, outputs], -1)
        gate = None if self.gate is None else self.gate(both)[..., 0]
        if gate is not None:
            gate = torch.where(memory.real.any(0), gate, SURE)
        return Seen(self.combine(both).tanh(), weights, gate)


def passed_over(weights: Tensor, real: Tensor, written: Tensor) -> Tensor:
    """Σ (1 - Σ over t of weights `[T, B, S]`)² over the real steps of all sources, `[S, B]`; t are the steps that were `written`, `[T, B]`."""
    looked = weights.masked_fill(~written[..., None], 0).sum(0)
    return (1 - looked).square().masked_fill(~real.T, 0).sum()


class Summary(nn.Module):
    """The means and the largest of outputs over the steps of each source, each standardised over the sources of a batch (Ioffe &
    Szegedy 2015, "Batch normalization"); a single source, and all of them once it is learnt, by what was seen so far.

    What is to be seen in one of many places is lost in their mean, and how much there is of it in the largest. As what differs between sources is always as
    large, a decoder hears of them from the first update on: otherwise it learns to write first, and then nothing is left to learn to see by.

    Args:
        width: E, the columns of the outputs.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.normal = nn.BatchNorm1d(2 * width, affine=False)

    def forward(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """`[1, B, 2 E]` for outputs `[S, B, E]`, 0 past each end."""
        past = torch.arange(len(outputs), device=outputs.device)[:, None] >= lengths
        largest = outputs.masked_fill(past[..., None], -torch.inf).amax(0) if len(outputs) else outputs.new_zeros(outputs.shape[1:])
        largest = largest.masked_fill((lengths == 0)[:, None], 0)
        both = torch.cat([outputs.sum(0) / lengths.clamp(min=1)[:, None], largest], -1)
        if self.training and len(both) > 1:
            return self.normal(both)[None]
        mean, variance = self.normal.running_mean, self.normal.running_var
        assert mean is not None and variance is not None
        return ((both - mean) / (variance + self.normal.eps).sqrt())[None]
