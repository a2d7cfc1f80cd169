"""Which frames, and which pixels of them, move an answer."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.inspect.subject import still
from unrolled.models import FRAMES, Arrangement, Scoring


@dataclass(frozen=True, eq=False)
class Saliency:
    """The `frames` `[T, H, W]` as they were read, the mean of their channels, and how much each pixel `moves` the answer, as many: the norm over channels of
    the derivative of its score. The answer is that of all, or of the step `at`."""

    frames: np.ndarray
    moves: np.ndarray
    at: int | None

    @property
    def by_frame(self) -> np.ndarray:
        """The part of all that moves the answer in each frame, `[T]`; its sum is 1."""
        each = np.sqrt((self.moves**2).sum((1, 2)))
        found: np.ndarray = each / max(float(each.sum()), 1e-300)
        return found


def saliency(model: Arrangement, x: Batch, at: int | None = None) -> Saliency:
    """Of the first clip of a batch (Simonyan et al. 2014, "Deep Inside Convolutional Networks"): the derivative of the highest score of all of it, or of
    the step `at` where each has an answer. Of numbers the sum of all is taken. `ConfigError` for a network that reads no frames."""
    if not isinstance(model, Scoring) or FRAMES not in x.fields:
        raise ConfigError(f"A {type(model).__name__} that reads no frames has no pixels. Pass a network that labels pictures or videos.")
    copied = still(model)
    frames = x[FRAMES][:, :1].double().requires_grad_()
    batch = replace(x, fields={FRAMES: frames}, lengths=None if x.lengths is None else x.lengths[:1], targets=None)
    with torch.enable_grad():
        scores = copied(batch)[0] if model.once else copied(batch)[0][-1 if at is None else at, 0]
        answer = scores.max() if hasattr(model.head, "probabilities") else scores.sum()
        (moves,) = torch.autograd.grad(answer, frames)
    return Saliency(
        frames.detach()[:, 0].mean(1).numpy(),
        moves[:, 0].square().sum(1).sqrt().numpy(),
        None if model.once else (at if at is not None else -1),
    )
