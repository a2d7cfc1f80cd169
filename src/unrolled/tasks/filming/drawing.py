"""Clips as moving pictures: what came beside what was said."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unrolled.extras import extra
from unrolled.training.checkpoint import save_whole

LEAST_SIDE = 96
"""Pixels that frames are magnified to, at least."""

_GAP = 4
_LASTS = 150
_GREY, _READ, _SAID = 128, (90, 90, 90), (230, 120, 20)
"""Grey between frames, and the colours of a bar over what is said while the past is read, and after it."""


def save_gif(path: str | Path, past: NDArray[np.uint8], said: NDArray[np.uint8], true: NDArray[np.uint8] | None) -> None:
    """Write clips `[T, B, H, W, C]` as a GIF, one below the other: on the left the `past` and then, where it is known, what is `true`; on the right
    the past and then what was `said`, below a bar."""
    left = past if true is None else np.concatenate([past, true])
    right = np.concatenate([past, said])
    left = np.concatenate([left, np.repeat(left[-1:] * 0 + _GREY, len(right) - len(left), axis=0)]) if len(left) < len(right) else left
    frames = [_frame(one, other, step < len(past)) for step, (one, other) in enumerate(zip(left, right, strict=True))]
    first, *others = map(extra("PIL.Image").fromarray, frames)
    save_whole(Path(path), lambda file: first.save(file, format="GIF", save_all=True, append_images=others, duration=_LASTS, loop=0))


def _frame(one: NDArray[np.uint8], other: NDArray[np.uint8], read: bool) -> NDArray[np.uint8]:
    """All clips `[B, H, W, C]` of one step."""
    times = max(-(-LEAST_SIDE // max(one.shape[1:3])), 1)
    rows = []
    for true, said in zip(one, other, strict=True):
        sides = [np.broadcast_to(side, (*side.shape[:2], 3)).repeat(times, 0).repeat(times, 1) for side in (true, said)]
        gap = np.full((sides[0].shape[0], _GAP, 3), _GREY, np.uint8)
        row = np.concatenate([sides[0], gap, sides[1]], 1)
        bar = np.full((_GAP, row.shape[1], 3), _GREY, np.uint8)
        bar[:, sides[0].shape[1] + _GAP :] = _READ if read else _SAID
        rows += [bar, row]
    found: NDArray[np.uint8] = np.concatenate(rows, 0)
    return found
