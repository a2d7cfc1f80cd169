"""F6: from a model's distributions to sequences."""

from unrolled.decoding.beam import BeamOptions, Hypothesis, beam_search, select
from unrolled.decoding.sampling import draw, narrowed

__all__ = ["BeamOptions", "Hypothesis", "beam_search", "draw", "narrowed", "select"]
