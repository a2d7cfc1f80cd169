"""How an engine applies the matrices of a recurrence: to rows of units, or as convolutions to planes of channels."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import conv2d, conv3d, embedding, linear


class Matrices:
    """Each matrix `[rows, columns]` is applied to `[N, columns]`; means go over the units."""

    def apply(self, matrix: Tensor, read: Tensor) -> Tensor:
        """`[N, rows]`; integers are looked up, as columns of the matrix."""
        return linear(read, matrix) if read.is_floating_point() else embedding(read.long(), matrix.t())

    def mean(self, value: Tensor) -> Tensor:
        """The mean over the units, one for each sequence."""
        return value.mean(-1, keepdim=True)


@dataclass(frozen=True)
class Convolutions:
    """Each matrix is a kernel `[rows, columns, *kernel]`, applied to planes `[N, *space, columns]` with stride 1 and zeros around them, so that
    their size stays. Means go over channels and places.

    Channels stand last, where units stand otherwise: vectors, splits and joins are the same for both, and it is the order in memory in which
    a CPU convolves fastest (torch's `channels_last`).
    """

    kernel: tuple[int, ...]
    dilation: tuple[int, ...]

    def apply(self, matrix: Tensor, read: Tensor) -> Tensor:
        """`[N, *space, rows]`."""
        if len(self.kernel) == 1:
            # As a plane of one row: torch's convolutions in one dimension put channels first, in a copy.
            whole = Convolutions((1, *self.kernel), (1, *self.dilation))
            return whole.apply(matrix.unsqueeze(2), read.unsqueeze(1)).squeeze(1)
        padding = [d * (k // 2) for k, d in zip(self.kernel, self.dilation, strict=True)]
        convolve = conv2d if len(self.kernel) == 2 else conv3d
        return convolve(read.movedim(-1, 1), matrix, padding=padding, dilation=self.dilation).movedim(1, -1)

    def mean(self, value: Tensor) -> Tensor:
        """The mean over channels and places, one for each sequence; of a vector over what it has."""
        dimensions = min(len(self.kernel) + 1, value.dim())
        return value.mean(tuple(range(-dimensions, 0)), keepdim=True)
