"""Which cells can read what a network is given."""

from unrolled.cells import Cell
from unrolled.errors import ConfigError


def check_cell(cell: Cell, *, symbols: bool) -> None:
    """Raise a `ConfigError` for a cell that cannot read rows of numbers, among which are vectors of `symbols` or not."""
    if cell.recurrence.convolves:
        raise ConfigError(
            f"The cell {cell.name!r} names convolutions, which read planes; here each step is a row of numbers. "
            "Use another cell, or call the layer yourself: `un.Recurrent` takes [T, B, C, *space]."
        )
    if cell.recurrence.parts and symbols:
        parts = ", ".join(name for name, _ in cell.recurrence.parts)
        raise ConfigError(
            f"The cell {cell.name!r} reads parts of its input, {parts}, which the channels of numbers are; here the input is symbols. "
            "Use another cell, or a series whose channels are those parts, one after the other."
        )
