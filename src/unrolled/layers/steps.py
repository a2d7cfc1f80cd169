"""Steps of a stream that have been taken before: the same checks have been passed, the same engine chosen, and the call is prepared."""

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from unrolled.engines import Problem
from unrolled.engines.choice import VARIABLE
from unrolled.engines.watched import is_watched

MOST_KINDS = 8
"""Steps of different sizes that are kept for one layer."""

Kind = tuple[object, ...]


class Prepared(Protocol):
    """A call that an engine has prepared, for one layer."""

    def run(
        self, stored: Sequence[Tensor], x: Tensor, before: Sequence[Tensor], steps: Tensor, final: Sequence[Tensor], place: int = 0
    ) -> bool:
        """Write to `steps` and, at `place`, to `final`; False where the call is not quite as it was."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """An engine that can prepare a call."""

    def prepare(self, problem: Problem) -> Prepared | None:
        """The same call as it may come again; None where it is better made anew."""
        ...


class KnownSteps:
    """What is kept of steps: for each kind the prepared calls of all layers, and what is told about the engine.

    A kind is all that the checks and the choice of an engine look at, but for the parameters, at which prepared calls look themselves.
    Copies of a layer begin without.
    """

    def __init__(self) -> None:
        self._of: dict[Kind, tuple[list[Prepared], tuple[str, str]]] = {}

    def __reduce__(self) -> tuple[Callable[[], "KnownSteps"], tuple[()]]:
        """Addresses are of this process and this layer alone."""
        return KnownSteps, ()

    def find(self, kind: Kind) -> tuple[list[Prepared], tuple[str, str]] | None:
        """What is known of a kind."""
        return self._of.get(kind)

    def keep(self, kind: Kind, calls: list[Prepared], told: tuple[str, str]) -> None:
        """Remember a kind; all others are forgotten when they have become too many."""
        if len(self._of) >= MOST_KINDS:
            self._of = {}
        self._of[kind] = calls, told


def kind_of(x_t: Any, state: Any, engine: str, narrow: bool) -> Kind | None:
    """The kind of a step; None for one that is to go through all checks: anything unusual, and whatever may want gradients."""
    if torch.is_grad_enabled() or type(x_t) is not Tensor or x_t.is_neg() or is_watched():
        return None
    states = (state,) if type(state) is Tensor else state
    if type(states) is not tuple or torch.is_autocast_enabled("cpu"):
        return None
    kind: list[object] = [x_t.shape, x_t.dtype, engine, narrow, os.environ.get(VARIABLE), torch.get_num_threads()]
    for s in states:
        if type(s) is not Tensor or not s.is_cpu or s.is_neg():
            return None
        kind += (s.shape, s.dtype)
    return tuple(kind) if x_t.is_cpu else None


def take(
    calls: Sequence[Prepared], stored: Sequence[Sequence[Tensor]], x_t: Tensor, state: Any, residual: bool
) -> tuple[Tensor, tuple[Tensor, ...]] | None:
    """One step through all layers: the output `[B, n]` and the states after it; None where a call is not quite as it was."""
    before = (state,) if type(state) is Tensor else state
    final = tuple([s.new_empty(s.shape) for s in before])
    batch, units = before[0].shape[1:]
    x = x_t
    for place, call in enumerate(calls):
        y = before[0].new_empty(batch, units)
        if not call.run(stored[place], x, before, y, final, place):
            return None
        x = y + x if residual and place else y
    return x, final
