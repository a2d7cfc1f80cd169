"""Where everything of a step is drawn: boxes in their columns, and the wires between them."""

from collections.abc import Iterator
from dataclasses import dataclass

from unrolled.compiler.drawing.graph import OUTPUT, Node, StepGraph
from unrolled.compiler.drawing.lanes import Turn, order_lanes
from unrolled.compiler.drawing.lettering import width
from unrolled.compiler.drawing.placing import LABEL, ROUND, Placing, place
from unrolled.compiler.drawing.rows import Channel, Grid, make_grid
from unrolled.equations.recurrence import before

LANE, MARGIN, ARROW = 8.0, 9.0, 7.0
"""The distance of lanes, what is free beside them, and the length of an arrowhead."""
OUTSIDE = 16.0
"""How far the input's wire reaches below a step's frame, and the output's above it."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A node and its rectangle; `corner` is the radius of its corners."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    corner: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width


@dataclass(frozen=True)
class Strand:
    """A piece of a wire between two columns; one that ends at a node has an arrowhead (`arrow`), and `label` before it."""

    points: tuple[Point, ...]
    way: str
    arrow: bool = False
    label: str = ""


@dataclass(frozen=True)
class StepLayout:
    """One step, its frame's upper left corner at (0, 0), the next one's at (`pitch`, 0).

    `entries` are the heights at which the states of the step before come in; the input comes from below at `input_x` (None where it is
    not read), the output goes to the top at `output_x`.
    """

    boxes: tuple[Box, ...]
    strands: tuple[Strand, ...]
    width: float
    height: float
    pitch: float
    entries: dict[str, float]
    input_x: float | None
    output_x: float


@dataclass(frozen=True)
class _Edges:
    """The left and the right edge of every column, the next step's column 0 being the last, and the lanes of every channel by net."""

    left: list[float]
    right: list[float]
    lanes: list[dict[int, float]]


def lay_out(graph: StepGraph) -> StepLayout:
    """The layout of a step, the same for all steps."""
    grid = make_grid(graph)
    placing = place(grid)
    turns = [[_turn(grid, placing, channel) for channel in channels] for channels in grid.channels]
    edges = _edges(grid, placing, turns)
    boxes = {key: _box(grid, placing, edges, key) for key in graph.nodes}
    strands: list[Strand] = []
    outside = {}
    for c, channels in enumerate(grid.channels):
        for n, channel in enumerate(channels):
            strands += _strands(grid, placing, edges, boxes, (c, n), turns[c][n])
            if channel.left is None or channel.to_top:
                outside[channel.to_top] = edges.lanes[c][n]
    entries = {s: placing.y[grid.row_of[0, before(s).name]] for s in graph.carried}
    frame = edges.right[grid.depth] + MARGIN
    return StepLayout(
        tuple(boxes.values()), tuple(strands), frame, placing.height, edges.left[-1], entries, outside.get(False), outside[True]
    )


def _turn(grid: Grid, placing: Placing, channel: Channel) -> Turn:
    left, right = placing.ends(grid, channel)
    if channel.left is None:
        return Turn(None, tuple(right), placing.height + OUTSIDE)
    return Turn(left, tuple(right[:-1]), -OUTSIDE) if channel.to_top else Turn(left, tuple(right))


def _edges(grid: Grid, placing: Placing, turns: list[list[Turn]]) -> _Edges:
    edges = _Edges([0.0], [0.0], [])
    for c, turning in enumerate(turns):
        outside = c == grid.depth
        start = edges.right[c] + (2 * MARGIN if outside else MARGIN)
        edges.lanes.append({n: start + LANE * position for position, n in enumerate(order_lanes(turning))})
        entering = [node for key, node in grid.graph.nodes.items() if grid.column[key] == c + 1]
        labels = max((width(f"`{wire.label}`", LABEL) for node in entering for wire in node.inputs), default=0.0)
        edges.left.append(max([start, *edges.lanes[c].values()]) + (MARGIN if outside else ARROW + 4 + labels))
        edges.right.append(edges.left[-1] + max((placing.shapes[node.key].width for node in entering), default=0.0))
    return edges


def _box(grid: Grid, placing: Placing, edges: _Edges, key: str) -> Box:
    column, shape = grid.column[key], placing.shapes[key]
    x = (edges.left[column] + edges.right[column] - shape.width) / 2
    y = placing.y[grid.row_of[column, key]]
    return Box(grid.graph.nodes[key], x, y + shape.top, shape.width, shape.bottom - shape.top, 6.0 if grid.graph.nodes[key].name else ROUND)


def _strands(grid: Grid, placing: Placing, edges: _Edges, boxes: dict[str, Box], at: tuple[int, int], turn: Turn) -> Iterator[Strand]:
    """The pieces of a net in a channel, one for each of its ends on the right."""
    c, n = at
    channel, lane = grid.channels[c][n], edges.lanes[c].get(n, 0.0)
    if channel.left is None or turn.left is None:
        begin = (lane, turn.outside or 0.0)
    else:
        begin = (boxes[channel.left[1]].right if grid.is_node(*channel.left) else edges.right[c], turn.left)
    for (key, number), y in zip(channel.sinks, turn.right, strict=False):
        end = (boxes[key].x + _inset(boxes[key], y), y)
        yield Strand(_turned(begin, lane, end), grid.graph.ways[key, number], True, grid.graph.nodes[key].inputs[number].label)
    if channel.passing:
        yield Strand(_turned(begin, lane, (edges.right[c + 1], turn.right[len(channel.sinks)])), channel.way)
    if channel.to_top:
        yield Strand(_turned(begin, lane, (lane, turn.outside or 0.0)), OUTPUT, True)


def _turned(begin: Point, lane: float, end: Point) -> tuple[Point, ...]:
    """From one point to another, up or down on a lane."""
    if begin[1] == end[1]:
        return begin, end
    return tuple(dict.fromkeys([begin, (lane, begin[1]), (lane, end[1]), end]))


def _inset(box: Box, y: float) -> float:
    """How far behind its rectangle's left edge the rounded side of a box lies at a height."""
    beyond = max(box.y + box.corner - y, y - (box.y + box.height - box.corner), 0.0)
    return box.corner - (box.corner**2 - min(beyond, box.corner) ** 2) ** 0.5
