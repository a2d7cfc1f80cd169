"""Gates and units: what they do along the sequence, and what they follow."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from unrolled.errors import DataError
from unrolled.inspect import draw
from unrolled.inspect.gating import Gates, every_gate
from unrolled.inspect.inspection_input import START, InspectionInput
from unrolled.inspect.properties import bracket_depth, inside_quotes, position_in_line
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import Drawing, Part, Table, Tint
from unrolled.inspect.report.wording import plain
from unrolled.inspect.units import Followers, units_that_follow
from unrolled.inspect.walk import Place, place_name, shape_of, where
from unrolled.layers import RUNAWAY

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

MOST_PLACES = 5
"""Layers and directions, evenly spaced, that have a small picture beside the large one of the last layer."""


def gates_section(inspected: InspectionInput) -> Section:
    """Every gate and state of every layer over the sequence, and the text as single units see it."""
    everywhere = every_gate(inspected.model, inspected.x)
    last = everywhere[inspected.layer.num_layers - 1, 0]
    followers = _search(inspected)
    large = f" Large is the last layer{', forward' if inspected.layer.bidirectional else ''}." if len(everywhere) > 1 else ""
    return Section(
        "gates",
        "Gates and units",
        f"Heat maps of all that the equations name: a row for each unit, a column for each step.{large} Saturated is a sigmoid below 0.1 or above 0.9, "
        "a tanh below -0.9 or above 0.9, a relu at 0: left is the lower end, right the upper one. The coloured text shows what one unit holds after each "
        f"{inspected.unit}: warm is above its mean, cold below.{_too_short(inspected)}",
        f"{last.saturation.summary} {_runaway(everywhere, shape_of(inspected.layer))}{_verdict(followers)}".strip(),
        [*_pictures(inspected, everywhere, last), *_units(inspected, everywhere, last, followers)],
        {
            "saturated": _saturated(last),
            "places": [
                {"layer": place[0], "direction": place[1], "saturated": _saturated(found), "runaway": found.runaway}
                for place, found in everywhere.items()
            ],
            "units": {
                what: {"state": f.state, "layer": f.place[0], "direction": f.place[1], "unit": f.unit, "correlation": plain(f.correlation)}
                for what, f in followers.items()
            },
        },
    )


def _pictures(inspected: InspectionInput, everywhere: Mapping[Place, Gates], last: Gates) -> list[Part]:
    """A large heat map of one place and small ones of the others, and how saturated all are."""
    shape = shape_of(inspected.layer)
    parts: list[Part] = [
        Drawing("gates", draw.gates(last, inspected.symbols), _heat_caption(last, shape, draw.inside.MOST_UNITS), wide=True)
    ]
    others = [found for found in everywhere.values() if found is not last]
    for number in np.unique(np.linspace(0, len(others) - 1, min(len(others), MOST_PLACES)).round().astype(int)):
        found = others[number]
        figure, caption = draw.gates(found, inspected.symbols, small=True), _heat_caption(found, shape, draw.inside.FEW_UNITS)
        parts.append(Drawing(f"gates-{found.place[0]}{'-reverse' if found.place[1] else ''}", figure, caption, wide=True))
    if not last.ends:
        return parts
    caption = "A dot for each unit. Right below: mostly at its lower end; left above: mostly at its upper end; left below: seldom at either"
    parts.append(Drawing("saturation", draw.saturation(last), caption))
    if others:
        rows = [(place_name(place, shape), *_ends(found)) for place, found in everywhere.items()]
        parts.append(Table("Saturated, left and right, in every layer", ("", *last.ends), rows))
    return parts


def _ends(found: Gates) -> Iterator[str]:
    """The mean saturation of each gate."""
    ends = found.saturation
    return (f"{ends.left[name].mean():.0%}, {ends.right[name].mean():.0%}" for name in found.ends)


def _units(
    inspected: InspectionInput, everywhere: Mapping[Place, Gates], last: Gates, followers: Mapping[str, Followers]
) -> Iterator[Part]:
    """The text as the units see it that follow something, or else as the one does that changes most."""
    for what, f in followers.items():
        heading = (
            f"Unit {f.unit} of {f.state}, of all the one that goes best with {what}: r = {f.correlation:.2f} in the half of the text that had "
            "no part in the choice"
        )
        yield _tint(inspected, heading, everywhere[f.place][f.state][:, 0, f.unit])
    if not followers:
        name = last.states[0]
        unit = int(last[name][:, 0].std(0).argmax())
        yield _tint(inspected, f"Unit {unit} of {name}, the one that changes most", last[name][:, 0, unit])


def _saturated(found: Gates) -> dict[str, object]:
    ends = found.saturation
    return {name: {"left": plain(left), "right": plain(ends.right[name])} for name, left in ends.left.items()}


def _runaway(everywhere: Mapping[Place, Gates], shape: tuple[int, int]) -> str:
    """A sentence for each place where cells ran away."""
    said = []
    for place, found in everywhere.items():
        parts = " and ".join(f"{part:.2g} of the values of {state}" for state, part in found.runaway.items())
        if parts:
            said.append(
                f"Cells run away: {parts} {where(place, shape)}".rstrip() + f" are beyond {RUNAWAY:g}, where a tanh passes no gradient. "
            )
    return "".join(said)


def _search(inspected: InspectionInput) -> dict[str, Followers]:
    """The unit that goes best with each property that the text has."""
    if inspected.steps < FEWEST:
        return {}
    found = {}
    for what, measured in _properties(inspected).items():
        try:
            found[what] = units_that_follow(inspected.model, inspected.x, measured)
        except DataError:
            # The text has no quotes, or no brackets, in one of its halves.
            continue
    return found


def _properties(inspected: InspectionInput) -> Mapping[str, np.ndarray]:
    """What units are searched for: properties of texts, and those that the input has of its own."""
    if inspected.level not in ("char", "word"):
        return inspected.properties
    text = ["\n" if symbol == START else symbol for symbol in inspected.symbols]
    return {**{what: measured(text) for what, measured in PROPERTIES.items()}, **inspected.properties}


def _tint(inspected: InspectionInput, heading: str, values: np.ndarray) -> Tint:
    apart = values - values.mean()
    titles = [f"step {t}: {v:.3f}" for t, v in enumerate(values)]
    return Tint(heading, inspected.symbols, (apart / (np.abs(apart).max() or 1.0)).tolist(), titles, inspected.level != "char")


def _heat_caption(found: Gates, shape: tuple[int, int], most: int) -> str:
    count, where = found[found.states[0]].shape[2], place_name(found.place, shape)
    units = f", {most} of {count} units, evenly spaced" if count > most else ""
    steps = f", the last {draw.inside.MOST_STEPS} steps" if found.lengths[0] > draw.inside.MOST_STEPS else ""
    return f"Gates and states{where and f', {where}'}, over the sequence{units}{steps}"


def _too_short(inspected: InspectionInput) -> str:
    if inspected.level in ("char", "word") and inspected.steps < FEWEST:
        return f" Units that follow quotes, lines or brackets are searched for in texts of at least {FEWEST} symbols."
    return ""


def _listed(names: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _verdict(followers: Mapping[str, Followers]) -> str:
    clear = {what: f for what, f in followers.items() if abs(f.correlation) >= CLEAR}
    if not followers:
        return ""
    if not clear:
        return f"No unit clearly follows {_listed([*followers])}."
    return " ".join(f"Unit {f.unit} of {f.state} follows {what} (r = {f.correlation:.2f})." for what, f in clear.items())
