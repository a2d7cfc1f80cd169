"""Where the gradient goes on its way back, and what steps do to small differences."""

from dataclasses import replace

import numpy as np

from unrolled.inspect import draw
from unrolled.inspect.flow import GradientFlow, gradient_flow
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import Drawing, Words
from unrolled.inspect.report.wording import plain, sampled
from unrolled.inspect.spectrum import JacobianSpectrum, jacobian_spectrum, recurrent_maps
from unrolled.inspect.subject import Looked, recurrent_of
from unrolled.inspect.untrained import fresh
from unrolled.inspect.walk import place_name, shape_of
from unrolled.models import Scoring

MAPS = "The singular values of the recurrent maps, the largest first"

JACOBIANS = 1 << 13
"""Rows of step Jacobians that are computed: of wide networks at fewer steps."""


EXPONENTS = 1000
"""Steps from which Lyapunov exponents are computed."""


def flow_section(inspected: InspectionInput, at: int) -> Section:
    """The gradient of the loss at the step `at`, back through every layer, and what that rests on.

    After the last symbol of a text a language model has no loss: the step before it stands for that.
    """
    chosen, at = at, min(at, inspected.steps - 2) if inspected.predicts_input else at
    trained, begun = (_flow(replace(inspected, model=model), at) for model in (inspected.model, fresh(inspected.model)))
    samples = max(4, JACOBIANS // (sum(inspected.layer.state_sizes.values()) or 1))
    spectrum = jacobian_spectrum(inspected.model, inspected.x, samples=samples, last=EXPONENTS)
    loss = _loss_of(inspected, trained, at)
    earlier = f" Nothing follows step {chosen}: step {at} is the last one with a loss." if at < chosen else ""
    supposed = " The label is not known, so that the network's own answer stands for it." if inspected.supposed else ""
    drawings = [
        Drawing("gradient-flow", draw.flow({"trained": trained, "fresh": begun}), f"The gradient of {loss} by the states of each step"),
        Drawing("step-jacobians", draw.steps(spectrum), "What each step does to small differences: above 1 they grow, below they shrink"),
        Drawing("recurrent-maps", draw.maps(spectrum.maps), MAPS),
    ]
    fewer = f"{samples} of the steps, evenly spaced, for their Jacobians" if samples < inspected.steps else ""
    late = f"the last {EXPONENTS:,} steps for the exponents" if inspected.steps > EXPONENTS else ""
    return Section(
        "gradient",
        "Where the gradient goes",
        f"The norm of the gradient of {loss} as it comes back through the steps: what flat lines reach can be learnt from, what falling lines lose "
        f"cannot. “Fresh” is the same network before it learnt anything.{earlier}{supposed}{sampled(fewer, late)}",
        f"{trained.verdict} {spectrum.verdict}",
        [*drawings, Words(_before(begun)), Words(_exponents(spectrum))],
        {
            "rate": plain(trained.rate),
            "rate_fresh": plain(begun.rate),
            "total": plain(trained.total[..., 0]),
            "lyapunov": [plain(place.exponents[0]) for place in spectrum.places],
        },
    )


def maps_section(model: Looked) -> Section:
    """What the weights alone say of how a state is passed on."""
    found = recurrent_maps(model)
    every = {(name, place): values for place, maps in found.items() for name, values in maps.items()}
    largest = max(every, key=lambda key: every[key][0], default=None)
    place = "" if largest is None else place_name(largest[1], shape_of(recurrent_of(model)))
    return Section(
        "maps",
        "The recurrent maps",
        "The singular values of the matrices that are applied to the state: by how much each of their directions is stretched. What functions and gates do "
        "around them depends on the input.",
        f"The largest singular value is {every[largest][0]:.3g}, of {largest[0]}{place and f' ({place})'}."
        if largest
        else "This cell applies no matrix to its state.",
        [Drawing("recurrent-maps", draw.maps(found), MAPS)],
        {"singular": [{"layer": place[0], "direction": place[1], "map": name, "values": plain(v)} for (name, place), v in every.items()]},
    )


def _flow(inspected: InspectionInput, at: int) -> GradientFlow:
    return gradient_flow(inspected.model, inspected.x, inspected.targets, at=at)


def _loss_of(inspected: InspectionInput, trained: GradientFlow, at: int) -> str:
    """What the gradient is of, in words."""
    if not isinstance(inspected.model, Scoring):
        return f"half the squared length of what the layers give at step {at}"
    return "the loss of the whole sequence" if trained.at is None else f"the loss at step {at}"


def _before(begun: GradientFlow) -> str:
    return f"Before it learnt anything: {begun.verdict[0].lower()}{begun.verdict[1:]}"


def _exponents(spectrum: JacobianSpectrum) -> str:
    """The largest Lyapunov exponents, and what they mean."""
    told = "; ".join(
        f"{name and f'{name}: '}{_list(p.exponents[0])}" for p in spectrum.places for name in [place_name(p.place, spectrum.shape)]
    )
    return (
        f"Lyapunov exponents, the largest first, in nats per step: {told}. The largest says how a small difference fares in the long run: below 0 it "
        "dies out, above 0 it grows, as in chaos."
    )


def _list(exponents: np.ndarray) -> str:
    return ", ".join(f"{e:.3g}" for e in exponents[:4])
