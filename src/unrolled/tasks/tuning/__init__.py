"""A search for options: the space, and its trials."""

from unrolled.tasks.tuning.search import Search, tune
from unrolled.tasks.tuning.space import parse_space, usual_space

__all__ = ["Search", "parse_space", "tune", "usual_space"]
