"""Recurrent layers over whatever there is to read."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from unrolled.cells import Cell, find_cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent
from unrolled.models.embedding import Embedding
from unrolled.models.fitting import check_cell
from unrolled.models.inputs import NUMBERS, InputLayer, InputSizes, real_steps
from unrolled.models.options import EncoderOptions
from unrolled.models.subsampling import Subsampling
from unrolled.models.window import InputWindow

State = tuple[Tensor, ...]
"""One tensor `[…, B, n]` for each state, and, of a stream with a window of the input, the inputs that it still reads."""


class Encoder(nn.Module):
    """An `InputLayer` and recurrent layers above it.

    Of pictures that are read as grids every place is a step (`output_lengths`).
    With `subsampling` above 1 a `Subsampling` makes one step of several first, so that there are fewer outputs than steps.
    With `input_window` above 1 an `InputWindow` stands between them. With `layers=0` there is no recurrence: a hidden layer of rectified
    units reads each step by itself, so that with a window the whole is a feed-forward network on windows.

    Args:
        sizes: what there is to read.
        options: how it is read, and the layers.
        cell: taken in the place of the one that the options name.
        words: taken in the place of embeddings of its own.
    """

    def __init__(self, sizes: InputSizes, options: EncoderOptions, cell: Cell | None = None, words: Embedding | None = None) -> None:
        super().__init__()
        cell = find_cell(options.cell) if cell is None else cell
        check_cell(cell, symbols=bool(sizes.words or sizes.characters or sizes.shapes))
        self.inputs = InputLayer(sizes, options, cell, words)
        columns, wide, halvings = self.inputs.width, options.input_window > 1, options.subsampling.bit_length() - 1
        fewer = (columns, options.hidden, halvings, options.bidirectional, options.dropout)
        self.subsampling = Subsampling(*fewer) if halvings else None
        columns = columns if self.subsampling is None else self.subsampling.width
        self.window = InputWindow(options.input_window, columns, options.bidirectional) if wide else None
        columns = columns if self.window is None else self.window.width
        self.recurrent = self._layers(columns, options, cell) if options.layers else None
        self.feed_forward = None if options.layers else nn.Linear(columns, options.hidden)
        self.width = options.hidden if self.recurrent is None else self.recurrent.output_size
        self.directions = 1 + (options.bidirectional and self.recurrent is not None)
        self.streams, self.dropout = not options.bidirectional, options.dropout

    def _layers(self, columns: int, options: EncoderOptions, cell: Cell) -> Recurrent:
        return Recurrent(
            cell,
            columns,
            options.hidden,
            options.layers,
            bidirectional=options.bidirectional,
            dropout=options.dropout,
            recurrent_dropout=options.recurrent_dropout,
            initial_state=options.initial_state,
            residual=options.residual,
            engine=options.engine,
        )

    def begin(self, batch: int) -> State:
        """Every state before the first step of `batch` rows."""
        states = () if self.recurrent is None else self.recurrent.begin(batch)
        like = next(self.parameters())
        convolved = self.subsampling.begin(batch, like) if self.subsampling is not None and self.streams else ()
        carries = self.window is not None and not self.window.ahead
        return (*states, *convolved, *((self.window.begin(batch, like),) if carries and self.window is not None else ()))

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """How many outputs sequences of some `lengths` have."""
        lengths = lengths * self.inputs.places
        return lengths if self.subsampling is None else self.subsampling.lengths(lengths)

    def subsampled(self, batch: Batch, carried: State | None = None) -> tuple[Tensor, Batch, State]:
        """What was read of a batch, `[T, B, I]` or whole numbers `[T, B]`; the batch, or one of the fewer steps; and what a stream carries on."""
        x: Tensor = self.inputs(batch)
        if self.inputs.places > 1:
            batch = Batch({NUMBERS: x}, None if batch.lengths is None else batch.lengths * self.inputs.places)
        if self.subsampling is None:
            return x, batch, ()
        assert batch.resets is None
        x = (x if x.is_floating_point() else functional.one_hot(x, self.inputs.width)).to(next(self.parameters()))
        x, carried = self.subsampling(x, carried, batch.lengths)
        lengths = None if batch.lengths is None else self.subsampling.lengths(batch.lengths)
        return x, Batch({NUMBERS: x}, lengths), carried if self.streams else ()

    def read(self, batch: Batch, tail: Tensor | None = None) -> tuple[Tensor, State]:
        """What the recurrent layers read, `[T, B, I]` or whole numbers `[T, B]`, and what a stream carries on of it."""
        x, batch, _ = self.subsampled(batch)
        return self._windowed(x, batch, tail)

    def _windowed(self, x: Tensor, batch: Batch, tail: Tensor | None) -> tuple[Tensor, State]:
        if self.window is None and self.recurrent is not None:
            return x, ()
        x = x if x.is_floating_point() else functional.one_hot(x, self.inputs.width).to(next(self.parameters()))
        if self.window is None:
            return x, ()
        real = real_steps(batch)
        x = x if real is None else x.masked_fill(~real.mask[..., None], 0)
        x, tail = self.window(x, tail, None if real is None else real.values, batch.resets)
        return x if real is None else x.masked_fill(~real.mask[..., None], 0), () if self.window.ahead else (tail,)

    def forward(self, batch: Batch, state: State | None = None) -> tuple[Tensor, State]:
        """The outputs of the last layer, `[T, B, width]`, 0 past each end, and the states after the last real steps, to go on with. Where there are
        fewer outputs than steps, a stream must go on at a multiple of `subsampling`.

        Raises `ConfigError` for a state that is given to a network that reads ahead, and so begins at the end as well.
        """
        if state is not None and not self.streams:
            raise ConfigError("A bidirectional network cannot go on from a state. Use `bidirectional=False`, or read whole sequences.")
        states, tail = (state, None) if state is None or self.window is None else (state[:-1], state[-1])
        states, convolved = self._divided(states)
        x, batch, kept = self.subsampled(batch, convolved)
        x, carried = self._windowed(x, batch, tail)
        carried = (*kept, *carried)
        if self.recurrent is None:
            assert self.feed_forward is not None
            y, real = self.feed_forward(x).relu(), real_steps(batch)
            return y if real is None else y.masked_fill(~real.mask[..., None], 0), carried
        outputs, states = self._run(self.recurrent, x, states, batch)
        return outputs, (*states, *carried)

    def _divided(self, states: State | None) -> tuple[State | None, State | None]:
        """The states of the recurrent layers, and what convolutions carry on."""
        if states is None or self.subsampling is None:
            return states, None
        count = len(states) - len(self.subsampling.convolutions)
        return states[:count], states[count:]

    def _run(self, layers: Recurrent, x: Tensor, states: State | None, batch: Batch) -> tuple[Tensor, State]:
        """The recurrent layers, which begin anew at each of the batch's resets."""
        y: Tensor
        if batch.resets is None or states is None or not batch.resets.any():
            y, states = layers(x, states, lengths=batch.lengths, resets=None if states is not None else batch.resets)
            return y, states
        return run_with_resets(layers, x, states, batch.resets, batch.lengths)


def run_with_resets(layers: Recurrent, x: Tensor, states: State, resets: Tensor, lengths: Tensor | None) -> tuple[Tensor, State]:
    """What layers give that go on from carried states, and begin anew at each step where `resets` `[T, B]` is true.

    The resets of layers go back to the states that they are given. So a row's steps before its first reset, which belong to a sequence
    that is under way, are run from the carried states, and the rest from the initial ones.
    """
    total, rows = resets.shape
    step, row = torch.arange(total, device=x.device)[:, None], torch.arange(rows, device=x.device)
    ends = torch.full_like(row, total) if lengths is None else lengths.to(x.device)
    first = torch.where(resets, step, total).amin(0).minimum(ends)
    head, carried = layers(x, states, lengths=first)
    later = (step + first).clamp(max=total - 1)
    tail, final = layers(x[later, row], resets=resets[later, row], lengths=ends - first)
    y = torch.where((step < first)[..., None], head, tail[(step - first).clamp(min=0), row])
    return y, tuple(torch.where((first < ends)[:, None], f, c) for f, c in zip(final, carried, strict=True))
