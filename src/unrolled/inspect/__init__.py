"""F7: seeing inside. What a network remembers, where its gradient goes, what its gates and units do, what it expects: as NumPy arrays.

Everything is computed on a copy of the network in double precision, in evaluation mode, so that nothing of the network itself changes.
Arrays are `[T, B, …]`, steps before sequences, however the layer is called; a single sequence has B = 1.
"""

from unrolled.inspect.anew import fresh
from unrolled.inspect.flow import GradientFlow, gradient_flow
from unrolled.inspect.gating import Gates, Saturation, gates
from unrolled.inspect.memories import Memory, memory
from unrolled.inspect.spectrum import JacobianSpectrum, PlaceSpectrum, jacobian_spectrum

__all__ = [
    "Gates", "GradientFlow", "JacobianSpectrum", "Memory", "PlaceSpectrum", "Saturation", "fresh", "gates", "gradient_flow",
    "jacobian_spectrum", "memory",
]  # fmt: skip
