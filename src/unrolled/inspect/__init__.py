"""F7: seeing inside. What a network remembers, where its gradient goes, what its gates and units do, what it expects: as NumPy arrays,
as figures (`draw`), and together as a page (`report`).

Everything is computed on a copy of the network in double precision, in evaluation mode, so that nothing of the network itself changes.
Arrays are `[T, B, …]`, steps before sequences, however the layer is called; a single sequence has B = 1.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unrolled.extras import extra
from unrolled.inspect.curves import Forgetting, forgetting
from unrolled.inspect.flow import GradientFlow, gradient_flow
from unrolled.inspect.gating import Gates, Saturation, every_gate, gates
from unrolled.inspect.memories import Memory, memory
from unrolled.inspect.predicting import Predictions, predictions
from unrolled.inspect.properties import bracket_depth, inside_quotes, position_in_line
from unrolled.inspect.spectrum import JacobianSpectrum, PlaceSpectrum, jacobian_spectrum, recurrent_maps
from unrolled.inspect.units import Followers, units_that_follow
from unrolled.inspect.untrained import elman_like, fresh

__all__ = [
    "Followers", "Forgetting", "Gates", "GradientFlow", "JacobianSpectrum", "Memory", "PlaceSpectrum", "Predictions", "Saturation",
    "bracket_depth", "draw", "elman_like", "every_gate", "forgetting", "fresh", "gates", "gradient_flow", "inside_quotes", "jacobian_spectrum", "memory",
    "position_in_line", "predictions", "recurrent_maps", "units_that_follow",
]  # fmt: skip

if TYPE_CHECKING:
    from unrolled.inspect import draw as draw


def __getattr__(name: str) -> Any:
    """Pictures, which need matplotlib, are loaded when they are asked for."""
    if name != "draw":
        raise AttributeError(f"module 'unrolled.inspect' has no attribute {name!r}")
    extra("matplotlib")
    return import_module("unrolled.inspect.draw")
