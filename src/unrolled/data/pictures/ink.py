"""What is written or drawn on an even ground, cut out of it: formulas, lines of writing."""

import re

import numpy as np
from numpy.typing import NDArray

INK = "ink"
"""The crop that cuts to what is not the ground; `ink/2` also makes it smaller by 2."""

MOST = 16
"""The most that it may be made smaller by."""

_DIFFERENT = 48
"""By how much a colour is another one than that of the ground."""

_MARGIN = 2
"""Pixels of the ground that are left around, after it was made smaller."""


def ink_factor(crop: str | None) -> int | None:
    """By how much ink is made smaller; None for another crop."""
    found = re.fullmatch(rf"{INK}(?:/(\d{{1,2}}))?", crop or "")
    factor = int(found[1] or 1) if found else 0
    return factor if 1 <= factor <= MOST else None


def cut_to_ink(pixels: NDArray[np.uint8], height: int, width: int, factor: int) -> NDArray[np.uint8]:
    """What is not the ground of `[h, w, C]`, made smaller by a `factor`, at the upper left of `[height, width, C]` of the ground.

    It is made smaller still, by a whole number, where it does not fit. The ground is the most common value of the border.
    """
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    ground = np.median(border, axis=0).astype(np.uint8)
    found = np.empty((height, width, pixels.shape[2]), np.uint8)
    found[:] = ground
    differs = (np.abs(pixels.astype(np.int16) - ground.astype(np.int16)) > _DIFFERENT).any(2)
    rows, columns = np.flatnonzero(differs.any(1)), np.flatnonzero(differs.any(0))
    if not len(rows):
        return found
    inside = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    room = (height - 2 * _MARGIN, width - 2 * _MARGIN)
    while any(-(-size // factor) > most for size, most in zip(inside.shape, room, strict=False)) and factor < max(inside.shape):
        factor += 1
    small = _smaller(inside, ground, factor)[: max(room[0], 1), : max(room[1], 1)]
    top, left = min(_MARGIN, height - len(small)), min(_MARGIN, width - small.shape[1])
    found[top : top + len(small), left : left + small.shape[1]] = small
    return found


def _smaller(pixels: NDArray[np.uint8], ground: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The means of squares of `factor` pixels, with the ground where the last ones reach over the edge."""
    high, wide, channels = pixels.shape
    padded = np.empty((-(-high // factor) * factor, -(-wide // factor) * factor, channels), np.uint8)
    padded[:] = ground
    padded[:high, :wide] = pixels
    blocks = padded.reshape(len(padded) // factor, factor, -1, factor, channels)
    means: NDArray[np.uint8] = blocks.mean((1, 3)).round().astype(np.uint8)
    return means
