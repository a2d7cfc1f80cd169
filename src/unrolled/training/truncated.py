"""Truncated back-propagation through time: the state is carried on, the gradient is cut."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from unrolled.errors import ConfigError, RunError
from unrolled.options import option

State = tuple[Tensor, ...]
Model = Callable[[Tensor, Any], tuple[Tensor, Any]]
"""`(inputs [T, B, …], state or None) -> (outputs [T, B, …], state)`."""


@dataclass(frozen=True)
class StreamOptions:
    """How a long sequence is cut. `ConfigError` for a number below 1."""

    batch: int = option(16, "Streams read side by side.")
    window: int = option(64, "k1: steps between two updates.")
    backprop: int | None = option(None, "k2: steps that a gradient goes back at most.  [default: the window]")

    def __post_init__(self) -> None:
        for name in ("batch", "window", "backprop"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"`--{name}` must be at least 1, got {value}.")

    def resolved(self) -> "StreamOptions":
        """The same with what was left open decided."""
        return self if self.backprop else replace(self, backprop=self.window)


@dataclass(frozen=True)
class Piece:
    """A summed loss to propagate back, the number of losses in it, and the number in the whole batch."""

    total: Tensor
    count: int
    of: int


class Truncated:
    """Windows of one long sequence, with the state carried from each to the next (Williams & Peng 1990, BPTT(k2; k1)).

    After every `window` (k1) steps there is one update, for the losses of those steps; a gradient goes back at most `backprop` (k2)
    steps. With k2 < k1 it is cut inside the window, every k2 steps. With k2 > k1 the k2 - k1 steps before the window are run again, so
    that the losses of the window reach back into them.

    `loss` gives the summed loss of outputs and targets.
    """

    def __init__(self, model: Model, loss: Callable[[Tensor, Tensor], Tensor], window: int, backprop: int) -> None:
        self.model, self.loss = model, loss
        self.backprop, self.again = min(backprop, window), max(backprop - window, 0)
        self.state: State | None = None
        self.earlier: Tensor | None = None

    def forget(self) -> None:
        """Begin anew, with the model's initial state."""
        self.state = self.earlier = None

    def memory(self) -> dict[str, Tensor]:
        """What is carried, as named tensors."""
        carried = {f"state.{i}": s for i, s in enumerate(self.state or ())}
        return carried if self.earlier is None else {**carried, "earlier": self.earlier}

    def recall(self, memory: Mapping[str, Tensor]) -> None:
        """Take over what `memory` gave. `RunError` if it is something else."""
        count = sum(name.startswith("state.") for name in memory)
        if set(memory) - {"earlier"} != {f"state.{i}" for i in range(count)}:
            raise RunError(f"The carried state is not one: it has {', '.join(sorted(memory))}.")
        self.state = _alone(tuple(memory[f"state.{i}"] for i in range(count)) or None)
        self.earlier = memory.get("earlier")

    def pieces(self, inputs: Tensor, targets: Tensor) -> Iterator[Piece]:
        """The losses of the next window, `[T, B]` each. A piece must be propagated back before the next is asked for."""
        if self.again:
            yield Piece(self.loss(self._with_earlier(inputs), targets), targets.numel(), targets.numel())
            return
        for x, y in zip(inputs.split(self.backprop), targets.split(self.backprop), strict=True):
            outputs, state = self.model(x, self.state)
            self.state = _alone(state)
            yield Piece(self.loss(outputs, y), y.numel(), targets.numel())

    def _with_earlier(self, inputs: Tensor) -> Tensor:
        """The window's outputs, with a gradient that goes back into the steps before it; keeps what the next window will run again."""
        x = inputs if self.earlier is None else torch.cat([self.earlier, inputs])
        cut = max(len(x) - self.again, 0)
        state, outputs = self.state, []
        if cut:
            head, state = self.model(x[:cut], state)
            outputs.append(head)
        tail, _ = self.model(x[cut:], state)
        self.state, self.earlier = _alone(state), x[cut:]
        return torch.cat([*outputs, tail])[-len(inputs) :]


def _alone(state: State | None) -> State | None:
    """The state without its past, each tensor in memory of its own: how sums are rounded may depend on where and how a tensor lies."""
    return None if state is None else tuple(s.detach().clone(memory_format=torch.contiguous_format) for s in state)
