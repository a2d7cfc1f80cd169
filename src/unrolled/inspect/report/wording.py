"""How numbers and symbols are told in sentences."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import numpy as np

from unrolled.layers import Recurrent

_SIGNS = str.maketrans({"\n": "⏎", "\t": "⇥", " ": "␣"})


def quoted(symbol: str) -> str:
    """A symbol in quotes, with a name for what cannot be seen."""
    return {"\n": "the line's end", " ": "a blank", "\t": "a tab"}.get(symbol, f"“{symbol}”")


def visible(symbol: str) -> str:
    """A symbol with signs for blanks."""
    return symbol.translate(_SIGNS)


def excerpt(symbols: Sequence[str], level: str, most: int = 80) -> str:
    """How a text begins."""
    text = ("" if level == "char" else " ").join(symbols).replace("\n", "⏎")
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plain(values: Any) -> Any:
    """Arrays as lists that JSON can hold: what is not finite is None."""
    if isinstance(values, np.ndarray):
        return [plain(v) for v in values]
    if isinstance(values, (np.integer, int)):
        return int(values)
    return float(values) if isfinite(values) else None


def counted(number: int, unit: str) -> str:
    """A number with its unit."""
    return f"{number:,} {unit}{'s' * (number != 1)}"


def network_name(layer: Recurrent) -> str:
    """Recurrent layers in a few words."""
    ways = ", reading both ways" if layer.bidirectional else ""
    return f"{layer.cell.name}, {counted(layer.num_layers, 'layer')} of {layer.hidden_size} units{ways}"


def sampled(*notes: str) -> str:
    """What was left out or estimated, as a sentence after others; empty if nothing was."""
    said = "; ".join(dict.fromkeys(n for n in notes if n))
    return f" By sampling: {said}." if said else ""
