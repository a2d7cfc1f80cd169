"""Wires and their marks as the data of SVG paths."""

from collections.abc import Sequence

from unrolled.compiler.drawing.layout import ARROW, MARGIN, Point

TURN, CHEVRON = 5.0, 5.0
"""The radius of a wire's turns; the half height of the marks that point back in time."""


def line(points: Sequence[Point]) -> str:
    """A path through the points, with rounded turns."""
    pieces = ["M{:.1f} {:.1f}".format(*points[0])]
    for before, (x, y), after in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (bx, by) = _towards((x, y), before), _towards((x, y), after)
        pieces.append(f"L{ax:.1f} {ay:.1f}Q{x:.1f} {y:.1f} {bx:.1f} {by:.1f}")
    return "".join([*pieces, "L{:.1f} {:.1f}".format(*points[-1])])


def _towards(point: Point, other: Point) -> Point:
    (x, y), (to_x, to_y) = point, other
    length = abs(to_x - x) + abs(to_y - y)
    part = min(TURN, length / 2) / length
    return x + (to_x - x) * part, y + (to_y - y) * part


def head(points: Sequence[Point]) -> str:
    """An arrowhead at the last point."""
    (fx, fy), (x, y) = points[-2:]
    dx, dy = ((x > fx) - (x < fx)) * ARROW, ((y > fy) - (y < fy)) * ARROW
    wings = " ".join(f"{x - dx + side * dy / 2:.1f} {y - dy + side * dx / 2:.1f}" for side in (1, -1))
    return f"M{x:.1f} {y:.1f}L{wings}Z"


def chevron(x: float, y: float) -> str:
    """A mark that points back in time, left of x on a wire at height y."""
    tip = x - MARGIN + 1
    return f"M{tip + CHEVRON:.1f} {y - CHEVRON:.1f}L{tip:.1f} {y:.1f}L{tip + CHEVRON:.1f} {y + CHEVRON:.1f}"
