"""Runs beside each other: what they are, how long they took, how good they are, how fast they forget."""

from unrolled.tasks.comparing.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]
