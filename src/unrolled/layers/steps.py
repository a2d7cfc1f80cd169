"""Steps of a stream that have been taken before: the same checks have been passed, the same engine chosen, and the call is prepared."""

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.modules import module as modules

from unrolled.engines import Problem
from unrolled.engines.watched import is_watched

if TYPE_CHECKING:
    from unrolled.layers.recurrent import Recurrent

MOST_KINDS = 8
"""Steps of different sizes that are kept for one layer."""

Kind = tuple[torch.Size, torch.dtype]


class Prepared(Protocol):
    """A call that an engine has prepared, for one layer."""

    def holds(self, stored: Sequence[Tensor]) -> bool:
        """Whether parameters lie where those lay that it was prepared for, as they lay there."""
        ...

    def again(self, x: int, before: Sequence[Tensor], steps: int, final: Sequence[Tensor], place: int) -> bool:
        """Read the input at one address and write the output to another, and the states `[L, B, n]` at `place` to `final`; False where the
        call cannot be made now."""
        ...


@runtime_checkable
class Preparing(Protocol):
    """An engine that can prepare a call."""

    def prepare(self, problem: Problem) -> Prepared | None:
        """The same call as it may come again; None where it is better made anew."""
        ...


class KnownSteps:
    """What is kept of the steps of a layer: for each kind the prepared calls of all its layers. Copies of a layer begin without."""

    def __init__(self) -> None:
        self._of: dict[Kind, KnownStep] = {}

    def __reduce__(self) -> tuple[Callable[[], "KnownSteps"], tuple[()]]:
        """Addresses are of this process and this layer alone."""
        return KnownSteps, ()

    def take(self, layer: "Recurrent", x_t: Any, state: Any) -> tuple[Tensor, tuple[Tensor, ...]] | None:
        """A step through all layers: the output `[B, n]` and the states after it; None where it is not quite as one before, or is to go
        through all checks: anything unusual, and whatever may want gradients."""
        if type(x_t) is not Tensor or torch.is_grad_enabled():
            return None
        known = self._of.get((x_t.shape, x_t.dtype))
        return None if known is None else known.take(layer, x_t, (state,) if type(state) is Tensor else state)

    def keep(self, layer: "Recurrent", x_t: Tensor, states: Sequence[Tensor], calls: list[Prepared], told: tuple[str, str]) -> None:
        """Remember a step; all others are forgotten when they have become too many."""
        if len(self._of) >= MOST_KINDS:
            self._of = {}
        self._of[x_t.shape, x_t.dtype] = KnownStep(layer, states, calls, told)


class KnownStep:
    """A step with all that the checks and the choice of an engine look at."""

    def __init__(self, layer: "Recurrent", states: Sequence[Tensor], calls: list[Prepared], told: tuple[str, str]) -> None:
        self._look, self._calls, self._told = look(layer), calls, told
        self._shapes, self._dtype = [s.shape for s in states], states[0].dtype
        self._parameters = own_parameters(layer)
        self._stored = [[layer._stored(name) for name in names] for names in layer._names.values()]
        self._output = states[0].new_empty(self._shapes[0][1:])

    def take(self, layer: "Recurrent", x_t: Tensor, states: Any) -> tuple[Tensor, tuple[Tensor, ...]] | None:
        """See `KnownSteps`."""
        if type(states) is not tuple or not x_t.is_contiguous() or not x_t.is_cpu or x_t.is_neg():
            return None
        if not self._are_alike(states) or not is_unchanged(layer, self._parameters, self._look):
            return None
        object.__setattr__(layer, "_last", self._told)
        final = [torch.empty_like(s) for s in states]
        y = x_t if x_t.is_floating_point() else x_t.long()
        for place, call in enumerate(self._calls):
            below, y = y, torch.empty_like(self._output)
            if not call.holds(self._stored[place]) or not call.again(below.data_ptr(), states, y.data_ptr(), final, place):
                return None
        return y, tuple(final)

    def _are_alike(self, states: tuple[Any, ...]) -> bool:
        dtype = self._dtype
        if len(states) != len(self._shapes):
            return False
        for s, shape in zip(states, self._shapes, strict=True):
            if type(s) is not Tensor or s.shape != shape or s.dtype is not dtype or not s.is_contiguous() or not s.is_cpu or s.is_neg():
                return False
        return True


def look(layer: "Recurrent") -> tuple[Any, ...]:
    """What else than its parameters a step of a layer depends on."""
    drops = layer.training and (layer.dropout or layer.recurrent_dropout)
    return layer.engine, layer.bfloat16_weights, layer.residual, drops, torch.get_num_threads()


def own_parameters(layer: "Recurrent") -> tuple[Tensor | None, ...]:
    """The parameters that it has itself, of which none is computed."""
    return tuple(layer._parameters.values())


def is_unchanged(layer: "Recurrent", parameters: Sequence[Tensor | None], known: tuple[Any, ...]) -> bool:
    """Whether a layer is as it was, has nothing hung on it, and nobody looks on."""
    own = layer._parameters.values()
    if len(own) != len(parameters) or not all(map(operator.is_, own, parameters)) or known != look(layer):
        return False
    hung = layer._forward_hooks or layer._forward_pre_hooks or modules._global_forward_hooks or modules._global_forward_pre_hooks
    return not (hung or is_watched() or torch.is_autocast_enabled("cpu"))


def can_be_known(layer: "Recurrent") -> bool:
    """Whether a step is no more than its equations say: drops nothing, adds no input, joins no states, reads nothing that is computed, and runs
    nothing that others have hung on it."""
    *_, residual, drops, _ = look(layer)
    names = (name for names in layer._names.values() for name in names)
    plain = not (residual or drops or layer.bidirectional or layer.cell.recurrence.outputs > 1) and all(
        name in layer._parameters for name in names
    )
    return plain and is_unchanged(layer, own_parameters(layer), look(layer))
