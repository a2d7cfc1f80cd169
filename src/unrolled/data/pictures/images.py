"""How an image in an array is read: row by row, all of it in one step, or as a picture that a network sees as a whole or in glimpses."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from unrolled.data.pictures.pixels import Pixels

ROWS, WHOLE, FRAME, GLIMPSES = IMAGES = ("rows", "whole", "frame", "glimpses")


class Fields(TypedDict, total=False):
    """What an `Example` has of an image: one of both."""

    numbers: NDArray[np.float32] | None
    frames: Pixels | None


def fields_of(pixels: NDArray[np.uint8], image: str) -> Fields:
    """What is read of an image `[H, W]`: numbers from 0 to 1, `[H, W]` or in one step `[1, H * W]`, or one frame `[1, H, W, 1]`."""
    if image in (FRAME, GLIMPSES):
        return {"frames": pixels[None, ..., None], "numbers": None}
    numbers = pixels.astype(np.float32) / np.float32(255)
    return {"frames": None, "numbers": numbers.reshape(1, -1) if image == WHOLE else numbers}
