"""Clips in arrays of numbers."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.pictures.pixels import Pixels
from unrolled.errors import UnrolledWarning

CLIPS_FIRST, TIME_FIRST = AXES = ("NTHW", "TNHW")
"""In which order an array of clips may have its axes: clips, time, height, width; colours come last."""

_FEW, _FAR_MORE = 5, 50
"""An array of at least so many clips does not have so many times as many frames in each."""


def in_clips(array: Any, axes: str | None, name: str) -> Any:
    """An array of clips with the clips first: `[N, T, H, W]` or `[N, T, H, W, C]`; other arrays as they are.

    Where nothing is said of its `axes`, one with far fewer clips than frames has the time first, as Moving MNIST, `[20, N, 64, 64]`, which is
    an `UnrolledWarning`.
    """
    if len(array.shape) < 4:
        return array
    time_first = axes == TIME_FIRST
    if axes is None and array.shape[0] >= _FEW and array.shape[1] > _FAR_MORE * array.shape[0]:
        told = f"{name}: the array {list(array.shape)} is taken for {array.shape[1]:,} clips of {array.shape[0]} frames"
        warnings.warn(f"{told}. Pass `axes='{CLIPS_FIRST}'` if its first axis is that of clips.", UnrolledWarning, stacklevel=3)
        time_first = True
    return np.asarray(array).swapaxes(0, 1) if time_first else array


def as_pixels(frames: NDArray[Any]) -> Pixels:
    """A clip `[T, H, W]` or `[T, H, W, C]` as `[T, H, W, C]`: bytes as they are, other numbers as real ones."""
    frames = frames[..., None] if frames.ndim == 3 else frames
    return frames if frames.dtype == np.uint8 else frames.astype(np.float32)
