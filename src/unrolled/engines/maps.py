"""How an engine applies the matrices of a recurrence: to rows of units, or as convolutions to planes of channels."""

import json
from dataclasses import dataclass, field

from torch import Tensor, channels_last
from torch.nn.functional import conv2d, conv3d, embedding, linear

PLACES = 16384
"""Of all planes together, as many as a convolution needs to be fast."""


class Matrices:
    """Each matrix `[rows, columns]` is applied to `[N, columns]`; functions of all units go over the last dimension.

    Matrices that read the same are best `stacked` and applied as one.
    """

    stacked = True

    def laid(self, matrix: Tensor) -> Tensor:
        """A matrix that is to be applied many times, as it is best laid out in memory."""
        return matrix

    def apply(self, matrix: Tensor, read: Tensor) -> Tensor:
        """`[N, rows]`; integers are looked up, as columns of the matrix."""
        return linear(read, matrix) if read.is_floating_point() else embedding(read.long(), matrix.t())

    def steps_at_once(self, x: Tensor) -> int:
        """How many steps of the input's maps are best computed at once: all."""
        return max(len(x), 1)


@dataclass(frozen=True)
class Convolutions:
    """Each matrix is a kernel `[rows, columns, *kernel]` of its own size, applied to planes `[N, *space, columns]` with stride 1 and zeros around
    them, so that their size stays. Functions of all units go over the channels of a place, so that a step is at each place what it is elsewhere.

    Channels stand last, where units stand otherwise: vectors, splits and joins are the same for both, and it is the order in memory in which
    a CPU convolves fastest (torch's `channels_last`). Kernels are `stacked` where what follows reads their results where they lie: one convolution costs less than
    several. For torch's own operations gates that lie by themselves in memory are faster to go through.
    """

    def laid(self, matrix: Tensor) -> Tensor:
        """A kernel as torch would lay it out at each step."""
        return matrix.contiguous(memory_format=channels_last) if matrix.dim() == 4 else matrix

    dilation: tuple[int, ...]
    """A number for each dimension of space."""
    stacked: bool = False
    text: str = field(init=False)
    """On one line, as part of a name that other processes understand."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", json.dumps(self.dilation))

    def apply(self, matrix: Tensor, read: Tensor) -> Tensor:
        """`[N, *space, rows]`. A fixed matrix, which has no kernel, is applied to every place by itself."""
        if matrix.dim() == 2:
            return linear(read, matrix)
        if len(self.dilation) == 1:
            # As a plane of one row: torch's convolutions in one dimension put channels first, in a copy.
            whole = Convolutions((1, *self.dilation))
            return whole.apply(matrix.unsqueeze(2), read.unsqueeze(1)).squeeze(1)
        padding = [d * (k // 2) for k, d in zip(matrix.shape[2:], self.dilation, strict=True)]
        convolve = conv2d if len(padding) == 2 else conv3d
        return convolve(read.movedim(-1, 1), matrix, padding=padding, dilation=self.dilation).movedim(1, -1)

    def steps_at_once(self, x: Tensor) -> int:
        """How many steps of the input's maps are best computed at once: no more than keep a processor busy, so that the next ones find the
        memory of the last still in its caches."""
        places = PLACES // 4 if self.stacked else PLACES  # What comes of a place is several times as much.
        return max(1, places // max(1, x[0, ..., 0].numel()))
