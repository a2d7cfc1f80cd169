"""Hidden sizes with which networks of different cells have about as many parameters."""

from collections.abc import Callable, Mapping
from functools import partial

MOST = 1 << 20
"""Hidden sizes are looked for below."""

NEAR = 0.02
"""The part by which numbers of parameters may differ before that is worth a word."""


def match_parameters(count: Callable[[str, int], int], cells: list[str], hidden: int) -> Mapping[str, int]:
    """For each cell the hidden size with which `count` gives about what it gives for the first with `hidden`: the nearest there is."""
    target = count(cells[0], hidden)
    return {cells[0]: hidden, **{cell: _nearest(partial(count, cell), target) for cell in cells[1:]}}


def _nearest(count: Callable[[int], int], target: int) -> int:
    """The size whose count is nearest; a larger size never has fewer parameters."""
    low, high = 0, 1
    while count(high) < target and high < MOST:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < target else (low, middle)
    return low if low and target - count(low) < count(high) - target else high
