"""The end of a panel as JSON: numbers packed, so that hundreds of series take little room."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.panels.clock import Clock
from unrolled.data.panels.covariates import ColumnCodec, LabelColumn
from unrolled.data.panels.panel import Panel
from unrolled.data.panels.times import DATE
from unrolled.data.vocabulary import damaged

LARGEST = 1 << 30
"""Bytes that packed numbers may unpack to."""


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
        "values": _packed(panel.values),
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
    values = _unpacked(found["values"], rows * len(targets)).reshape(rows, len(targets))
    roles = {"known": rows, "past": rows, "static": len(names)}
    read = {
        role: {name: _column_from_json(found[role][name], codec, size) for name, codec in columns[role].items()}
        for role, size in roles.items()
    }
    return Panel(names, targets, clock, first, starts, ends, values, **read)


def _column_to_json(column: NDArray[Any]) -> Any:
    return column.tolist() if column.dtype == object else _packed(column)


def _column_from_json(found: Any, codec: ColumnCodec, size: int) -> NDArray[Any]:
    if not isinstance(codec, LabelColumn):
        return _unpacked(found, size)
    column = np.empty(size, object)
    column[:] = [None if cell is None else str(cell) for cell in found]
    return column


def _packed(numbers: NDArray[np.float64]) -> str:
    return base64.b85encode(zlib.compress(numbers.astype("<f8").tobytes())).decode()


def _unpacked(text: Any, size: int) -> NDArray[np.float64]:
    """So many numbers. `RunError` for anything else."""
    try:
        unpack = zlib.decompressobj()
        found = unpack.decompress(base64.b85decode(str(text)), max(8 * size, 1))
    except (ValueError, binascii.Error, zlib.error) as error:
        raise damaged(f"packed numbers cannot be read ({error})") from None
    if len(found) != 8 * size or unpack.unconsumed_tail or 8 * size > LARGEST:
        raise damaged(f"there must be {size:,} packed numbers")
    numbers = np.frombuffer(found, "<f8").astype(np.float64)
    if np.isinf(numbers).any():
        raise damaged("a number of a series is infinite")
    return numbers
