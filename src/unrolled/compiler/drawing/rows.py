"""The columns of a step, in the order of computation, and its rows, on which wires run straight."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from unrolled.compiler.drawing.graph import BENT, FORWARD, STRAIGHT, StepGraph
from unrolled.equations.recurrence import INPUT, before, now

Place = tuple[int, str]
"""A column and the source of a wire that passes it; in the source's own column, the source itself."""


@dataclass(frozen=True)
class Channel:
    """A net between one column and the next: from a place on the left, or for the input from below, to nodes and the next column.

    `sinks` are nodes with the numbers of their wires; `passing` is the place where the net goes on; with `to_top` it leaves as the output.
    `way` is what the net carries through `passing`.
    """

    left: Place | None
    sinks: tuple[tuple[str, int], ...]
    passing: Place | None
    to_top: bool
    way: str


@dataclass(frozen=True)
class Grid:
    """Where things are, without heights: each node's column, each place's row, each row's places, and the nets channel by channel.

    Column 0 holds the states of the step before; after column `depth` comes column 0 of the next step.
    """

    graph: StepGraph
    column: dict[str, int]
    depth: int
    row_of: dict[Place, int]
    places: dict[int, tuple[Place, ...]]
    channels: tuple[tuple[Channel, ...], ...]

    def is_node(self, column: int, key: str) -> bool:
        """Whether a place is a node, and not a wire that passes."""
        return key in self.graph.nodes and self.column[key] == column


def make_grid(graph: StepGraph) -> Grid:
    """Every node in the first column behind all that it needs; rows joined where a wire can run straight."""
    nets = _Nets(graph)
    places = [(c, key) for key in nets.column for c in nets.range(key) if (c, key) != (0, INPUT.name)]
    row_of = _rows(places, list(nets.pairs()), nets.depth + 1)
    rows: dict[int, tuple[Place, ...]] = {}
    for place, row in row_of.items():
        rows[row] = (*rows.get(row, ()), place)
    return Grid(graph, nets.column, nets.depth, row_of, rows, tuple(tuple(nets.channels(c)) for c in range(nets.depth + 1)))


class _Nets:
    """What goes where: every source's column, the nodes that it flows into, and the last column that its net passes."""

    def __init__(self, graph: StepGraph) -> None:
        self.graph = graph
        self.column = {INPUT.name: 0, **{before(s).name: 0 for s in graph.carried}}
        self.sinks: dict[str, list[tuple[str, int]]] = {key: [] for key in (*self.column, *graph.nodes)}
        for node in graph.nodes.values():
            self.column[node.key] = 1 + max((self.column[wire.source] for wire in node.inputs), default=0)
            for number, wire in enumerate(node.inputs):
                self.sinks[wire.source].append((node.key, number))
        self.depth = max(self.column.values())
        self.handed = {now(s).name: s for s in graph.carried}

    def range(self, key: str) -> range:
        """The columns that a source's net starts in and passes."""
        if key in self.handed or key == self.graph.output:
            return range(self.column[key], self.depth + 1)
        return range(self.column[key], max([self.column[key] + 1, *(self.column[k] for k, _ in self.sinks[key])]))

    def channels(self, c: int) -> Iterator[Channel]:
        """The nets between column c and the next one."""
        for key in self.column:
            columns = self.range(key)
            if c not in columns:
                continue
            here = tuple(sink for sink in self.sinks[key] if self.column[sink[0]] == c + 1)
            handed_on = key in self.handed and c == self.depth
            passing = (0, before(self.handed[key]).name) if handed_on else (c + 1, key) if c + 1 in columns else None
            to_top = key == self.graph.output and c == self.depth
            if here or passing or to_top:
                left = None if (c, key) == (0, INPUT.name) else (c, key)
                yield Channel(left, here, passing, to_top, self._way_beyond(key, c + 1))

    def _way_beyond(self, key: str, column: int) -> str:
        """The most straight of the ways that a net has behind a column."""
        ways = {self.graph.ways[sink] for sink in self.sinks[key] if self.column[sink[0]] > column}
        if key in self.handed:
            ways.add(self.graph.carried_ways[self.handed[key]])
        return next((way for way in (STRAIGHT, BENT) if way in ways), FORWARD)

    def pairs(self) -> Iterator[tuple[Place, Place]]:
        """Places that would lie well in one row, the most important first: straight ways, states from step to step, wires, results."""
        wires = [
            ((self.column[key] - 1, wire.source), (self.column[key], key), self.graph.ways[key, number])
            for key, node in self.graph.nodes.items()
            for number, wire in enumerate(node.inputs)
        ]
        for one, other, way in wires:
            if way == STRAIGHT:
                yield one, other
                yield from (((c, one[1]), (c + 1, one[1])) for c in range(one[0]))
        yield from (((self.depth, key), (0, before(state).name)) for key, state in self.handed.items())
        for key in self.column:
            yield from (((c - 1, key), (c, key)) for c in self.range(key)[1:])
        yield from ((one, other) for one, other, _ in reversed(wires))


def _rows(places: Iterable[Place], pairs: Sequence[tuple[Place, Place]], columns: int) -> dict[Place, int]:
    """Numbered rows: pairs of places that a wire connects are joined, one pair after the other, as long as a row stays one straight line.

    So it holds one place of a column, and in columns next to each other only places that are connected; the last is next to the first.
    """
    rows = {place: {place[0]: place} for place in places}
    connected = set(pairs)
    for one, other in pairs:
        if one not in rows or other not in rows or rows[one].keys() & rows[other].keys():
            continue
        together = rows[one] | rows[other]
        following = ((place, together.get((c + 1) % columns)) for c, place in together.items())
        if all(behind is None or (place, behind) in connected for place, behind in following):
            rows.update(dict.fromkeys(together.values(), together))
    numbers: dict[int, int] = {}
    return {place: numbers.setdefault(id(rows[place]), len(numbers)) for place in places}
