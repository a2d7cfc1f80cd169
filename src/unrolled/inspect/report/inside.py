"""Gates and units: what they do along the sequence, and what they follow."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from unrolled.errors import DataError
from unrolled.inspect import draw
from unrolled.inspect.gating import Gates, gates
from unrolled.inspect.properties import bracket_depth, inside_quotes, position_in_line
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import Drawing, Part, Tint
from unrolled.inspect.report.wording import plain
from unrolled.inspect.specimen import START, Specimen
from unrolled.inspect.units import Followers, units_that_follow

PROPERTIES: Mapping[str, Callable[[Sequence[str]], np.ndarray]] = {
    "being inside quotes": inside_quotes,
    "the position in the line": position_in_line,
    "the depth of brackets": bracket_depth,
}
"""What units are searched for in texts."""

FEWEST = 200
"""Symbols of a text below which no unit is searched for: anything would seem to follow."""

CLEAR = 0.5
"""The correlation from which a unit is said to follow something."""


def gates_section(specimen: Specimen) -> Section:
    """Every gate and state of the last layer over the sequence, and the text as single units see it."""
    found = gates(specimen.model, specimen.x)
    name = found.states[0]
    followers = _search(specimen)
    parts: list[Part] = [Drawing("gates", draw.gates(found, specimen.symbols), _heat_caption(found), wide=True)]
    if found.ranges:
        caption = (
            "A dot for each unit. Right below: mostly at its lower end; left above: mostly at its upper end; left below: seldom at either"
        )
        parts.append(Drawing("saturation", draw.saturation(found), caption))
    for what, follower in followers.items():
        values = gates(specimen.model, specimen.x, layer=follower.place[0], reverse=bool(follower.place[1]))[follower.state][
            :, 0, follower.unit
        ]
        heading = f"Unit {follower.unit} of {follower.state}, of all the one that goes best with {what}: r = {follower.correlation:.2f} in the half of the text that had no part in the choice"
        parts.append(_tint(specimen, heading, values))
    if not followers:
        unit = int(found[name][:, 0].std(0).argmax())
        parts.append(_tint(specimen, f"Unit {unit} of {name}, the one that changes most", found[name][:, 0, unit]))
    return Section(
        "gates",
        "Gates and units",
        "Heat maps of all that the equations name, in the last layer: a row for each unit, a column for each step. Saturated is what lies within 0.1 of "
        f"an end of its range: left is the lower one, right the upper one. The coloured text shows what one unit holds after each {specimen.unit}: warm is above its mean, cold below.{_too_short(specimen)}",
        f"{found.saturation.summary} {_verdict(followers)}".strip(),
        parts,
        {
            "saturated": {
                gate: {"left": plain(left), "right": plain(found.saturation.right[gate])} for gate, left in found.saturation.left.items()
            },
            "units": {
                what: {"state": f.state, "layer": f.place[0], "unit": f.unit, "correlation": plain(f.correlation)}
                for what, f in followers.items()
            },
        },
    )


def _search(specimen: Specimen) -> dict[str, Followers]:
    """The unit that goes best with each property that the text has."""
    if specimen.level not in ("char", "word") or specimen.steps < FEWEST:
        return {}
    text = ["\n" if symbol == START else symbol for symbol in specimen.symbols]
    found = {}
    for what, measured in PROPERTIES.items():
        try:
            found[what] = units_that_follow(specimen.model, specimen.x, measured(text))
        except DataError:
            # The text has no quotes, or no brackets, in one of its halves.
            continue
    return found


def _tint(specimen: Specimen, heading: str, values: np.ndarray) -> Tint:
    apart = values - values.mean()
    titles = [f"step {t}: {v:.3f}" for t, v in enumerate(values)]
    return Tint(heading, specimen.symbols, (apart / (np.abs(apart).max() or 1.0)).tolist(), titles, specimen.level != "char")


def _heat_caption(found: Gates) -> str:
    count = found[found.states[0]].shape[2]
    units = f", {draw.inside.MOST_UNITS} of {count} units, evenly spaced" if count > draw.inside.MOST_UNITS else ""
    steps = f", the last {draw.inside.MOST_STEPS} steps" if found.lengths[0] > draw.inside.MOST_STEPS else ""
    return f"Gates and states over the sequence{units}{steps}"


def _too_short(specimen: Specimen) -> str:
    if specimen.level in ("char", "word") and specimen.steps < FEWEST:
        return f" Units that follow quotes, lines or brackets are searched for in texts of at least {FEWEST} symbols."
    return ""


def _verdict(followers: Mapping[str, Followers]) -> str:
    clear = {what: f for what, f in followers.items() if abs(f.correlation) >= CLEAR}
    if not followers:
        return ""
    if not clear:
        return "No unit clearly follows quotes, lines or brackets."
    return " ".join(f"Unit {f.unit} of {f.state} follows {what} (r = {f.correlation:.2f})." for what, f in clear.items())
