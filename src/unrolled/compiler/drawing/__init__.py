"""The unrolled graph of a recurrence, drawn: `graph` says what is connected, `rows`, `placing`, `lanes` and `layout` where it is, `svg` draws."""

from unrolled.compiler.drawing.svg import MOST, plan_to_svg

__all__ = ["MOST", "plan_to_svg"]
