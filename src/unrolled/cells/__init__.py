"""F2: the built-in cells, each a file of equations, and cells of one's own."""

from unrolled.cells.cell import Cell, cell_from_text, read_cell
from unrolled.cells.gallery import BUILT_IN


def find_cell(name: str | Cell) -> Cell:
    """A cell itself, the built-in cell of that name, or the cell in the file of that name."""
    if isinstance(name, Cell):
        return name
    return BUILT_IN[name] if name in BUILT_IN else read_cell(name)


__all__ = ["BUILT_IN", "Cell", "cell_from_text", "find_cell", "read_cell"]
