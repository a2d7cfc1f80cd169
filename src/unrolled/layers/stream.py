"""A stream: a layer with a state of its own, for loops that take one step after the other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from unrolled.engines import Problem, choose
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers.checks import are_batched, join_parts
from unrolled.layers.steps import can_be_known, is_unchanged, look, own_parameters

if TYPE_CHECKING:
    from unrolled.layers.recurrent import Recurrent


class Held(Protocol):
    """A step that an engine has prepared, with the memory in which it works; `stored` are the parameters that it reads."""

    states: Sequence[Tensor]
    """Each `[B, n]`: read before the step, and written after it."""

    def read(self, address: int) -> None:
        """Take the next input from there."""

    def run(self) -> None:
        """Take the step."""

    def holds(self) -> bool:
        """Whether the parameters lie where they lay."""


@runtime_checkable
class Holding(Protocol):
    """An engine that can hold a step."""

    def hold(self, problem: Problem) -> Held | None:
        """The step of a problem, to be taken again and again; None where it is better made anew."""


class Stream:
    """A layer that reads one step of so many sequences after the other, with the state and the memory that it needs.

    Args:
        layer: one that reads forwards alone.
        batch: B, how many sequences there are.
        space: the size of the planes, for a convolutional layer that has none of its own.

    Nothing is kept for gradients, and on the engine `native` no step asks for memory. What the layer's parameters, options and hooks are is
    looked at in every step; the layer may be trained meanwhile. For one thread at a time.

    Raises `ConfigError` for a bidirectional layer, or a batch below 1.
    """

    def __init__(self, layer: "Recurrent", batch: int, space: Sequence[int] | None = None) -> None:
        if layer.bidirectional:
            raise ConfigError("A bidirectional layer cannot stream: its reverse direction starts at the end of the sequence.")
        if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
            raise ConfigError(f"`batch` must be a whole number of at least 1, got {batch!r}.")
        self._layer, self._batch, self._space = layer, batch, space
        self._held: list[Held] = []
        self._known: tuple[Any, ...] = ()
        self._parameters: tuple[Tensor | None, ...] = ()
        self._state: tuple[Tensor, ...] = ()
        self.reset()

    @property
    def state(self) -> tuple[Tensor, ...]:
        """A copy of each state of the cell, `[L, B, n]`, output first. What is assigned is copied, too."""
        return (
            tuple(s.clone() for s in self._state)
            if not self._held
            else tuple(map(torch.stack, zip(*(h.states for h in self._held), strict=True)))
        )

    @state.setter
    @torch.no_grad()
    def state(self, given: Tensor | Sequence[Tensor]) -> None:
        states = (given,) if isinstance(given, Tensor) else tuple(given)
        own = self.state
        if [tuple(s.shape) for s in states] != [tuple(s.shape) for s in own]:
            wanted, got = ([list(s.shape) for s in some] for some in (own, states))
            raise ShapeError(f"`state` must have the shapes {wanted}, got {got}. Pass what a stream or a layer gave as its state.")
        if self._held:
            for place, held in enumerate(self._held):
                for mine, theirs in zip(held.states, states, strict=True):
                    mine.copy_(theirs[place])
        else:
            self._state = tuple(theirs.detach().to(mine, copy=True) for mine, theirs in zip(own, states, strict=True))

    @torch.no_grad()
    def reset(self, rows: Tensor | Sequence[int] | None = None) -> None:
        """Begin anew: all sequences, or those of some `rows`, as a list of them or a boolean tensor `[B]`."""
        begin = self._layer.begin(self._batch, self._space)
        if rows is None:
            if self._held:
                self.state = begin
            else:
                self._state = tuple(s.detach().clone() for s in begin)
            return
        chosen, state = torch.as_tensor(rows), self.state
        for mine, first in zip(state, begin, strict=True):
            mine[:, chosen] = first[:, chosen]
        self.state = state

    def step(self, x_t: Tensor) -> Tensor:
        """Take a step: `x_t` is `[B, I]`, whole numbers `[B]`, or a tuple of the parts that a cell names. Returns the output `[B, H]`, which the next step writes over: clone what is kept.

        Raises what `Recurrent.forward` raises for an input that does not fit.
        """
        if self._held and self._fits(x_t):
            return self._again(x_t)
        x_t = join_parts(x_t, self._layer.cell, self._layer.planes)
        if not are_batched(x_t, self._layer.planes) or len(x_t) != self._batch:
            raise ShapeError(
                f"`x_t` must be one step of B = {self._batch} sequences, got {list(x_t.shape)}. Give the stream another `batch`."
            )
        with torch.no_grad():
            state, self._held = self.state, []
            y, after = self._layer.step(x_t, state)
            self._state = (after,) if isinstance(after, Tensor) else tuple(after)
            self._hold(x_t)
        return y

    def _again(self, x_t: Tensor) -> Tensor:
        first, *others = self._held
        first.read(x_t.data_ptr())
        first.run()
        for held in others:
            held.run()
        return self._held[-1].states[0]

    def _fits(self, x_t: Tensor) -> bool:
        shape, dtype, look = self._known
        if (
            type(x_t) is not Tensor
            or x_t.shape != shape
            or x_t.dtype is not dtype
            or not x_t.is_contiguous()
            or x_t.is_neg()
            or not x_t.is_cpu
        ):
            return False
        return is_unchanged(self._layer, self._parameters, look) and all(held.holds() for held in self._held)

    def _hold(self, x_t: Tensor) -> None:
        """Prepare the next step like this one, where the engine can."""
        layer = self._layer
        if x_t.dim() != 2 or not x_t.is_cpu or not can_be_known(layer):
            return
        x, found = x_t.contiguous()[None], list[Held]()
        for place in layer.places:
            problem = layer.problem(place, x, tuple(s[place[0]] for s in self._state), None, None, every_state=False)
            engine = choose(layer.engine, problem).engine
            held = engine.hold(problem) if isinstance(engine, Holding) else None
            if held is None:
                return
            if found:
                held.read(found[-1].states[0].data_ptr())
            found.append(held)
            x = held.states[0][None]
        state, self._held = self._state, found
        self._known, self._parameters = (x_t.shape, x_t.dtype, look(layer)), own_parameters(layer)
        self.state = state
