"""What is remembered: of each symbol at one step, and over time."""

import numpy as np

from unrolled.inspect import draw
from unrolled.inspect.anew import elman_like
from unrolled.inspect.curves import forgetting
from unrolled.inspect.draw.style import MOST_NAMED
from unrolled.inspect.memories import Memory, memory
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import MOST_BARS, Bars, Drawing, Part, Tint
from unrolled.inspect.report.wording import counted, percent, plain, quoted, sampled
from unrolled.inspect.specimen import Specimen

ELMAN = "an untrained Elman network of the same size"

WORK = 1 << 18
"""Steps of backward passes that one picture may take; with more, random combinations of units stand for all of them."""

MOST_BELOW = 40
"""Up to so many symbols have their shares under them."""

DECADES = 4
"""How many powers of ten the colours of a longer text cover."""


def probes_for(steps: int) -> int:
    """How many combinations of units are looked at for an input of that length."""
    return max(16, WORK // max(steps, 1))


def memory_section(specimen: Specimen, at: int) -> Section:
    """How much each symbol still moves what the network is at the step `at`."""
    probes = probes_for(specimen.steps)
    ours, theirs = (memory(model, specimen.x, at, probes=probes) for model in (specimen.model, elman_like(specimen.model)))
    pairs = [("what moves the state of this network", ours.share), (f"what moves the state of {ELMAN}", theirs.share)]
    if ours.output_share is not None:
        once = len(ours.at) == 1 and ours.output_share.shape[0] == 1 and specimen.model.__class__.__name__ == "Classifier"
        pairs.insert(
            1, ("what moves the label of this network" if once else "what moves what this network expects next", ours.output_share)
        )
    shares = {heading: share[-1, :, 0] for heading, share in pairs}
    most = max(float(share.max()) for share in shares.values()) or 1.0
    strips: list[Part] = [_strip(specimen, heading, share, at, most) for heading, share in shares.items()]
    figure = draw.memory({"this network": ours, "Elman, untrained": theirs}, specimen.symbols)
    caption = (
        "The same on a logarithmic scale, as share of each step. A line that falls steeply to the left is a network that forgets fast."
    )
    note = sampled(ours.sampled, theirs.sampled)
    return Section(
        "memory",
        f"What is left at step {at}",
        f"For each {specimen.unit} its share in what would move the network at the framed step, if the input changed a little (the norm of the "
        f"exact Jacobian, ‖∂h[t]/∂x[s]‖). Below it the same for {ELMAN}, on the same scale.{note}",
        _verdict(specimen, ours, theirs, at),
        [*strips, Drawing("memory", figure, caption, wide=specimen.steps > MOST_NAMED)],
        {
            "at": at,
            "symbols": list(specimen.symbols),
            "state": plain(ours.state[-1, :, 0]),
            "state_elman": plain(theirs.state[-1, :, 0]),
            "output": None if ours.output is None else plain(ours.output[-1, :, 0]),
            "sampled": ours.sampled,
        },
    )


def _strip(specimen: Specimen, heading: str, share: np.ndarray, at: int, most: float) -> Part:
    """Bars, or, for a text that is too long for them, colours on a logarithmic scale."""
    titles = [f"step {t}, {quoted(s)}: {percent(v)}" for t, (s, v) in enumerate(zip(specimen.symbols, share, strict=True))]
    below = [percent(v) for v in share] if specimen.steps <= MOST_BELOW else []
    heading = heading[0].upper() + heading[1:]
    if specimen.steps <= MOST_BARS:
        return Bars(heading, specimen.symbols, (share / most).tolist(), titles, at, below)
    depth = 1 + np.log10(np.maximum(share / most, 10.0**-DECADES)) / DECADES
    return Tint(
        f"{heading}: the palest is 1/{10**DECADES:,} of the strongest, or less",
        specimen.symbols,
        depth.tolist(),
        titles,
        specimen.level != "char",
        at,
    )


def _verdict(specimen: Specimen, ours: Memory, theirs: Memory, at: int) -> str:
    first, symbol = specimen.first, quoted(specimen.symbols[specimen.first])
    left, elman = (m.share[-1, first, 0] for m in (ours, theirs))
    reach = _reach(ours, at)
    where = (
        f"within {counted(reach, specimen.unit)} of it"
        if specimen.layer.bidirectional
        else f"it and the {counted(reach, specimen.unit)} before it"
    )
    near = where if reach else "that step itself"
    told = f"Half of what moves the state at step {at}, {quoted(specimen.symbols[at])}, comes from {near}."
    if first == at:
        return told
    return f"{told} Of the first {specimen.unit}, {symbol}, {percent(left)} is left; in {ELMAN} {percent(elman)}."


def _reach(found: Memory, at: int) -> int:
    """Within how many steps of the step `at` half of everything lies."""
    share = found.share[-1, :, 0]
    distance = np.abs(np.arange(len(share)) - at)
    within = np.bincount(distance, share).cumsum()
    return int(np.searchsorted(within, within[-1] / 2))


def forgetting_section(specimen: Specimen) -> Section:
    """How fast what was read is forgotten, on the average."""
    probes = probes_for(4 * specimen.steps)
    ours, theirs = (forgetting(model, specimen.x, probes=probes) for model in (specimen.model, elman_like(specimen.model)))
    figure = draw.forgetting({"this network": ours, "Elman, untrained": theirs})
    return Section(
        "forgetting",
        "How fast it forgets",
        "What is left of an input after so many steps: the middle line is the median over several steps of the input, the band holds the middle half. "
        f"A straight line on this logarithmic scale means that the same part is lost at every step. Dashed: {ELMAN}.{sampled(ours.sampled)}",
        f"{ours.verdict} In {ELMAN} what is left {theirs.verdict.removeprefix('What is left of an input ')}",
        [Drawing("forgetting", figure, "The norm of ∂h[t]/∂x[s] against t − s")],
        {
            "rate": plain(ours.rate),
            "half_life": plain(ours.half_life),
            "rate_elman": plain(theirs.rate),
            "quartiles": plain(ours.quartiles),
            "sampled": ours.sampled,
        },
    )
