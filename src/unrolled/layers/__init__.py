"""F5: a cell over time. `Recurrent` runs any cell; `LSTM`, `GRU` and `RNN` stand in for torch.nn's."""

from unrolled.layers.drop_in import GRU, LSTM, RNN
from unrolled.layers.recurrent import Recurrent

__all__ = ["GRU", "LSTM", "RNN", "Recurrent"]
