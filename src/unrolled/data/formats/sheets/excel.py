"""Excel workbooks, through openpyxl: the first sheet with something in it, with the values that formulas had when it was saved."""

import warnings
from collections.abc import Iterator
from pathlib import Path

from unrolled.data.formats.sheets.reading import as_cell, open_seekable
from unrolled.errors import UnrolledWarning
from unrolled.extras import extra


def excel_rows(path: Path) -> Iterator[list[str]]:
    """The rows as wide as the first one with something in it; empty ones are left out. Other sheets with something in them are told."""
    with open_seekable(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        book = extra("openpyxl").load_workbook(file, read_only=True, data_only=True)
        rows = {sheet.title: _filled(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
        first = {title: found for title, cells in rows.items() if (found := next(cells, None)) is not None}
        if not first:
            return
        title, header = next(iter(first.items()))
        width = max(at + 1 for at, cell in enumerate(header) if cell)
        more = [other for other in first if other != title]
    if more:
        told = (
            f"{path} has the sheets {', '.join(map(repr, first))}, and {title!r} is read. Save another one as a file of its own to read it."
        )
        warnings.warn(told, UnrolledWarning, stacklevel=2)
    with open_seekable(path) as file:
        sheet = extra("openpyxl").load_workbook(file, read_only=True, data_only=True)[title]
        for row in _filled(sheet.iter_rows(values_only=True)):
            yield [*row, *[""] * (width - len(row))][:width] if not any(row[width:]) else row


def _filled(rows: Iterator[tuple[object, ...]]) -> Iterator[list[str]]:
    cells = (list(map(as_cell, row)) for row in rows)
    return (row for row in cells if any(row))
