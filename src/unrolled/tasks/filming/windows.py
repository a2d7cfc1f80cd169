"""Windows of clips: so many frames one after the other, as a network takes them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import Batch
from unrolled.data.codecs import FrameCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import FRAMES as COLUMN
from unrolled.data.dataset import Dataset
from unrolled.models import FRAMES


@dataclass(frozen=True)
class Windows:
    """Windows of `size` frames of the clips of a dataset, which begin at the frames `begins` `[W]`."""

    dataset: Dataset
    codec: FrameCodec
    begins: Places
    size: int

    def __len__(self) -> int:
        return len(self.begins)

    def frames(self, which: Places) -> Tensor:
        """`[T, B, C, H, W]`."""
        places = self.begins[which] + np.arange(self.size)[:, None]
        found = self.codec.apply(self.dataset.columns[COLUMN].elements.take(places.ravel()))
        return torch.from_numpy(found).unflatten(0, (self.size, len(which)))

    def batch(self, which: Places) -> Batch:
        """The same as a batch."""
        return Batch({FRAMES: self.frames(which)})


def begins_in(dataset: Dataset, which: Places, size: int, stride: int) -> Places:
    """Where windows of some clips begin, each `stride` frames after the one before; shorter clips have none."""
    found = [np.arange(dataset.starts[clip], dataset.starts[clip + 1] - size + 1, stride) for clip in which]
    return np.concatenate([*found, np.zeros(0, np.int64)]).astype(np.int64)
