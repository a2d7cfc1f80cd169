"""Clips in arrays of numbers."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.pictures.pixels import Pixels
from unrolled.errors import ConfigError, UnrolledWarning

CLIPS_FIRST, TIME_FIRST, ONE, COLOURS_FIRST, ONE_COLOURS_FIRST = AXES = ("NTHW", "TNHW", "THW", "NTCHW", "TCHW")
"""In which order an array may have its axes: clips (without N it is one), time, height, width; colours come last where C says nothing else."""

_FEW, _FAR_MORE = 5, 50
"""An array of at least so many clips does not have so many times as many frames in each."""

_COLOURS = (1, 3, 4)
"""How many channels pictures have; frames are wider and higher than that."""


def in_clips(array: Any, axes: str | None, name: str) -> Any:
    """An array of clips with the clips first: `[N, T, H, W]` or `[N, T, H, W, C]`; arrays of series as they are.

    Where nothing is said of its `axes`, one with far fewer clips than frames has the time first, as Moving MNIST, `[20, N, 64, 64]`; one that ends with 3
    colours is a single clip; and colours may stand before height and width: each is an `UnrolledWarning`. `ConfigError` for axes that it has not.
    """
    shape = [*array.shape]
    if len(shape) < 3 + (axes not in (ONE, ONE_COLOURS_FIRST)):
        return array
    if axes is None:
        axes, meant = _guessed(shape)
        if axes != CLIPS_FIRST:
            told = f"{name}: the array {shape} is taken for {meant}"
            warnings.warn(f"{told}. Pass `axes='{CLIPS_FIRST}'` if its first axis is that of clips.", UnrolledWarning, stacklevel=3)
    axes = axes if "C" in axes or len(axes) == len(shape) else f"{axes}C"
    if len(axes) != len(shape):
        raise ConfigError(
            f"{name}: `axes='{axes.removesuffix('C')}'` does not fit the array {shape}. Pass another one of {', '.join(AXES)}."
        )
    if axes == CLIPS_FIRST or axes == f"{CLIPS_FIRST}C":
        return array
    order = [axes.index(axis) for axis in "NTHWC" if axis in axes]
    found = np.asarray(array).transpose(order)
    return found if "N" in axes else found[None]


def _guessed(shape: list[int]) -> tuple[str, str]:
    """The axes of an array of 4 or 5 axes, and what it is taken for if the clips do not come first, or colours not last."""
    if len(shape) == 4 and shape[3] in _COLOURS and min(shape[1:3]) > max(_COLOURS):
        return ONE, f"one clip of {shape[0]:,} frames of {shape[2]}x{shape[1]} in {shape[3]} colours"
    if len(shape) == 5 and shape[2] in _COLOURS and min(shape[3:]) > max(_COLOURS):
        return COLOURS_FIRST, f"{shape[0]:,} clips of frames of {shape[4]}x{shape[3]} in {shape[2]} colours"
    if shape[0] >= _FEW and shape[1] > _FAR_MORE * shape[0]:
        return TIME_FIRST, f"{shape[1]:,} clips of {shape[0]} frames"
    return CLIPS_FIRST, ""


def as_pixels(frames: NDArray[Any]) -> Pixels:
    """A clip `[T, H, W]` or `[T, H, W, C]` as `[T, H, W, C]`: bytes as they are, other numbers as real ones."""
    frames = frames[..., None] if frames.ndim == 3 else frames
    return frames if frames.dtype == np.uint8 else frames.astype(np.float32)
