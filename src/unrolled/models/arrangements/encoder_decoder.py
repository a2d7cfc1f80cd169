"""From one sequence to another of a different length: many to many through an encoder and a decoder."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.cells import Cell, find_cell
from unrolled.data.batches import Batch
from unrolled.engines import read_lengths
from unrolled.errors import ConfigError, DataError, ShapeError
from unrolled.layers import dropout
from unrolled.models.arrangements.arrangement import Arrangement
from unrolled.models.bridge import SUMMARY, Bridge
from unrolled.models.copying import IMPOSSIBLE, copied, mixed, mixture
from unrolled.models.decoder import Decoder, DecoderState, Memory, Seen, State, Summary, passed_over
from unrolled.models.embedding import UNKNOWN, Embedding
from unrolled.models.encoder import Encoder
from unrolled.models.heads import single
from unrolled.models.inputs import WORDS, InputSizes
from unrolled.models.options import EncoderDecoderOptions
from unrolled.shapes import expect_shape

COPIES = "copies"
"""The field of a batch with what can be copied from each step of the source."""


class EncoderDecoder(Arrangement):
    """P(target | source): recurrent layers read the source, others write the target, each symbol after those before it.

    A target `[T, B]` ends with the symbol `end` and does not begin with one: what is read before the first symbol is `end`, too. Sources
    `[S, B]` and targets are whole numbers, padded with anything. Without input feeding and scheduled sampling, given targets run through
    the layers in one call (Sutskever et al. 2014 without attention, Luong et al. 2015 with it).

    Any `Encoder` may read the source, such as one of numbers or pictures; one without recurrent layers, or with `bridge="summary"`, hands on a
    `Summary` of its outputs, from which the decoder begins as in Vinyals et al. (2015), "Show and tell", and its outputs to the attention as in Xu et al. (2015), "Show,
    attend and tell".

    With `copy` each source comes with `copies` `[S, B]`: at each step the number that the target's vocabulary has for the source's symbol,
    or, where it has none, V + the first step of this source with the same symbol. Targets and what is written may be such numbers, too.

    Args:
        source: the size of the source's vocabulary, or the encoder that reads it.
        target_symbols: V, the size of the target's.
        options: the network.
        cell, decoder_cell: taken in the place of those that the options name.
        end: the symbol that ends a target.

    Raises `ConfigError` for options that contradict each other.
    """

    writes = True

    def __init__(
        self,
        source: int | Encoder,
        target_symbols: int,
        options: EncoderDecoderOptions,
        *,
        cell: Cell | None = None,
        decoder_cell: Cell | None = None,
        end: int = 1,
    ) -> None:
        super().__init__()
        options = options.resolved()
        self.symbols, self.end, self.dropout, self.narrow = target_symbols, end, options.dropout, options.bfloat16
        self.label_smoothing, self.scheduled_sampling = options.label_smoothing, options.scheduled_sampling
        self.target_dropout, self.bag_of_words = options.target_dropout, options.bag_of_words
        cell = find_cell(options.cell) if cell is None else cell
        own = cell if options.decoder_cell == options.cell else find_cell(options.decoder_cell or options.cell)
        self.doubly_stochastic = options.doubly_stochastic
        self.encoder = source if isinstance(source, Encoder) else Encoder(InputSizes(words=source), options.encoder(), cell)
        self.decoder = Decoder(self._vectors(options), options, self.encoder.width, decoder_cell or own)
        layers = None if options.bridge == SUMMARY else self.encoder.recurrent
        self.summed = layers is None
        self.summary = Summary(self.encoder.width) if self.summed or options.bag_of_words else None
        self.bag = nn.Linear(2 * self.encoder.width, target_symbols) if options.bag_of_words else None
        self.bridge = Bridge(options.bridge, layers or 2 * self.encoder.width, self.decoder.recurrent)
        self.output = nn.Linear(self.decoder.width, target_symbols)
        self.reset_parameters()
        if options.tied:
            self._tie()

    def reset_parameters(self) -> None:
        """Begin anew what the parts begin in another way: the scores without a bias."""
        nn.init.zeros_(self.output.bias)

    @property
    def copies(self) -> bool:
        """Whether symbols can be copied from the source."""
        return self.decoder.gate is not None

    def encode(self, source: Tensor, lengths: Tensor, copies: Tensor | None = None, state: State | None = None) -> Memory:
        """Read symbols `[S, B]` of sources of the given lengths `[B]`; see `read`."""
        return self.read(Batch({WORDS: source} if copies is None else {WORDS: source, COPIES: copies}, lengths), state)

    def read(self, batch: Batch, state: State | None = None) -> Memory:
        """Read the sources of a batch; a network of one direction may go on from the `final` states of a memory.

        Raises `ShapeError` if what can be copied is needed and missing.
        """
        assert batch.lengths is not None
        outputs, final = self.encoder(batch, state if state is None or self.summary is None else state[:-1])
        steps, sources = outputs.shape[:2]
        lengths = self.encoder.output_lengths(batch.lengths).to(outputs.device)
        real = read_lengths(lengths, steps, sources, outputs.device).mask
        if self.summary is not None:
            final = (*final, self.summary(outputs, lengths))
        attention = self.decoder.attention
        outputs, keys = (outputs, None) if attention is None else attention.prepare(outputs, real)
        return Memory(outputs, keys, real, self._copies(batch, real), final)

    def _copies(self, batch: Batch, real: Tensor) -> Tensor | None:
        if self.decoder.gate is None:
            return None
        if COPIES not in batch.fields:
            raise ShapeError(
                "`copies` [S, B] must be given to a network that copies. Pass the target's number of each symbol of the source."
            )
        copies = batch[COPIES]
        expect_shape("copies", copies.shape, "[S, B]", real.shape, "Pass the target's number of each symbol of the source.")
        return copies.masked_fill(~real, 0)

    def begin(self, memory: Memory) -> DecoderState:
        """The state before the first symbol of each target."""
        recurrent = self.encoder.recurrent
        told = memory.final[-1:] if recurrent is None or self.summed else memory.final[: len(recurrent.cell.states)]
        return self.decoder.begin(self.bridge(told))

    def step(self, symbols: Tensor, state: DecoderState, memory: Memory) -> tuple[Tensor, DecoderState, Tensor | None]:
        """The log-probabilities `[B, V]` of what follows `symbols` `[B]`, the state after them, and the weights `[B, S]` of the source.

        Begin with `end`. There may be several rows for each source, one after the other: N K rows for N sources. With `copy` there are
        V + S log-probabilities. Weights are None without attention.
        """
        seen, state = self.decoder.step(symbols, state, memory)
        return self._log_probabilities(seen, memory), state, seen.weights

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor, target_lengths: Tensor, copies: Tensor | None = None) -> Tensor:
        """The logits `[T, B, V]` of each symbol of the target after those before it; with `copy` log-probabilities `[T, B, V + S]`."""
        memory = self.encode(source, lengths, copies)
        seen, _, _ = self._teach(memory, target, target_lengths)
        return self.logits(seen.features) if memory.copies is None else self._log_probabilities(seen, memory)

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The negative log-likelihood of the targets `[T, B]`, summed over their symbols, and how many these are; see `loss_of`."""
        assert batch.targets is not None and batch.target_lengths is not None
        return self._loss(self.read(batch), batch.targets, batch.target_lengths), int(batch.target_lengths.sum())

    def loss_of(self, source: Tensor, lengths: Tensor, target: Tensor, target_lengths: Tensor, copies: Tensor | None = None) -> Tensor:
        """The negative log-likelihood of the targets, summed over their symbols.

        In training, the part `label_smoothing` of it is the mean over all symbols of the vocabulary instead (Szegedy et al. 2016); symbols
        that are written stand for all here, and copied ones take no part. And `doubly_stochastic` times Σ (1 - Σ over the target of the
        weights of a step)² over the steps of the source is added, so that no part of it is passed over (Xu et al. 2015, equation 14). And
        `bag_of_words` times the negative log-likelihood of the symbols in any order, which a linear layer says of the summary of the source
        alone (Ma et al. 2018, "Bag-of-words as target"). The decoder reads the part `target_dropout` of what was written before as
        `<UNK>` (Bowman et al. 2016), so that it has to read of the source what it could guess from there.
        """
        return self._loss(self.encode(source, lengths, copies), target, target_lengths)

    def _loss(self, memory: Memory, target: Tensor, target_lengths: Tensor) -> Tensor:
        likely, smooth, passed_over = self._losses(memory, target, target_lengths)
        part = self.label_smoothing if self.training else 0.0
        loss = -((1 - part) * likely.sum() + part * smooth.sum()) if part else -likely.sum()
        if self.training and self.bag is not None:
            loss = loss - self.bag_of_words * self._of_any_order(self.bag, memory, target, target_lengths)
        return loss + self.doubly_stochastic * passed_over if self.training and self.doubly_stochastic else loss

    def log_probabilities(self, batch: Batch) -> Tensor:
        """log P of each symbol of the targets, `[T, B]`, 0 past each end; their sums over T are log P(target | source)."""
        assert batch.targets is not None and batch.target_lengths is not None
        target = batch.targets
        likely, _, _ = self._losses(self.read(batch), target, batch.target_lengths)
        real = read_lengths(batch.target_lengths, target.shape[0], target.shape[1], target.device).mask
        return likely.new_zeros(real.shape).masked_scatter(real, likely)

    def logits(self, features: Tensor) -> Tensor:
        """Of every symbol of the vocabulary, `[…, V]`, for the features `[…, H]` of the decoder: the output layer by itself.

        With `bfloat16` the product, and its derivatives, are of rounded numbers and rounded themselves in training. What is written
        is not: how products of half precision are added up depends on the number of rows, and so would a text on those beside it.
        """
        features = dropout(features, self.dropout, self.training)
        if not (self.narrow and self.training):
            return self.output(features)
        return functional.linear(features.bfloat16(), self.output.weight.bfloat16()).to(features) + self.output.bias

    def _losses(self, memory: Memory, target: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of each of the R real steps of the targets: log P, and the mean of log P over the vocabulary, `[R]` each; and how much of the
        sources the attention passed over."""
        seen, target, real = self._teach(memory, target, lengths)
        # Only real steps are multiplied by the output matrix.
        every = single(self.logits(seen.features[real])).log_softmax(-1)
        wanted = target[real]
        written = wanted < self.symbols
        likely = every.gather(-1, wanted.masked_fill(~written, 0)[:, None])[:, 0]
        if memory.copies is not None and seen.weights is not None and seen.gate is not None:
            pointed = copied(seen.weights, memory.copies, target)[real].to(likely)
            if not bool((written | (pointed > 0)).all()):
                raise DataError(f"Targets from V = {self.symbols} on must be among the source's `copies`. Give others the number of <UNK>.")
            likely = mixed(likely.masked_fill(~written, IMPOSSIBLE), pointed, seen.gate[real].to(likely))
        return likely, every.mean(-1), passed_over(seen.weights, memory.real, real) if seen.weights is not None else likely.new_zeros(())

    def _teach(self, memory: Memory, target: Tensor, lengths: Tensor) -> tuple[Seen, Tensor, Tensor]:
        """What the steps see if the target is what was written; the target without its padding, and where it is real, `[T, B]`."""
        real = read_lengths(lengths, target.shape[0], target.shape[1], target.device).mask
        target = target.masked_fill(~real, self.end)
        before = torch.cat([torch.full_like(target[:1], self.end), target[:-1]])
        if self.training and self.target_dropout:
            before = before.masked_fill(torch.rand(before.shape, device=before.device) < self.target_dropout, UNKNOWN)
        state = self.begin(memory)
        if self.decoder.feeding or (self.training and self.scheduled_sampling):
            return self._one_by_one(before, state, memory), target, real
        return self.decoder.whole(before, state, memory, lengths), target, real

    def _of_any_order(self, bag: nn.Linear, memory: Memory, target: Tensor, lengths: Tensor) -> Tensor:
        """log P of the symbols of the targets, each said by the summary of its source alone, summed."""
        real = read_lengths(lengths, target.shape[0], target.shape[1], target.device).mask & (target < self.symbols)
        every = single(bag(memory.final[-1][0])).log_softmax(-1)
        return every.gather(1, target.masked_fill(~real, self.end).T)[real.T].sum()

    def _one_by_one(self, symbols: Tensor, state: DecoderState, memory: Memory) -> Seen:
        """The same step by step; in training some steps read what was drawn instead (Bengio et al. 2015, "Scheduled sampling")."""
        steps, drawn = list[Seen](), symbols[0]
        for given in symbols:
            part = self.scheduled_sampling if self.training else 0.0
            read = torch.where(torch.rand(given.shape, device=given.device) < part, drawn, given) if part else given
            seen, state = self.decoder.step(read, state, memory)
            steps.append(seen)
            drawn = self._draw(seen, memory) if part else drawn
        weights, gates = (None if parts[0] is None else torch.stack(parts) for parts in zip(*(seen[1:] for seen in steps), strict=True))
        return Seen(torch.stack([seen.features for seen in steps]), weights, gates)

    @torch.no_grad()
    def _draw(self, seen: Seen, memory: Memory) -> Tensor:
        """A symbol for each row, `[B]`."""
        # What is no number has a loss that is none, which says so; to draw from it would be an error of its own.
        return torch.multinomial(self._log_probabilities(seen, memory).exp().nan_to_num(1.0), 1)[:, 0]

    def _log_probabilities(self, seen: Seen, memory: Memory) -> Tensor:
        """Of every symbol, `[…, V]`, or `[…, V + S]` with those that can be copied."""
        generated = single(self.logits(seen.features)).log_softmax(-1)
        if memory.copies is None or seen.weights is None or seen.gate is None:
            return generated
        copies = memory.copies.T
        if generated.dim() == 2:
            copies = copies.repeat_interleave(len(generated) // len(copies), 0)
        return mixture(generated, seen.weights, copies.expand(seen.weights.shape), seen.gate)

    def _vectors(self, options: EncoderDecoderOptions) -> Embedding:
        """Those of the target's symbols."""
        words = self.encoder.inputs.words
        if not options.shared or words is None:
            return Embedding(self.symbols, options.embedding)
        if words.symbols != self.symbols:
            raise ConfigError(
                f"`shared` needs one vocabulary for both sides, got {words.symbols} and {self.symbols} symbols. Leave it out."
            )
        return words

    def _tie(self) -> None:
        """Let the output layer read the vectors of symbols (Press & Wolf 2017)."""
        weight = self.decoder.vectors.weight
        if weight is None or weight.shape != self.output.weight.shape:
            raise ConfigError(
                f"`tied` needs `embedding` equal to the decoder's units, {self.decoder.width}, got {self.decoder.vectors.width}."
            )
        self.output.weight = weight
