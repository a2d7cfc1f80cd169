"""Frames as the features of a network that was trained on photographs, computed once when they are read."""

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.pictures.pixels import Pixels
from unrolled.errors import DataError
from unrolled.models.pretrained import frozen_encoder

SMALLEST = 32
"""Pixels that the sides of frames must have at least."""

_AT_ONCE = 32


@torch.inference_mode()
def features_of(frames: Pixels, encoder: str) -> NDArray[np.float32]:
    """The features `[T, 1280]` of frames `[T, H, W, C]` of bytes, grey or in colours: the means over the last planes."""
    if frames.dtype != np.uint8 or min(frames.shape[1:3]) < SMALLEST:
        told = f"frames of bytes of at least {SMALLEST} × {SMALLEST} pixels, got {frames.dtype} of {list(frames.shape[1:3])}"
        raise DataError(f"`encoder={encoder!r}` reads {told}. Choose a larger `size`, or leave it out.")
    network, planes = frozen_encoder(), torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2)))
    parts = (part.float().expand(-1, 3, -1, -1) for part in planes.split(_AT_ONCE))
    return torch.cat([network(part).mean((2, 3)) for part in parts]).numpy()
