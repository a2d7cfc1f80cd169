"""Hidden sizes with which networks of different cells have about as many parameters."""

from collections.abc import Callable, Mapping
from functools import partial

from torch import nn

from unrolled.errors import ConfigError
from unrolled.layers import Recurrent

MOST = 1 << 20
"""Hidden sizes are looked for below."""

COARSEST = 64
"""Cells whose hidden size must be a multiple of more are tried with multiples of this."""

MOST_OF_STATE = 1 << 20
"""Numbers of all states of a sequence, 4 MiB: a matrix as a state grows with the square of a size to which its parameters may grow in proportion."""

NEAR = 0.02
"""The part by which numbers of parameters may differ before that is worth a word."""


def match_parameters(count: Callable[[str, int], int], cells: list[str], hidden: int) -> Mapping[str, int]:
    """For each cell the hidden size with which `count` gives about what it gives for the first with `hidden`: the nearest there is."""
    target = count(cells[0], hidden)
    return {cells[0]: hidden, **{cell: nearest_size(partial(count, cell), target) for cell in cells[1:]}}


def check_states(cell: str, hidden: int, network: nn.Module) -> None:
    """Raise a `ConfigError` where a hidden size that was found gives the recurrent layers of a network too large states."""
    for layer in (module for module in network.modules() if isinstance(module, Recurrent)):
        numbers = sum(layer.state_sizes.values())
        if numbers > MOST_OF_STATE:
            raise ConfigError(
                f"With as many parameters the cell {cell!r} would have the hidden size {hidden:,} and states of {numbers:,} numbers for each "
                f"sequence, of which at most {MOST_OF_STATE:,} are allowed here. Choose a smaller `hidden`, or leave `match` out."
            )


def nearest_size(count: Callable[[int], int], target: int) -> int:
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
