"""In which order the wires between two columns turn: every one that changes its height has a vertical lane of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

FEW = 5
"""Of so many lanes all orders are looked at; more are ordered by inserting one after the other."""
OVERLAP, NEAR = 1000, 3.0
"""What two wires on one line cost, in crossings; how close to each other they count as being on one line."""


@dataclass(frozen=True)
class Turn:
    """A net between two columns by its heights: from `left` to each of `right`, and from below or to the top, at `outside`."""

    left: float | None
    right: tuple[float, ...]
    outside: float | None = None

    @property
    def span(self) -> tuple[float, float]:
        """The heights between which it is vertical."""
        heights = [y for y in (self.left, *self.right, self.outside) if y is not None]
        return min(heights), max(heights)


def order_lanes(turns: Sequence[Turn]) -> tuple[int, ...]:
    """The numbers of those that turn, from the left lane to the right one, with few crossings and none on another's line."""
    turning = [n for n, turn in enumerate(turns) if turn.span[0] < turn.span[1]]
    costs = {(a, b): _cost(turns[a], turns[b]) for a in turning for b in turning if a != b}

    def cost(order: tuple[int, ...]) -> int:
        return sum(costs[pair] for pair in combinations(order, 2))

    if len(turning) <= FEW:
        return min(permutations(turning), key=cost)
    order: tuple[int, ...] = ()
    for n in turning:
        order = min(((*order[:at], n, *order[at:]) for at in range(len(order) + 1)), key=cost)
    return order


def _cost(one: Turn, other: Turn) -> int:
    """What it costs that one turns on the left of the other: its lines to the right meet the other's lane, and the other's from the left its own."""
    total = sum(_meets(y, other) for y in one.right)
    if other.left is not None:
        total += _meets(other.left, one) + OVERLAP * sum(abs(y - other.left) < NEAR for y in one.right)
    return total


def _meets(y: float, turn: Turn) -> bool:
    low, high = turn.span
    return low - NEAR < y < high + NEAR
