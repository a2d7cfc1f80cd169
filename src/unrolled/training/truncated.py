"""Truncated back-propagation through time: the state is carried on, the gradient is cut."""

import itertools
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


RESETS = 0.02
"""The probability of a reset if nothing is said."""


@dataclass(frozen=True)
class StreamOptions:
    """How a long sequence is cut. `ConfigError` for a number that an option cannot have."""

    batch: int = option(16, "Batch size: streams read side by side.")
    window: int = option(64, "Truncated BPTT, k1: steps between two updates.")
    backprop: int | None = option(None, "Truncated BPTT, k2: steps that a gradient goes back at most.  [default: the window]", rare=True)
    reset_probability: float = option(
        RESETS,
        "Probability with which a stream's carried state is reset before a window, so that the network learns to begin. Never with `lines`, "
        "where each line begins anew.",
        rare=True,
    )

    def __post_init__(self) -> None:
        for name in ("batch", "window", "backprop"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        if not 0 <= self.reset_probability < 1:
            raise ConfigError(f"`reset_probability` must be from 0 to below 1, got {self.reset_probability}.")

    def resolved(self) -> "StreamOptions":
        """The same with what was left open decided."""
        return self if self.backprop else replace(self, backprop=self.window)

    def for_lines(self, lines: bool) -> "StreamOptions":
        """The same, without resets where `lines` begin anew by themselves: others would cut them in pieces."""
        return replace(self, reset_probability=0.0) if lines else self


class Truncated:
    """Windows of one long sequence, with the state carried from each to the next (Williams & Peng 1990, BPTT(k2; k1)).

    After every `window` (k1) steps there is one update, for the losses of those steps; a gradient goes back at most `backprop` (k2)
    steps. With k2 < k1 it is cut inside the window, every k2 steps. With k2 > k1 the k2 - k1 steps before the window are run again, so
    that the losses of the window reach back into them.

    A network whose state is always carried never learns to begin: it may lean on values that only thousands of steps build up. So before
    a window each row goes back to the initial state with probability `reset`, drawn with torch's generator (Melis et al. 2018, "On the
    State of the Art of Evaluation in Neural Language Models", start from a constant state with probability 0.01).

    `loss` gives the summed loss of outputs and targets; `initial` the states `[L * D, B, n]` that a batch of B rows begins with.
    """

    def __init__(
        self,
        model: Model,
        loss: Callable[[Tensor, Tensor], Tensor],
        window: int,
        backprop: int,
        *,
        initial: Callable[[int], State],
        reset: float = 0.0,
    ) -> None:
        self.model, self.loss, self.initial, self.reset = model, loss, initial, reset
        self.backprop, self.again = min(backprop, window), max(backprop - window, 0)
        self.forget()

    def forget(self) -> None:
        """Begin anew, with the model's initial state."""
        self.state: State | None = None
        self.earlier: Tensor | None = None
        self.begun: Tensor | None = None

    def state_dict(self) -> dict[str, Tensor]:
        """What is carried, as named tensors: states, and the steps that are run again with where rows begin among them."""
        carried = {f"state.{i}": s for i, s in enumerate(self.state or ())}
        again = {"earlier": self.earlier, "begun": self.begun}
        return {**carried, **{name: tensor for name, tensor in again.items() if tensor is not None}}

    def load_state_dict(self, memory: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` gave. `RunError` if it is something else."""
        count = sum(name.startswith("state.") for name in memory)
        again = set(memory) - {f"state.{i}" for i in range(count)}
        if again not in (set(), {"earlier", "begun"}):
            raise RunError(f"The carried state is not one: it has {', '.join(sorted(memory))}.")
        self.state = _alone(tuple(memory[f"state.{i}"] for i in range(count)) or None)
        self.earlier, self.begun = memory.get("earlier"), memory["begun"].cpu() if again else None

    def losses(self, inputs: Tensor, targets: Tensor) -> Iterator[Tensor]:
        """Sums of the losses of the next window, `[T, B]`. A sum must be propagated back before the next is asked for."""
        begins = self._drawn(inputs)
        if self.again:
            yield self.loss(self._with_earlier(inputs, begins), targets)
            return
        for x, y, some in zip(*(t.split(self.backprop) for t in (inputs, targets, begins)), strict=True):
            outputs, state = self._run(x, some, self.state)
            self.state = _alone(state)
            yield self.loss(outputs, y)

    def _drawn(self, inputs: Tensor) -> Tensor:
        """Before which steps rows begin, `[T, B]`: if at all, before the first. On the CPU, so that nobody waits for a device to know it."""
        begins = torch.zeros(inputs.shape[:2], dtype=torch.bool)
        if self.reset:
            begins[0] = torch.rand(inputs.shape[1]) < self.reset
        return begins

    def _with_earlier(self, inputs: Tensor, begins: Tensor) -> Tensor:
        """The window's outputs, with a gradient that goes back into the steps before it; keeps what the next window will run again."""
        x = inputs if self.earlier is None else torch.cat([self.earlier, inputs])
        begins = begins if self.begun is None else torch.cat([self.begun, begins])
        cut = max(len(x) - self.again, 0)
        state, outputs = self.state, []
        if cut:
            head, state = self._run(x[:cut], begins[:cut], state)
            outputs.append(head)
        tail, _ = self._run(x[cut:], begins[cut:], state)
        self.state, self.earlier, self.begun = _alone(state), x[cut:], begins[cut:]
        return torch.cat([*outputs, tail])[-len(inputs) :]

    def _run(self, x: Tensor, begins: Tensor, state: State | None) -> tuple[Tensor, State | None]:
        """The model from `state` on, with rows at the initial state before each step at which they begin."""
        outputs = []
        somewhere = begins.any(1).tolist()
        starts = [0, *(t for t in range(1, len(x)) if somewhere[t])]
        for start, stop in itertools.pairwise([*starts, len(x)]):
            if state is not None and somewhere[start]:
                rows = begins[start][:, None].to(x.device)
                state = tuple(torch.where(rows, i, s) for i, s in zip(self.initial(len(rows)), state, strict=True))
            y, state = self.model(x[start:stop], state)
            outputs.append(y)
        return (torch.cat(outputs) if len(outputs) > 1 else outputs[0]), state


def _alone(state: State | None) -> State | None:
    """The state without its past, each tensor in memory of its own: how sums are rounded may depend on where and how a tensor lies."""
    return None if state is None else tuple(s.detach().clone(memory_format=torch.contiguous_format) for s in state)
