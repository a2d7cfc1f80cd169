"""What happens at every step, in every layer and direction, which engines do not keep: states with their gradients, and all that the
equations name."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from unrolled.engines import values_of_step
from unrolled.inspect.subject import Subject
from unrolled.layers import Lines, Recurrent, every_line
from unrolled.layers.checks import in_reverse

Place = tuple[int, int]
Values = Mapping[str, Tensor]
After = Sequence[tuple[Tensor, ...]]
"""For each step the states after it, `[B, n]` each."""


def place_name(place: Sequence[int], shape: Sequence[int]) -> str:
    """What a place is called among `[L, D]` of them; empty where there is but one."""
    parts = [f"layer {place[0]}"] if shape[0] > 1 else []
    return ", ".join([*parts, *([("forward", "reverse")[place[1]]] if shape[1] > 1 else [])])


def where(place: Sequence[int], shape: Sequence[int]) -> str:
    """The same as a sentence ends with it."""
    parts = [f"in layer {place[0]}"] if shape[0] > 1 else []
    return " ".join([*parts, *([("forwards", "in reverse")[place[1]]] if shape[1] > 1 else [])])


def shape_of(layer: Recurrent) -> tuple[int, int]:
    """The numbers of layers and of directions, `(L, D)`."""
    return layer.num_layers, 1 + layer.bidirectional


def reading_order(steps: int, place: Place) -> range:
    """The steps in the order in which a place reads them."""
    return range(steps)[::-1] if place[1] else range(steps)


def walk(subject: Subject, x: Tensor) -> tuple[Tensor, list[After]]:
    """The output `[T, B, D H]` of the last layer, 0 past each end, and the states after every step at every place, step by step.

    With gradients where they are enabled, so that one can be asked for at every step; `x` stands in the place of the subject's own input.
    """
    layer = subject.layer
    outputs = layer.cell.recurrence.outputs
    initial = list(zip(*(s.unbind() for s in layer.begin(x.shape[1])), strict=True))
    found: list[After] = []
    for number in range(layer.num_layers):
        here = [_states(subject, place, x, initial[layer.places.index(place)]) for place in layer.places if place[0] == number]
        y = torch.cat([torch.stack([torch.cat(states[:outputs], -1) for states in after]) for after in here], -1)
        y = y.masked_fill(~subject.lengths.mask[..., None], 0)
        x = y + x if layer.residual and number else y
        found += here
    return x, found


def lines_of(subject: Subject) -> list[Lines]:
    """What every line of the equations gives at every place, without gradients."""
    return every_line(subject.layer, subject.x, lengths=subject.lengths.values, resets=subject.resets)


def step_of(subject: Subject, place: Place) -> Callable[[Tensor, tuple[Tensor, ...]], Values]:
    """One step at a place: what the equations give for rows of inputs `[N, I]` and states before `[N, n]`."""

    def step(x: Tensor, before: tuple[Tensor, ...]) -> Values:
        return values_of_step(subject.layer.problem(place, x[None], before, None, None, every_state=False))

    return step


def _states(subject: Subject, place: Place, x: Tensor, initial: tuple[Tensor, ...]) -> After:
    """Those after each step; past a row's end they stay as they are."""
    step, names = step_of(subject, place), subject.layer.cell.states
    resets = None if subject.resets is None else in_reverse(subject.resets) if place[1] else subject.resets
    # Taken apart once: a step taken out by its number costs a whole sequence of zeros on the way back.
    inputs, found, states = x.unbind(), {}, initial
    for t in reading_order(len(x), place):
        if resets is not None:
            states = tuple(torch.where(resets[t, :, None], i, s) for i, s in zip(initial, states, strict=True))
        values, real = step(inputs[t], states), subject.lengths.mask[t, :, None]
        # A node of its own at every step, so that a gradient can be asked for at each.
        states = found[t] = tuple(torch.where(real, values[name], old) for name, old in zip(names, states, strict=True))
    return [found[t] for t in range(len(x))]
