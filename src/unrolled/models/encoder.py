"""Recurrent layers over whatever there is to read."""

from typing import Any

from torch import Tensor, nn

from unrolled.cells import Cell, find_cell
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent
from unrolled.models.inputs import InputLayer, Inputs, InputSizes
from unrolled.models.options import EncoderOptions


class Encoder(nn.Module):
    """An `InputLayer` and recurrent layers above it.

    Args:
        sizes: what there is to read.
        options: how it is read, and the layers.
        cell: taken in the place of the one that the options name.
    """

    def __init__(self, sizes: InputSizes, options: EncoderOptions, cell: Cell | None = None) -> None:
        super().__init__()
        cell = find_cell(options.cell) if cell is None else cell
        self.inputs = InputLayer(sizes, options, cell)
        self.recurrent = Recurrent(
            cell,
            self.inputs.width,
            options.hidden,
            options.layers,
            bidirectional=options.bidirectional,
            dropout=options.dropout,
            recurrent_dropout=options.recurrent_dropout,
            residual=options.residual,
            engine=options.engine,
        )
        self.width, self.directions, self.dropout = self.recurrent.output_size, 1 + options.bidirectional, options.dropout

    def forward(self, inputs: Inputs, state: Any = None) -> tuple[Tensor, Any]:
        """The outputs of the last layer, `[T, B, width]`, 0 past each end, and the states after the last real steps, to go on with.

        Raises `ConfigError` for a state that is given to a bidirectional network, whose reverse direction begins at the end.
        """
        if state is not None and self.directions == 2:
            raise ConfigError("A bidirectional network cannot go on from a state. Use `--no-bidirectional`, or read whole sequences.")
        outputs, state = self.recurrent(self.inputs(inputs), state, lengths=inputs.lengths)
        return outputs, state
