"""The network step by step: every value that the equations name, in every layer and direction, which engines do not keep."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.engines import values_of_step
from unrolled.inspect.subject import Subject
from unrolled.layers.checks import in_reverse

Place = tuple[int, int]
Values = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Trace:
    """What happened at one place, a layer and a direction (0 forward, 1 reverse).

    At each step t: the input `x[t]` `[B, n]`; for each state its value `before[t]` and `after[t]` the step, `[B, n]`; and what the equations give,
    `values[t]`. Past a row's end states stay as they are, and values have no meaning.
    """

    place: Place
    x: Tensor
    before: Sequence[tuple[Tensor, ...]]
    after: Sequence[tuple[Tensor, ...]]
    values: Sequence[Values]

    @property
    def order(self) -> range:
        """The steps in the order in which they are read."""
        return reading_order(len(self.x), self.place)


def place_name(place: Sequence[int], shape: Sequence[int]) -> str:
    """What a place is called among `[L, D]` of them; empty where there is but one."""
    parts = [f"layer {place[0]}"] if shape[0] > 1 else []
    return ", ".join([*parts, *([("forward", "reverse")[place[1]]] if shape[1] > 1 else [])])


def reading_order(steps: int, place: Place) -> range:
    """The steps in the order in which a place reads them."""
    return range(steps)[::-1] if place[1] else range(steps)


def walk(subject: Subject, x: Tensor | None = None) -> tuple[Tensor, list[Trace]]:
    """The output `[T, B, D H]` of the last layer, 0 past each end, and a trace of every place; with gradients where they are enabled.

    `x` may stand in the place of the subject's own input.
    """
    layer, x = subject.layer, subject.x if x is None else x
    initial = list(zip(*(s.unbind() for s in layer.begin(x.shape[1])), strict=True))
    traces: list[Trace] = []
    directions = 1 + layer.bidirectional
    for number in range(layer.num_layers):
        here = [_trace(subject, place, x, initial[number * directions + place[1]]) for place in layer.places if place[0] == number]
        y = torch.cat([torch.stack([states[0] for states in trace.after]) for trace in here], -1)
        y = y.masked_fill(~subject.lengths.mask[..., None], 0)
        x = y + x if layer.residual and number else y
        traces += here
    return x, traces


def step_of(subject: Subject, place: Place) -> Callable[[Tensor, tuple[Tensor, ...]], Values]:
    """One step at a place: what the equations give for rows of inputs `[N, I]` and states before `[N, n]`."""

    def step(x: Tensor, before: tuple[Tensor, ...]) -> Values:
        return values_of_step(subject.layer.problem(place, x[None], before, None, None, every_state=False))

    return step


def _trace(subject: Subject, place: Place, x: Tensor, initial: tuple[Tensor, ...]) -> Trace:
    step, names = step_of(subject, place), subject.layer.cell.states
    resets = None if subject.resets is None else in_reverse(subject.resets) if place[1] else subject.resets
    # Taken apart once: a step taken out by its number costs a whole sequence of zeros on the way back.
    inputs, befores, afters, values, states = x.unbind(), {}, {}, {}, initial
    for t in reading_order(len(x), place):
        if resets is not None:
            states = tuple(torch.where(resets[t, :, None], i, s) for i, s in zip(initial, states, strict=True))
        befores[t], values[t] = states, step(inputs[t], states)
        real = subject.lengths.mask[t, :, None]
        # A node of its own at every step, so that a gradient can be asked for at each.
        states = tuple(torch.where(real, values[t][name], old) for name, old in zip(names, states, strict=True))
        afters[t] = states
    in_time = lambda found: [found[t] for t in range(len(x))]  # noqa: E731
    return Trace(place, x, in_time(befores), in_time(afters), in_time(values))
