"""F6: from a model's distributions to sequences."""

from unrolled.decoding.sampling import draw, narrowed

__all__ = ["draw", "narrowed"]
