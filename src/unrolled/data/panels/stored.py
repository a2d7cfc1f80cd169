"""The end of a panel as JSON: numbers packed, so that hundreds of series take little room."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.packed import packed, unpacked
from unrolled.data.panels.clock import Clock
from unrolled.data.panels.covariates import ColumnCodec, LabelColumn
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.times import DATE
from unrolled.data.vocabulary import damaged

_NUMBER = "<f8"
"""How numbers are packed."""


def panel_to_json(panel: Panel) -> dict[str, Any]:
    """All of it but its clock and the names of its targets."""
    columns = {
        role: {name: _column_to_json(column) for name, column in getattr(panel, role).items()} for role in ("known", "past", "static")
    }
    first = panel.first.astype(DATE).astype(np.int64) if panel.clock.dated else panel.first.astype(np.float64)
    return {
        "names": list(panel.names),
        "first": first.tolist(),
        "sizes": panel.sizes.tolist(),
        "ends": panel.ends.tolist(),
        "values": packed(panel.values.astype(_NUMBER)),
        **columns,
    }


def panel_from_json(found: Any, clock: Clock, targets: tuple[str, ...], columns: Mapping[str, Mapping[str, ColumnCodec]]) -> Panel:
    """What `panel_to_json` gave. `RunError` for something else."""
    names = tuple(map(str, found["names"]))
    sizes, ends = (np.array(found[name], np.int64).reshape(len(names)) for name in ("sizes", "ends"))
    first = np.array(found["first"], np.int64).astype(DATE) if clock.dated else np.array(found["first"], np.float64)
    if first.shape != sizes.shape or (ends < 0).any() or (ends > sizes).any():
        raise damaged("the ends of series must lie inside them, and each must have a first time")
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    rows = int(starts[-1])
    values = _numbers(found["values"], rows * len(targets)).reshape(rows, len(targets))
    roles = {"known": rows, "past": rows, "static": len(names)}
    read = {
        role: {name: _column_from_json(found[role][name], codec, size) for name, codec in columns[role].items()}
        for role, size in roles.items()
    }
    return Panel(names, targets, clock, first, starts, ends, values, **read)


def _column_to_json(column: NDArray[Any]) -> Any:
    return column.tolist() if column.dtype == object else packed(column.astype(_NUMBER))


def _column_from_json(found: Any, codec: ColumnCodec, size: int) -> NDArray[Any]:
    if not isinstance(codec, LabelColumn):
        return _numbers(found, size)
    column = np.empty(size, object)
    column[:] = [None if cell is None else str(cell) for cell in found]
    return column


def _numbers(found: Any, size: int) -> NDArray[np.float64]:
    """So many numbers. `RunError` for anything else."""
    numbers = unpacked(found, _NUMBER, size).astype(np.float64)
    if np.isinf(numbers).any():
        raise damaged("a number of a series is infinite")
    return numbers
