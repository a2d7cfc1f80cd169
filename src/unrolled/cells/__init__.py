"""F2: the built-in cells, each a text and nothing more, and cells read from files."""

from unrolled.cells.cell import Cell, cell_from_text, read_cell
from unrolled.cells.elman import ELMAN, ELMAN_RELU
from unrolled.cells.gru import GRU, GRU_NORM, GRU_RESET_BEFORE, GRU_SIMPLIFIED
from unrolled.cells.lstm import LSTM, LSTM_NORM, LSTM_PEEPHOLE, LSTM_PROJECTED

BUILT_IN: dict[str, Cell] = {
    c.name: c for c in (ELMAN, ELMAN_RELU, GRU_SIMPLIFIED, GRU_RESET_BEFORE, GRU, GRU_NORM, LSTM, LSTM_PEEPHOLE, LSTM_PROJECTED, LSTM_NORM)
}
"""Every built-in cell by its name."""


def find_cell(name: str | Cell) -> Cell:
    """A cell itself, the built-in cell of that name, or the cell in the file of that name."""
    if isinstance(name, Cell):
        return name
    return BUILT_IN[name] if name in BUILT_IN else read_cell(name)


__all__ = [
    "BUILT_IN",
    "ELMAN",
    "ELMAN_RELU",
    "GRU",
    "GRU_NORM",
    "GRU_RESET_BEFORE",
    "GRU_SIMPLIFIED",
    "LSTM",
    "LSTM_NORM",
    "LSTM_PEEPHOLE",
    "LSTM_PROJECTED",
    "Cell",
    "cell_from_text",
    "find_cell",
    "read_cell",
]
