"""How high the rows of a step lie: orders of rows are tried, packed from the top, and judged by the length and crossings of their wires."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, permutations
from math import inf
from statistics import fmean

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
EFFORT, ROUNDS = 600_000, 8
"""How much is tried, in pairs of wires that are compared, which is about a second; how many orders to begin with there are."""


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
    """The best placing that was found: from a few orders of rows to begin with, by moving one row at a time."""
    search = _Search(grid)
    for order in _averaged(grid, search.straight):
        search.looks_better(order)
    search.move_rows()
    heights = _pack(grid, search.order, search.order.index).y
    return _pack(grid, search.order, heights.__getitem__)


class _Search:
    """The best order of rows so far and its cost; `left` orders may still be looked at."""

    def __init__(self, grid: Grid) -> None:
        self.grid, self.order, self.cost = grid, list(grid.places), inf
        self.straight = {grid.row_of[grid.column[key], key] for (key, _), way in grid.graph.ways.items() if way == STRAIGHT}
        self.left = EFFORT // (len(grid.graph.nodes) + sum(len(channels) ** 2 for channels in grid.channels))

    def looks_better(self, order: list[int]) -> bool:
        """Whether an order is better than the best so far, whose place it then takes."""
        self.left -= 1
        cost = _cost(self.grid, _pack(self.grid, order, order.index), self.straight, self.cost)
        if cost > self.cost - 1e-6:
            return False
        self.order, self.cost = order, cost
        return True

    def move_rows(self) -> None:
        """Move one row after the other to where it is best, until none gains by it or enough has been tried."""
        improved = True
        while improved:
            improved = False
            for row in self.order:
                for position in range(len(self.order)):
                    if self.left <= 0:
                        return
                    rest = [r for r in self.order if r != row]
                    improved |= self.looks_better([*rest[:position], row, *rest[position:]])


def _averaged(grid: Grid, straight: set[int]) -> Iterator[list[int]]:
    """Orders to begin with: each row goes, again and again, to the average place of the rows that it is connected with."""
    order = sorted(grid.places, key=lambda row: row not in straight)
    joined: dict[int, list[int | None]] = {row: [row] for row in order}
    for channel in chain.from_iterable(grid.channels):
        left = None if channel.left is None else grid.row_of[channel.left]
        places = [(grid.column[key], key) for key, _ in channel.sinks] + ([channel.passing] if channel.passing else [])
        for row in (grid.row_of[place] for place in places):
            joined[row].append(left)
            if left is not None:
                joined[left].append(row)
    for _ in range(ROUNDS):
        yield order
        rank = {row: n for n, row in enumerate(order)} | {None: len(order)}
        order = sorted(order, key=lambda row: fmean(rank[other] for other in joined[row]))


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


def _cost(grid: Grid, placing: Placing, straight: set[int], limit: float) -> float:
    """How bad a placing is, or anything from `limit` on: the length of vertical wires, crossings, and what the constants above price."""
    total = TALL * placing.height + LOW * sum(placing.y[row] for row in straight)
    turns = [[placing.ends(grid, channel) for channel in channels] for channels in grid.channels]
    spans = [[(min(left, *right), max(left, *right)) for left, right in ends] for ends in turns]
    total += sum(high - low for across in spans for low, high in across)
    for ends, across in zip(turns, spans, strict=True):
        for (one, (low, high)), (other, _) in permutations(zip(ends, across, strict=True), 2):
            if total >= limit:
                return total
            total += CROSSING * min(low < other[0] < high, sum(low < y < high for y in other[1]))
            total += SWAPPED * (_near(one[0], other[1]) and _near(other[0], one[1]))
    return total


def _near(height: float, others: Sequence[float]) -> bool:
    return any(abs(height - y) < NEAR for y in others)
