"""Frames that a network says beside those that came, and beside what is said without it."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from unrolled.data.columns import Places
from unrolled.models import NextFrames
from unrolled.tasks.filming.reading import FilmCodecs
from unrolled.tasks.filming.windows import Windows
from unrolled.tasks.measures.frames import FrameScores, measure_frames
from unrolled.tasks.trained import require_finite

AT_ONCE = 32
"""Windows that are answered together."""

LAST, MEAN = "last-frame", "past-mean"


def rivals_of(past: Tensor, future: int) -> dict[str, Tensor]:
    """What is said without a network: the last frame again, and the mean of the past, each `[F, B, C, H, W]`."""
    return {LAST: past[-1:].expand(future, *past.shape[1:]), MEAN: past.mean(0, keepdim=True).expand(future, *past.shape[1:])}


@torch.inference_mode()
def score_windows(
    model: NextFrames,
    codecs: FilmCodecs,
    windows: Windows,
    which: Places,
    *,
    wholly: bool = True,
    tick: Callable[[int, int], None] | None = None,
) -> FrameScores:
    """The measures of some windows; `wholly` with teacher forcing and rivals."""
    sums: dict[str, np.ndarray] = {}
    for at in range(0, len(which), AT_ONCE):
        some = which[at : at + AT_ONCE]
        for name, said, true in _said(model, codecs, windows.frames(some).to(next(model.parameters()).device), wholly):
            found = measure_frames(codecs.spread(said.cpu()), codecs.spread(true.cpu()), codecs.high - codecs.low)
            sums[name] = sums.get(name, 0) + found
        if tick:
            tick(at + len(some), len(which))
    means = {name: total / len(which) for name, total in sums.items()}
    require_finite(float(means["free"].sum()), "these clips")
    free, forced = means.pop("free"), means.pop("forced", None)
    return FrameScores(free, forced, means, len(which), int(np.prod(codecs.frames.size)), (codecs.low, codecs.high))


def _said(model: NextFrames, codecs: FilmCodecs, frames: Tensor, wholly: bool) -> Iterator[tuple[str, Tensor, Tensor]]:
    past, true = frames[: codecs.past], frames[codecs.past :]
    yield "free", model(past, len(true)), true
    if wholly:
        if model.recurrent is not None:
            yield "forced", model(past, len(true), true), true
        for name, said in rivals_of(past, len(true)).items():
            yield name, said, true
