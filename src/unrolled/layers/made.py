"""Blocks that are not learnt as they are: fixed ones, and those that are computed from others once a call."""

import math
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from unrolled.engines import are_plain
from unrolled.equations import Made
from unrolled.errors import ConfigError

Block = Callable[[str], Tensor]


class KeptBlocks:
    """Blocks that are made of others, kept from call to call while nothing is learnt: what they are made of is compared at every call, since
    parameters can be written to unseen. Copies of a layer begin without."""

    def __init__(self) -> None:
        self._of: dict[Hashable, tuple[list[Tensor], dict[str, Tensor]]] = {}

    def __reduce__(self) -> tuple[Callable[[], "KeptBlocks"], tuple[()]]:
        return KeptBlocks, ()

    def get(self, key: Hashable, sources: Sequence[Tensor], make_all: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """The blocks by name; made where gradients are wanted, or where `sources` are not what they were."""
        if torch.is_grad_enabled() or torch.compiler.is_compiling() or not are_plain(sources):
            return make_all()
        found = self._of.get(key)
        if found is None or not all(map(_is_same, found[0], sources)):
            found = self._of[key] = [s.clone() for s in sources], make_all()
        return found[1]


def _is_same(before: Tensor, now: Tensor) -> bool:
    return before.dtype == now.dtype and before.device == now.device and torch.equal(before, now)


def make(made: Made, block: Block) -> Tensor:
    """A block that is made of others, which `block` gives by name; it is differentiable in them."""
    return _MAPS[made.function](*(_argument(a, block) for a in made.arguments))


def _argument(argument: Made | str | float, block: Block) -> Tensor | float:
    if isinstance(argument, Made):
        return make(argument, block)
    return block(argument) if isinstance(argument, str) else argument


def _times(left: Any, right: Any) -> Any:
    """Entry by entry; a vector scales the rows of a matrix, and a fixed matrix all places of a kernel alike."""
    if isinstance(left, Tensor) and isinstance(right, Tensor) and left.dim() and right.dim():
        most = max(left.dim(), right.dim())
        left, right = (side.reshape(*side.shape, *(1,) * (most - side.dim())) for side in (left, right))
    return left * right


def _sides(left: Any, right: Any) -> tuple[Any, Any]:
    """Two maps to be added; beside a kernel a fixed matrix is one that reads each place alone, and a smaller kernel has zeros around it."""
    kernels = [side.shape[2:] for side in (left, right) if isinstance(side, Tensor) and side.dim() > 2]
    if not kernels:
        return left, right
    largest = tuple(map(max, zip(*kernels, strict=True)))
    return _as_kernel(left, largest), _as_kernel(right, largest)


def _as_kernel(side: Any, kernel: tuple[int, ...]) -> Any:
    if not isinstance(side, Tensor):
        return side
    own = side.shape[2:] or (1,) * len(kernel)
    before_and_after = [(most - n) // 2 for n, most in zip(reversed(own), reversed(kernel), strict=True) for _ in range(2)]
    return pad(side.reshape(*side.shape[:2], *own), before_and_after)


def _transposed(map: Tensor) -> Tensor:
    """Of a kernel also turned round, which is what the transpose of a convolution is."""
    turned = map.transpose(0, 1)
    return turned.flip(tuple(range(2, map.dim()))) if map.dim() > 2 else turned


def _diagonal(blocks: Tensor) -> Tensor:
    """Blocks `[k, rows, columns, *kernel]` along the diagonal of one map."""
    count, rows, columns, *kernel = blocks.shape
    along = torch.eye(count, dtype=blocks.dtype, device=blocks.device).reshape(count, 1, count, 1, *(1,) * len(kernel))
    return (along * blocks.unsqueeze(2)).reshape(count * rows, count * columns, *kernel)


_MAPS: dict[str, Callable[..., Tensor]] = {
    "plus": lambda a, b: sum(_sides(a, b)),
    "minus": lambda a, b: _sides(a, b)[0] - _sides(a, b)[1],
    "times": _times,
    "over": lambda a, b: a / b,
    "transpose": _transposed,
    "blocks": _diagonal,
}
"""What maps are made with: matrices, or kernels `[rows, columns, *kernel]`."""


def fixed(what: str, how: object, rows: int, columns: int | None, like: Tensor) -> Tensor:
    """A fixed vector, or a fixed matrix where there are columns. `ConfigError`, which says of `what`, where it does not fit its size."""
    options: dict[str, Any] = {"dtype": like.dtype, "device": like.device}
    if not isinstance(how, str):
        found = torch.tensor(how, **options)
        shape = (rows,) if columns is None else (rows, columns)
        if found.shape != shape:
            raise ConfigError(f"{what} must be {list(shape)} here, got {list(found.shape)} numbers.")
        return found
    match = re.fullmatch(r"(\w+)(?:\((\d+)\))?", how)
    assert match is not None
    name, count = match[1], int(match[2] or 0)
    if columns is None:
        if name not in _VECTORS:
            raise ConfigError(
                f"{what} is read as a vector, of which there is no fixed {name!r}. Choose one of {', '.join(_VECTORS)}, or give its numbers."
            )
        return torch.tensor([_VECTORS[name](i, rows) for i in range(rows)], **options)
    if name not in _MATRICES:
        raise ConfigError(
            f"{what} is read as a matrix, of which there is no fixed {name!r}. Choose one of {', '.join(_MATRICES)}, or give its rows."
        )
    numbers: dict[str, Any] = {"dtype": torch.float64, "device": like.device}
    i, j = torch.arange(rows, **numbers)[:, None], torch.arange(columns, **numbers)
    if count:
        if rows % count or columns % count:
            raise ConfigError(
                f"{what} = {how!r} must divide its {rows} rows and {columns} columns. Choose other sizes, or another number of blocks."
            )
        i, j = i // (rows // count), j // (columns // count)
    return (_MATRICES[name](i, j, rows, columns).expand(rows, columns) + like.new_zeros(())).to(like.dtype)


_VECTORS: Mapping[str, Callable[[int, int], float]] = {
    "ones": lambda i, n: 1.0,
    "hippo": lambda i, n: math.sqrt(2 * i + 1),
    "legendre": lambda i, n: (2 * i + 1) * (-1.0) ** i,
    "index": lambda i, n: float(i),
    "position": lambda i, n: i / n,
}

_MATRICES: Mapping[str, Callable[[Tensor, Tensor, int, int], Tensor]] = {
    "identity": lambda i, j, rows, columns: i == j,
    "ones": lambda i, j, rows, columns: torch.ones_like(i + j),
    "average": lambda i, j, rows, columns: torch.full_like(i + j, 1.0, dtype=torch.float64) / columns,
    "lower": lambda i, j, rows, columns: i >= j,
    "upper": lambda i, j, rows, columns: i <= j,
    "blocks": lambda i, j, rows, columns: i == j,
    "repeat": lambda i, j, rows, columns: i * columns // rows == j,
    "hippo": lambda i, j, rows, columns: torch.where(i > j, -((2 * i + 1.0) * (2 * j + 1.0)).sqrt(), torch.where(i == j, -(i + 1.0), 0.0)),
    "legendre": lambda i, j, rows, columns: (2 * i + 1.0) * torch.where(i < j, -1.0, 1.0 - 2.0 * ((i - j + 1) % 2)),
}
"""Fixed matrices by row, column, and how many there are of both. HiPPO's LegS is after Gu et al. (2020), Legendre's after Voelker et al. (2019)."""
