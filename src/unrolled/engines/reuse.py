"""Operations that write into what they read, where that is read for the last time: memory that is in the caches is not left for other memory."""

import operator
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor

Step = tuple[Callable[..., Any], int, tuple[int, ...]]
"""A function, the slot that its value goes to, and the slots of its arguments."""

_INTO: dict[Callable[..., Any], Callable[..., Tensor]] = {
    operator.add: Tensor.add_,
    operator.sub: Tensor.sub_,
    operator.mul: Tensor.mul_,
    operator.truediv: Tensor.div_,
    torch.sigmoid: Tensor.sigmoid_,
    torch.tanh: Tensor.tanh_,
    torch.relu: Tensor.relu_,
}
_EITHER_WAY = (operator.add, operator.mul)


def reusing(steps: Sequence[Step], own: Collection[int], kept: Collection[int]) -> list[Step]:
    """The same steps, written into arguments where they can be: into slots in `own` and what the steps themselves compute, but for those `kept`."""
    last = {slot: number for number, (_, _, sources) in enumerate(steps) for slot in sources}
    free, found = set(own), []
    for number, (function, target, sources) in enumerate(steps):
        places = [k for k, s in enumerate(sources) if s in free and s not in kept and last[s] == number]
        if _plain(function) in _INTO and places and (places[0] == 0 or function in _EITHER_WAY):
            found.append((_into(function), target, (sources[places[0]], *sources[: places[0]], *sources[places[0] + 1 :])))
        else:
            found.append((function, target, sources))
        free.add(target)
    return found


def _into(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose value is written into its first argument if it fits there."""
    write = _INTO[_plain(function)]

    def call(into: Any, *others: Any) -> Any:
        return write(into, *others) if isinstance(into, Tensor) and all(_fits(o, into) for o in others) else function(into, *others)

    return call


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of torch's without what is around it."""
    return getattr(function, "__wrapped__", function)


def _fits(other: Any, into: Tensor) -> bool:
    if not isinstance(other, Tensor):
        return True
    return other.dtype == into.dtype and (other.shape == into.shape or (other.dim() < into.dim() and other.shape[-1:] == into.shape[-1:]))
