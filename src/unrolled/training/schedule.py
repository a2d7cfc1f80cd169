"""The learning rate over a run."""

import math

from unrolled.training.options import TrainingOptions

RISE = 0.1
"""The part of a run that the rise may take at most: a short one would end before it has learnt anything."""


def learning_rate(options: TrainingOptions, update: int, progress: float) -> float:
    """The rate at an update, counted from 0: a linear rise over `warmup` updates, or a tenth of the run if that is less, times half a
    cosine over the run.

    `progress` is the part of the run that is done, from 0 to 1. Cosine after Loshchilov & Hutter (2017), without restarts.
    """
    rise = min(1.0, max((update + 1) / max(options.warmup, 1), progress / RISE))
    fall = options.final_rate + (1 - options.final_rate) * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return options.learning_rate * rise * fall
