"""What was written about a picture."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Caption:
    """What was written about a picture.

    `log_probability` is the natural log P(text, end | picture), `score` what it was ranked by; `written` are its symbols, the end included, `ids` the same as
    the network numbers them, and `weights` `[written, places]` how much each looked at each place of the picture, row by row, or at each frame; None without
    attention. `grid` are the rows and columns of these places, or one row of frames.
    """

    text: str
    score: float
    log_probability: float
    written: tuple[str, ...]
    ids: tuple[int, ...]
    weights: np.ndarray | None
    grid: tuple[int, int]
