"""Networks of forecasts that are learnt in a moment, and what they learn."""

import numpy as np

from unrolled.training import Silent

SMALL = {"hidden": 8, "windows": 320, "epochs": 3, "evaluations": 3, "batch": 32, "device": "cpu"}
QUIET = {**SMALL, "display": Silent()}
H = 6


def season(rows, seed=0):
    """Numbers with a season of 12 and a trend."""
    step = np.arange(rows)
    return 50 + 0.2 * step + 10 * np.sin(2 * np.pi * step / 12) + np.random.default_rng(seed).normal(size=rows)
