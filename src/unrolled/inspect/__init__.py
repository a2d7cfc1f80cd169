"""F7: seeing inside. What a network remembers, where its gradient goes, what its gates and units do, what it expects: as NumPy arrays,
as figures (`draw`), and together as a page (`report`).

Everything is computed on a copy of the network in double precision, in evaluation mode, so that nothing of the network itself changes.
Arrays are `[T, B, …]`, steps before sequences, however the layer is called; a single sequence has B = 1.

Each name is loaded when it is first used: what a trained model says of its input needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from unrolled.extras import extra

if TYPE_CHECKING:
    from unrolled.inspect import draw as draw
    from unrolled.inspect.curves import Forgetting as Forgetting
    from unrolled.inspect.curves import forgetting as forgetting
    from unrolled.inspect.flow import GradientFlow as GradientFlow
    from unrolled.inspect.flow import gradient_flow as gradient_flow
    from unrolled.inspect.gating import Gates as Gates
    from unrolled.inspect.gating import Saturation as Saturation
    from unrolled.inspect.gating import every_gate as every_gate
    from unrolled.inspect.gating import gates as gates
    from unrolled.inspect.memories import Memory as Memory
    from unrolled.inspect.memories import memory as memory
    from unrolled.inspect.predicting import Predictions as Predictions
    from unrolled.inspect.predicting import predictions as predictions
    from unrolled.inspect.properties import bracket_depth as bracket_depth
    from unrolled.inspect.properties import inside_quotes as inside_quotes
    from unrolled.inspect.properties import position_in_line as position_in_line
    from unrolled.inspect.spectrum import JacobianSpectrum as JacobianSpectrum
    from unrolled.inspect.spectrum import PlaceSpectrum as PlaceSpectrum
    from unrolled.inspect.spectrum import jacobian_spectrum as jacobian_spectrum
    from unrolled.inspect.spectrum import recurrent_maps as recurrent_maps
    from unrolled.inspect.units import Followers as Followers
    from unrolled.inspect.units import units_that_follow as units_that_follow
    from unrolled.inspect.untrained import elman_like as elman_like
    from unrolled.inspect.untrained import fresh as fresh

_HOME = {
    "curves": ("Forgetting", "forgetting"),
    "flow": ("GradientFlow", "gradient_flow"),
    "gating": ("Gates", "Saturation", "every_gate", "gates"),
    "memories": ("Memory", "memory"),
    "predicting": ("Predictions", "predictions"),
    "properties": ("bracket_depth", "inside_quotes", "position_in_line"),
    "spectrum": ("JacobianSpectrum", "PlaceSpectrum", "jacobian_spectrum", "recurrent_maps"),
    "units": ("Followers", "units_that_follow"),
    "untrained": ("elman_like", "fresh"),
}
"""The names that each module has."""

__all__ = [
    "Followers", "Forgetting", "Gates", "GradientFlow", "JacobianSpectrum", "Memory", "PlaceSpectrum", "Predictions", "Saturation",
    "bracket_depth", "draw", "elman_like", "every_gate", "forgetting", "fresh", "gates", "gradient_flow", "inside_quotes", "jacobian_spectrum", "memory",
    "position_in_line", "predictions", "recurrent_maps", "units_that_follow",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """A name from its module. Pictures need matplotlib: `ConfigError` where it is missing."""
    if name == "draw":
        extra("matplotlib")
        return import_module("unrolled.inspect.draw")
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"unrolled.inspect.{module}"), name)
    raise AttributeError(f"module 'unrolled.inspect' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
