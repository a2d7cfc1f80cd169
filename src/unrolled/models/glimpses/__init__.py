"""Glimpses of pictures: what is seen of each, and a network that reads them and says where to look next."""

from unrolled.models.glimpses.encoder import GlimpseEncoder, Path
from unrolled.models.glimpses.options import LEARNED, LOCATIONS, RANDOM, GlimpseOptions
from unrolled.models.glimpses.sensor import GlimpseSensor

__all__ = ["LEARNED", "LOCATIONS", "RANDOM", "GlimpseEncoder", "GlimpseOptions", "GlimpseSensor", "Path"]
