"""What is remembered: of each symbol at one step, and over time."""

import numpy as np

from unrolled.inspect import draw
from unrolled.inspect.curves import Forgetting, forgetting
from unrolled.inspect.draw.style import MOST_NAMED
from unrolled.inspect.inspection_input import Beside, InspectionInput
from unrolled.inspect.memories import Memory, memory
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import MOST_BARS, Bars, Drawing, Part, Tint
from unrolled.inspect.report.wording import counted, plain, quoted, sampled
from unrolled.inspect.untrained import elman_like
from unrolled.inspect.wording import percent
from unrolled.models import Arrangement

WORK = 1 << 18
"""Steps of backward passes that one picture may take; with more, random combinations of units stand for all of them."""

FEWEST_PROBES = 16
"""So many combinations of units are looked at, however long the input."""

FEWEST_STEPS, MOST_STEPS, STEPS_OF_MANY = 8, 32, 4
"""Steps t from which a forgetting curve looks back, of a single sequence, and of each of several."""

MOST_BELOW = 40
"""Up to so many symbols have their shares under them."""

DECADES = 4
"""How many powers of ten the colours of a longer text cover."""


def untrained_elman(inspected: InspectionInput) -> Beside:
    """What a network is compared with if nothing else is said."""
    return Beside(elman_like(inspected.model), "Elman, untrained", "an untrained Elman network of the same size")


def _output(inspected: InspectionInput) -> str:
    """What the scores of a network are, in words."""
    if inspected.predicts_input:
        return "what this network expects next"
    once = isinstance(inspected.model, Arrangement) and inspected.model.once
    return "the answer of this network" if once else "what this network says of the step"


def _probes(work: int) -> int:
    """How many combinations of units are looked at, where each takes so many steps of backward passes."""
    return max(FEWEST_PROBES, WORK // max(work, 1))


def memory_section(inspected: InspectionInput, beside: Beside, at: int) -> Section:
    """How much each symbol still moves what the network is at the step `at`."""
    probes = _probes(inspected.steps)
    ours, theirs = (memory(model, inspected.x, at, probes=probes) for model in (inspected.model, beside.model))
    pairs = [(f"what moves the state of {inspected.whose}", ours.share), (f"what moves the state of {beside.phrase}", theirs.share)]
    if ours.output_share is not None:
        pairs.insert(1, (f"what moves {_output(inspected)}", ours.output_share))
    shares = {heading: share[-1, :, 0] for heading, share in pairs}
    most = max(float(share.max()) for share in shares.values()) or 1.0
    strips: list[Part] = [_strip(inspected, heading, share, at, most) for heading, share in shares.items()]
    figure = draw.memory({inspected.whose: ours, beside.label: theirs}, inspected.symbols)
    caption = (
        "The same on a logarithmic scale, as share of each step. A line that falls steeply to the left is a network that forgets fast."
    )
    note = sampled(ours.sampled, theirs.sampled)
    return Section(
        "memory",
        f"What is left at step {at}",
        f"For each {inspected.unit} its share in what would move the network at the framed step, if the input changed a little (the norm of the "
        f"exact Jacobian, ‖∂h[t]/∂x[s]‖). Below it the same for {beside.phrase}, on the same scale.{note}",
        _verdict(inspected, beside, ours, theirs, at),
        [*strips, Drawing("memory", figure, caption, wide=inspected.steps > MOST_NAMED)],
        {
            "at": at,
            "symbols": list(inspected.symbols),
            "state": plain(ours.state[-1, :, 0]),
            "state_beside": plain(theirs.state[-1, :, 0]),
            "output": None if ours.output is None else plain(ours.output[-1, :, 0]),
            "sampled": ours.sampled,
        },
    )


def _strip(inspected: InspectionInput, heading: str, share: np.ndarray, at: int, most: float) -> Part:
    """Bars, or, for a text that is too long for them, colours on a logarithmic scale."""
    titles = [f"step {t}, {quoted(s)}: {percent(v)}" for t, (s, v) in enumerate(zip(inspected.symbols, share, strict=True))]
    below = [percent(v) for v in share] if inspected.steps <= MOST_BELOW else []
    heading = heading[0].upper() + heading[1:]
    if inspected.steps <= MOST_BARS:
        return Bars(heading, inspected.symbols, (share / most).tolist(), titles, at, below)
    depth = 1 + np.log10(np.maximum(share / most, 10.0**-DECADES)) / DECADES
    return Tint(
        f"{heading}: the palest is 1/{10**DECADES:,} of the strongest, or less",
        inspected.symbols,
        depth.tolist(),
        titles,
        inspected.level != "char",
        at,
    )


def _verdict(inspected: InspectionInput, beside: Beside, ours: Memory, theirs: Memory, at: int) -> str:
    first, symbol = inspected.first, quoted(inspected.symbols[inspected.first])
    left, other = (m.share[-1, first, 0] for m in (ours, theirs))
    reach = _reach(ours, at)
    where = (
        f"within {counted(reach, inspected.unit)} of it"
        if inspected.layer.bidirectional
        else f"it and the {counted(reach, inspected.unit)} before it"
    )
    near = where if reach else "that step itself"
    told = f"Half of what moves the state at step {at}, {quoted(inspected.symbols[at])}, comes from {near}."
    if first == at:
        return told
    return f"{told} Of the first {inspected.unit}, {symbol}, {percent(left)} is left; in {beside.phrase} {percent(other)}."


def _reach(found: Memory, at: int) -> int:
    """Within how many steps of the step `at` half of everything lies."""
    share = found.share[-1, :, 0]
    distance = np.abs(np.arange(len(share)) - at)
    within = np.bincount(distance, share).cumsum()
    return int(np.searchsorted(within, within[-1] / 2))


def forgetting_section(inspected: InspectionInput, beside: Beside) -> Section:
    """How fast what was read is forgotten, on the average: over many sequences where there are some, else from many steps of one."""
    ours, theirs, over = _curves(inspected, beside)
    figure = draw.forgetting({inspected.whose: ours, beside.label: theirs})
    return Section(
        "forgetting",
        "How fast it forgets",
        f"What is left of an input after so many steps: the middle line is the median over {over}; the band holds the middle half. A straight line on "
        f"this logarithmic scale means that the same part is lost at every step. Dashed: {beside.phrase}.{sampled(ours.sampled)}",
        f"{ours.verdict} In {beside.phrase} what is left {theirs.verdict.removeprefix('What is left of an input ')}",
        [Drawing("forgetting", figure, "The norm of ∂h[t]/∂x[s] against t − s")],
        {
            "over": over,
            "rate": plain(ours.rate),
            "half_life": plain(ours.half_life),
            "rate_beside": plain(theirs.rate),
            "quartiles": plain(ours.quartiles),
            "sampled": ours.sampled,
        },
    )


def _curves(inspected: InspectionInput, beside: Beside) -> tuple[Forgetting, Forgetting, str]:
    """The curves of both networks, and over what their quartiles are."""
    sample = inspected.sample
    x, lengths = (inspected.x, None) if sample is None else (sample.x, sample.lengths)
    total = inspected.steps if lengths is None else int(lengths.sum())
    steps = min(max(WORK // (FEWEST_PROBES * total), FEWEST_STEPS), MOST_STEPS) if sample is None else STEPS_OF_MANY
    ours, theirs = (forgetting(model, x, lengths, steps=steps, probes=_probes(steps * total)) for model in (inspected.model, beside.model))
    return ours, theirs, "many steps of this input, from each of which it looks back" if sample is None else sample.told
