"""F5: a cell over time. `Recurrent` runs any cell; `LSTM`, `GRU` and `RNN` stand in for torch.nn's;
`every_line` shows what goes on inside."""

from unrolled.layers.drop_in import GRU, LSTM, RNN
from unrolled.layers.dropout import dropout
from unrolled.layers.recurrent import Recurrent
from unrolled.layers.values import RUNAWAY, Lines, every_line

__all__ = ["GRU", "LSTM", "RNN", "RUNAWAY", "Lines", "Recurrent", "dropout", "every_line"]
