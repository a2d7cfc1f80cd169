"""What every line of a cell's text gives at every step: gates, and all else that engines do not keep."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.engines import Lengths, read_lengths, values_of_step
from unrolled.layers.checks import in_reverse
from unrolled.layers.parameters import Place
from unrolled.layers.recurrent import Recurrent, State

RUNAWAY = 100.0
"""The size from which the value of a state ran away: a tanh of it has been flat to the last bit for long, and no gradient passes it any more."""


@dataclass(frozen=True, eq=False)
class Lines:
    """What the lines of the cell's text give at one place, `values` `[T, B, n]` by the name on their left, 0 past each end.

    `x` `[T, B, I]` is what every step reads there, and `before`, a tensor `[T, B, n]` for each state, what it begins with. Those of a convolutional
    layer have planes, `[T, B, n, *space]`.
    """

    place: Place
    x: Tensor
    before: State
    values: Mapping[str, Tensor]


@torch.no_grad()
def every_line(
    layer: Recurrent,
    x: Tensor,
    state: State | None = None,
    *,
    lengths: Tensor | Sequence[int] | None = None,
    resets: Tensor | None = None,
) -> list[Lines]:
    """What the lines of the cell's text give without dropout, in every layer and direction.

    The arguments are those of the layer, steps first. It runs on its engine for its states; since what every step begins with is known
    then, the lines of all steps are computed at once, as rows of one step.
    """
    steps, batch, space = *x.shape[:2], x.shape[3:] if layer.planes else None
    real = read_lengths([steps] * batch if lengths is None else lengths, steps, batch, x.device)
    initial = layer.begin(batch, space) if state is None else state
    if layer.planes:
        x, initial = x.movedim(2, -1), tuple(s.movedim(2, -1).contiguous() for s in initial)
    trained, layer.training = layer.training, False
    try:
        _, _, history = layer._run(x, initial, real, resets, every_state=True)
        found = []
        for number, (place, given) in enumerate(_inputs(layer, x, history)):
            before = _before(tuple(h[number] for h in history), tuple(s[number] for s in initial), place, real, resets)
            rows = tuple(s[real.mask] for s in before)
            values = values_of_step(layer.problem(place, given[real.mask][None], rows, None, None, every_state=False))
            padded = {name: _laid_out(_padded(value, real), layer) for name, value in values.items()}
            found.append(Lines(place, _laid_out(given, layer), tuple(_laid_out(s, layer) for s in before), padded))
        return found
    finally:
        layer.training = trained


def _inputs(layer: Recurrent, x: Tensor, history: State) -> Iterator[tuple[Place, Tensor]]:
    """What each layer and direction reads, when the outputs of all are known."""
    directions = 2 if layer.bidirectional else 1
    given = read = x
    for number, place in enumerate(layer.places):
        if place[0] and not place[1]:
            outputs = history[: layer.cell.recurrence.outputs]
            below = torch.cat([steps[n] for n in range(number - directions, number) for steps in outputs], -1)
            x = below + x if layer.residual and place[0] > 1 else below
            read = layer.beside(x, given)
        yield place, read


def _before(after: State, initial: State, place: Place, real: Lengths, resets: Tensor | None) -> State:
    """The states `[T, B, n]` that each step begins with, from those `after` it."""
    first = real.values - 1 if place[1] else torch.zeros_like(real.values)
    begins = torch.arange(real.steps, device=first.device)[:, None] == first
    if resets is not None:
        begins = begins | (in_reverse(resets) if place[1] else resets)
    shift = -1 if place[1] else 1
    return tuple(
        torch.where(begins.view(*begins.shape, *(1,) * (s.dim() - 2)), i, s.roll(shift, 0)) for s, i in zip(after, initial, strict=True)
    )


def _padded(value: Tensor, real: Lengths) -> Tensor:
    """Real steps one below the other, as `[T, B, n]`."""
    padded = value.new_zeros(*real.mask.shape, *value.shape[1:])
    padded[real.mask] = value
    return padded


def _laid_out(values: Tensor, layer: Recurrent) -> Tensor:
    """As the layer gives what is its own: the channels of planes before their places."""
    return values.movedim(-1, 2) if layer.planes else values
