"""Hidden sizes with which networks of different cells have about as many parameters."""

from collections.abc import Callable, Mapping
from functools import partial

from unrolled.errors import ConfigError

MOST = 1 << 20
"""Hidden sizes are looked for below."""

COARSEST = 64
"""Cells whose hidden size must be a multiple of more are tried with multiples of this."""

NEAR = 0.02
"""The part by which numbers of parameters may differ before that is worth a word."""


def match_parameters(count: Callable[[str, int], int], cells: list[str], hidden: int) -> Mapping[str, int]:
    """For each cell the hidden size with which `count` gives about what it gives for the first with `hidden`: the nearest there is."""
    target = count(cells[0], hidden)
    return {cells[0]: hidden, **{cell: _nearest(partial(count, cell), target) for cell in cells[1:]}}


def _nearest(count: Callable[[int], int], target: int) -> int:
    """The size whose count is nearest, of those that the cell can have; a larger size never has fewer parameters."""
    unit = _least(count)
    low, high = 0, 1
    while count(high * unit) < target and high * unit < MOST:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle * unit) < target else (low, middle)
    return (low if low and target - count(low * unit) < count(high * unit) - target else high) * unit


def _least(count: Callable[[int], int]) -> int:
    """The smallest size that a cell can have, of which it then can have multiples: its heads or parts of H must divide it."""
    for unit in range(1, COARSEST):
        try:
            count(unit)
        except ConfigError:
            continue
        return unit
    return COARSEST
