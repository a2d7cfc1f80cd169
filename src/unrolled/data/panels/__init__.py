"""Series of numbers on regular grids of time, many of them side by side, with what is known beside them; and windows of them."""

from unrolled.data.panels.codec import PanelCodec
from unrolled.data.panels.layouts import read_panel
from unrolled.data.panels.options import PanelOptions
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.shape import WindowShape
from unrolled.data.panels.tables import ColumnTable, table_of_frame, table_of_rows
from unrolled.data.panels.windows import Window, Windows

__all__ = [
    "ColumnTable",
    "Panel",
    "PanelCodec",
    "PanelOptions",
    "Window",
    "WindowShape",
    "Windows",
    "read_panel",
    "table_of_frame",
    "table_of_rows",
]
