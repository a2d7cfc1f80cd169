"""The unrolled graph of a recurrence as a self-contained SVG."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from unrolled.compiler.drawing.graph import BENT, FORWARD, OUTPUT, STRAIGHT, StepGraph, step_graph, straight_slopes
from unrolled.compiler.drawing.layout import ARROW, MARGIN, OUTSIDE, Box, StepLayout, lay_out
from unrolled.compiler.drawing.lettering import letters, width
from unrolled.compiler.drawing.placing import FORMULA, LABEL, NAME
from unrolled.compiler.drawing.strokes import chevron, head, line
from unrolled.compiler.drawing.style import style
from unrolled.compiler.plan import Plan
from unrolled.equations import Recurrence
from unrolled.errors import ConfigError

MOST = 15
"""Steps that are drawn at most; boxes leave room for times of one digit."""
EDGE, ABOVE, BELOW, LINE = 14.0, 42.0, 64.0, 20.0
"""What is free at the edges of the picture, above the frames of the steps, and below them; the height of a line of the legend."""
SMALL, SAMPLE, LONGEST = 13.0, 34.0, 60
"""Font size of the legend and of the steps' times; how long the legend's wires are; characters of its formulas that are shown."""
_UNKNOWN = "\ufffd"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_WAYS = {
    STRAIGHT: "`∂L` goes straight back: only sums and products, unit by unit",
    BENT: "`∂L` goes back through a matrix or a function",
    OUTPUT: "the output, where `∂L` comes in",
    FORWARD: "no `∂L` goes back to earlier steps",
}


def plan_to_svg(plan: Plan, name: str = "recurrence", steps: int = 3, prefix: str = "unrolled") -> str:
    """The unrolled graph of a plan's recurrence: an SVG element that needs nothing from elsewhere and can stand in an HTML page.

    Shown are `steps` steps (1 to 15) around step t, side by side: inputs come from below, states go from left to right, the output leaves
    at the top. Wires are marked by the way that the gradient of a loss L takes along them, back in time. `name` is what those hear who
    cannot see it; `prefix` begins every id and bounds the style sheet, so that graphs with different ones can stand in one page.

    Raises `ConfigError` for a number of steps or a prefix that cannot be.
    """
    _check(steps, prefix)
    graph = step_graph(plan.recurrence)
    layout, legend = lay_out(graph), _legend(plan.recurrence, graph)
    first = -(steps // 2)
    entries = {f"{s}[{_time(first - 1)}]": y + ABOVE for s, y in layout.entries.items()}
    left = EDGE + max((width(f"`{text}`", LABEL) for text in entries), default=0.0) + 14
    starts = [left + n * layout.pitch for n in range(steps)]
    below = ABOVE + layout.height + BELOW
    across = max(left + steps * layout.pitch, EDGE + SAMPLE + 10 + max(width(text, SMALL) for _, text in legend)) + EDGE
    title = f"{_NOT_XML.sub(_UNKNOWN, name)}, unrolled over {steps} step{'s' * (steps > 1)}"
    parts = [
        f'<title id="{prefix}-title">{escape(title)}</title>',
        f'<desc id="{prefix}-description">{escape(_description(plan.recurrence, legend))}</desc>',
        f"<style>{style(prefix)}</style>",
        *(_frame(layout, _time(first + n), x) for n, x in enumerate(starts)),
        *_wires(graph, layout, [EDGE, *starts]),
        *(_text(text, EDGE, y - 6, LABEL, "start") for text, y in entries.items()),
        *(_step(graph, layout, _time(first + n), x) for n, x in enumerate(starts)),
        *(_explained(way, text, below + LINE * n) for n, (way, text) in enumerate(legend)),
    ]
    return _element(prefix, across, below + LINE * (len(legend) - 1) + EDGE, parts)


def _check(steps: int, prefix: str) -> None:
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST:
        raise ConfigError(f"`steps` must be a whole number from 1 to {MOST}, got {steps!r}. A few steps show all there is.")
    if not re.fullmatch(r"[A-Za-z][\w-]*", prefix, re.ASCII):
        raise ConfigError(f"`prefix` must be a letter, then letters, digits, `-` or `_`, got {prefix!r}. Choose one such as `cell-1`.")


def _element(prefix: str, across: float, down: float, parts: Sequence[str]) -> str:
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{prefix}" role="img" aria-labelledby="{prefix}-title" aria-describedby="{prefix}-description" '
        f'width="{across:.0f}" height="{down:.0f}" viewBox="0 0 {across:.0f} {down:.0f}">'
    )
    return "\n".join([opening, *parts, "</svg>\n"])


def _frame(layout: StepLayout, time: str, x: float) -> str:
    caption = f'<text class="quiet start" x="{x + 8:.1f}" y="{ABOVE - 7:.1f}" font-size="{SMALL:g}">{letters(f"step `{_signs(time)}`", SMALL)}</text>'
    return f'<rect class="frame" x="{x:.1f}" y="{ABOVE:.1f}" width="{layout.width:.1f}" height="{layout.height:.1f}" rx="10"/>{caption}'


def _wires(graph: StepGraph, layout: StepLayout, starts: Sequence[float]) -> Iterator[str]:
    """All wires of a way in one path, so that no stroke lies on another: from the left edge (the first of `starts`) through all steps."""
    moved = [(strand, [(px + x, py + ABOVE) for px, py in strand.points]) for x in starts[1:] for strand in layout.strands]
    for way in (FORWARD, OUTPUT, BENT, STRAIGHT):
        states = [layout.entries[s] + ABOVE for s in graph.carried if graph.carried_ways[s] == way]
        lines = [line([(starts[0], y), (starts[1], y)]) for y in states]
        lines += [line(points) for strand, points in moved if strand.way == way]
        lines += [chevron(x, y) for x in (*starts[1:], starts[-1] + layout.pitch) for y in states if way in (BENT, STRAIGHT)]
        if lines:
            heads = "".join(head(points) for strand, points in moved if strand.way == way and strand.arrow)
            yield f'<path class="{way}" d="{"".join(lines)}"/><path class="head {way}" d="{heads}"/>'


def _step(graph: StepGraph, layout: StepLayout, time: str, x: float) -> str:
    """A step's boxes, and all that is written in it."""
    parts = [
        f'<g transform="translate({x:.1f} {ABOVE:.1f})">',
        *(_box(graph, box, time) for box in layout.boxes),
        *(_text(s.label, s.points[-1][0] - ARROW - 2, s.points[-1][1] - 5, LABEL, "end") for s in layout.strands if s.label),
        _text(graph.output.replace("[t]", f"[{time}]"), layout.output_x, -OUTSIDE - 7, NAME),
    ]
    if layout.input_x is not None:
        parts.append(_text(f"x[{time}]", layout.input_x, layout.height + OUTSIDE + 13, NAME))
    return "\n".join([*parts, "</g>"])


def _box(graph: StepGraph, box: Box, time: str) -> str:
    node = box.node
    kind = "operation" if not node.name else "state" if node.name in graph.carried else "value"
    lines = [(f"{node.name}[{time}]", NAME)] if node.name else []
    if node.formula:
        lines.append(("+" if not node.name and node.formula == "∑" else node.formula, FORMULA if node.name else SMALL))
    x, y = box.x + box.width / 2, box.y + box.height / 2 + 4.5 - 8.5 * (len(lines) - 1)
    texts = "".join(_text(text, x, y + 17 * n, size) for n, (text, size) in enumerate(lines))
    size = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="{box.corner:.0f}"'
    return f'<g class="{kind}"><title>{escape(node.text)}</title><rect {size}/>{texts}</g>'


def _legend(recurrence: Recurrence, graph: StepGraph) -> list[tuple[str, str]]:
    """What the marks mean, as far as they occur: a way or none, and a sentence with formulas between backticks."""
    found = {OUTPUT, *graph.ways.values(), *graph.carried_ways.values()}
    slopes = [
        f"on the straight way from `{s}[t]` to `{s}[t-1]`, `∂L` is multiplied by `{_cut(_signs(slope))}`"
        for s, slope in straight_slopes(recurrence).items()
    ]
    general = ["arrows show where values flow, and `∂L` goes against them", "`∑` sum and `×` product, unit by unit, of all that comes in"]
    return [*((way, text) for way, text in _WAYS.items() if way in found), *(("", text) for text in (*slopes, *general))]


def _signs(formula: object) -> str:
    """A formula of SymPy, or a time, with the signs of mathematics; the times of its names stay as they are."""
    return re.sub(r"(?<!\[t) ?([-+]) ?", r" \1 ", str(formula)).replace(" - ", " − ").replace("**", "^").replace("*", " ").strip()


def _cut(formula: str) -> str:
    return formula if len(formula) <= LONGEST else f"{formula[: LONGEST - 1]}…"


def _explained(way: str, text: str, y: float) -> str:
    end = EDGE + SAMPLE
    mark = chevron(EDGE + SAMPLE / 2 + MARGIN, y - 4) if way in (STRAIGHT, BENT) else ""
    sample = f'<path class="{way}" d="M{EDGE:.1f} {y - 4:.1f}L{end:.1f} {y - 4:.1f}{mark}"/>' if way else ""
    return f'{sample}<text class="quiet start" x="{end + 10:.1f}" y="{y:.1f}" font-size="{SMALL:g}">{letters(text, SMALL)}</text>'


def _description(recurrence: Recurrence, legend: Sequence[tuple[str, str]]) -> str:
    equations = "; ".join(f"{equation.name}[t] = {equation.text}" for equation in recurrence.equations)
    ways = "; ".join(text.replace("`", "") for _, text in legend)
    return f"Steps side by side, each computing {equations}. States go from left to right. Marked are the ways of the gradient: {ways}."


def _text(formula: str, x: float, y: float, size: float, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f'<text{attribute} x="{x:.1f}" y="{y:.1f}" font-size="{size:g}">{letters(f"`{formula}`", size)}</text>'


def _time(offset: int) -> str:
    return f"t{offset:+d}" if offset else "t"
