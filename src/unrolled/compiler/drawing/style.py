"""The style sheet of a graph, light and dark, bounded by the id of its SVG element."""

_SHAPES = """
{id} {{ font-family: "STIX Two Text", "Latin Modern Roman", Cambria, "Times New Roman", serif; }}
{id} text {{ text-anchor: middle; }}
{id} text.start {{ text-anchor: start; }}
{id} text.end {{ text-anchor: end; }}
{id} path {{ fill: none; stroke-linecap: round; }}
{id} .straight {{ stroke-width: 3; }}
{id} .bent {{ stroke-width: 1.5; }}
{id} .forward {{ stroke-width: 1.2; stroke-dasharray: 3.5 3; }}
{id} .output {{ stroke-width: 1.2; }}
{id} path.head {{ stroke: none; }}
{id} rect {{ stroke-width: 1.2; }}
"""

_COLOURS = """
{id} {{ background: {paper}; }}
{id} text {{ fill: {ink}; }}
{id} text.quiet {{ fill: {quiet}; }}
{id} .straight {{ stroke: {straight}; }}
{id} .head.straight {{ fill: {straight}; }}
{id} .bent {{ stroke: {bent}; }}
{id} .head.bent {{ fill: {bent}; }}
{id} .output {{ stroke: {ink}; }}
{id} .head.output {{ fill: {ink}; }}
{id} .forward {{ stroke: {forward}; }}
{id} .head.forward {{ fill: {forward}; }}
{id} rect.frame {{ fill: {frame}; stroke: {rim}; }}
{id} .value rect {{ fill: {paper}; stroke: {ink}; }}
{id} .state rect {{ fill: {state}; stroke: {ink}; }}
{id} .operation rect {{ fill: {operation}; stroke: {ink}; }}
"""

_LIGHT = {
    "paper": "#ffffff", "ink": "#1b2430", "quiet": "#4c5866", "frame": "#f4f5f8", "rim": "#cfd5de", "state": "#dbe8ff", "operation": "#fff3cf",
    "straight": "#0a7f52", "bent": "#c2410c", "forward": "#6b7686",
}  # fmt: skip
_DARK = {
    "paper": "#12161c", "ink": "#e9ecf1", "quiet": "#aab4c1", "frame": "#1a2028", "rim": "#3a4452", "state": "#1f3a63", "operation": "#453a17",
    "straight": "#45d49a", "bent": "#ff9a5a", "forward": "#8e9aab",
}  # fmt: skip


def style(prefix: str) -> str:
    """The style sheet; it says nothing about anything outside the element with the id `prefix`."""
    rules = [_SHAPES.format(id=f"#{prefix}"), _COLOURS.format(id=f"#{prefix}", **_LIGHT)]
    return f"{''.join(rules)}@media (prefers-color-scheme: dark) {{{_COLOURS.format(id=f'#{prefix}', **_DARK)}}}\n"
