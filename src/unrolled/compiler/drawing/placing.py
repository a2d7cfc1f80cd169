"""How high the rows of a step lie: orders of rows are tried, packed from the top, and judged by the length and crossings of their wires."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from math import inf

from unrolled.compiler.drawing.graph import STRAIGHT, Node
from unrolled.compiler.drawing.lanes import NEAR
from unrolled.compiler.drawing.lettering import width
from unrolled.compiler.drawing.rows import Channel, Grid

NAME, FORMULA, LABEL = 15.0, 11.5, 12.5
"""Font sizes of a node's name, of the formula under it, and of what stands on a wire."""
ROUND = 11.0
"""The radius of an operation's circle."""
LINE, GAP = 6.0, 6.0
"""Half the room of a wire that passes a column; what stays free between two things below each other."""
CROSSING, SWAPPED, TALL, LOW = 14.0, 1000.0, 0.4, 0.5
"""What costs how much, in units of length of wire: a crossing, two wires that change places between two columns (on whichever lanes, they
would run on each other), every unit of height, and every unit that a straight way lies below the top."""
TRIES = 5000
"""How many orders of rows are looked at."""


@dataclass(frozen=True)
class Shape:
    """A node relative to its row: its edges, the room it takes above, and the height at which each of its wires enters."""

    top: float
    bottom: float
    room: float
    width: float
    pins: tuple[float, ...]


@dataclass(frozen=True)
class Placing:
    """The height of every row, the shape of every node, and the height of all."""

    y: dict[int, float]
    shapes: dict[str, Shape]
    height: float

    def ends(self, grid: Grid, channel: Channel) -> tuple[float, list[float]]:
        """Where a net enters a channel from the left, and where it leaves it; the input comes from below, the output goes to the top."""
        left = self.height if channel.left is None else self.y[grid.row_of[channel.left]]
        pins = [self.y[grid.row_of[grid.column[key], key]] + self.shapes[key].pins[n] for key, n in channel.sinks]
        passing = [self.y[grid.row_of[channel.passing]]] if channel.passing else []
        return left, [*pins, *passing, *([0.0] if channel.to_top else [])]


def place(grid: Grid) -> Placing:
    """The best placing that was found, by moving one row at a time."""
    straight = {grid.row_of[grid.column[key], key] for (key, _), way in grid.graph.ways.items() if way == STRAIGHT}
    order = sorted(set(grid.row_of.values()), key=lambda row: row not in straight)
    cost, tries, improved = inf, 0, True
    while improved and tries < TRIES:
        improved = False
        for row in list(order):
            rest = [r for r in order if r != row]
            for position in range(len(order)):
                candidate = [*rest[:position], row, *rest[position:]]
                found = _cost(grid, _pack(grid, candidate, candidate.index), straight)
                tries += 1
                if found < cost - 1e-6:
                    cost, order, improved = found, candidate, True
    heights = _pack(grid, order, order.index).y
    return _pack(grid, order, heights.__getitem__)


def _pack(grid: Grid, order: Sequence[int], rank: Callable[[int], float]) -> Placing:
    """Rows in an order, each as high as it can be; the wires of a node enter in the order of the ranks of the rows they come from."""
    shapes = {key: _shape(grid.graph.nodes[key], *_entering(grid, key, rank)) for key in grid.graph.nodes}
    free = [0.0] * (grid.depth + 1)
    y = {}
    for row in order:
        places = grid.places[row]
        y[row] = max(free[c] + GAP + (shapes[key].room if grid.is_node(c, key) else LINE) for c, key in places)
        for c, key in places:
            free[c] = y[row] + (shapes[key].bottom if grid.is_node(c, key) else LINE)
    return Placing(y, shapes, max(free) + GAP)


def _entering(grid: Grid, key: str, rank: Callable[[int], float]) -> tuple[tuple[int, ...], int | None]:
    """The numbers of a node's wires from the top one down, and the one that comes straight along the node's row."""
    column = grid.column[key]
    rows = [grid.row_of.get((column - 1, wire.source)) for wire in grid.graph.nodes[key].inputs]
    own = grid.row_of[column, key]
    ranks = [inf if row is None else rank(row) for row in rows]
    order = sorted(range(len(rows)), key=ranks.__getitem__)
    return tuple(order), rows.index(own) if own in rows else None


@cache
def _shape(node: Node, order: tuple[int, ...], straight: int | None) -> Shape:
    is_round = not node.name and len(node.formula) == 1
    labelled = any(wire.label for wire in node.inputs)
    gap = 18.0 if labelled else 7.0 if is_round else 11.0
    middle = order.index(straight) if straight is not None else (len(order) - 1) / 2
    pins = {n: (position - middle) * gap for position, n in enumerate(order)}
    half = (20.0 if node.formula else 15.0) if node.name else ROUND
    margin = 4.0 if is_round else 8.0
    top, bottom = min(-half, min(pins.values(), default=0) - margin), max(half, max(pins.values(), default=0) + margin)
    across = (
        2 * ROUND if is_round else max(width(f"`{node.name}[t-1]`", NAME) if node.name else 0, width(f"`{node.formula}`", FORMULA)) + 14
    )
    room = max([-top, *(17 - pins[n] for n in order if node.inputs[n].label)])
    return Shape(top, bottom, room, across, tuple(pins[n] for n in range(len(order))))


def _cost(grid: Grid, placing: Placing, straight: set[int]) -> float:
    """How bad a placing is: the length of its vertical wires, their crossings, and what else the constants above price."""
    total = TALL * placing.height + LOW * sum(placing.y[row] for row in straight)
    for channels in grid.channels:
        ends = [placing.ends(grid, channel) for channel in channels]
        for n, (left, right) in enumerate(ends):
            low, high = min(left, *right), max(left, *right)
            total += high - low
            for other_left, other_right in chain(ends[:n], ends[n + 1 :]):
                total += CROSSING * min(low < other_left < high, sum(low < y < high for y in other_right))
                total += SWAPPED * (_near(left, other_right) and _near(other_left, right))
    return total


def _near(height: float, others: Sequence[float]) -> bool:
    return any(abs(height - y) < NEAR for y in others)
