"""What the recurrent maps and the steps do to small differences: singular values and Lyapunov exponents."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.equations.recurrence import RECURRENT_MAP
from unrolled.inspect.subject import Input, Looked, SomeLengths, Subject, read_subject, recurrent_of, still
from unrolled.inspect.walk import Place, lines_of, reading_order, shape_of, step_of, where
from unrolled.inspect.wording import sentence, verdict
from unrolled.layers import Lines, Recurrent

Maps = Mapping[str, np.ndarray]
"""The singular values of each recurrent map, largest first."""


@dataclass(frozen=True, eq=False)
class PlaceSpectrum:
    """One layer and direction (0 forward, 1 reverse).

    `maps`: the singular values of the recurrent maps. `singular` `[N, B, S]`: those of the Jacobian ∂state[t]/∂state[t-1] of the
    whole state (of an LSTM h and c, S = 2 H) at each of `steps` `[N]`; NaN past a sequence's end. `exponents` `[B, m]`: the largest
    Lyapunov exponents of each sequence, in nats per step, largest first; NaN for one without steps.
    """

    place: Place
    maps: Maps
    steps: np.ndarray
    singular: np.ndarray
    exponents: np.ndarray

    @property
    def rate(self) -> float:
        """The factor per step by which a small difference grows or shrinks in the long run: e to the largest exponent, mean over sequences."""
        largest = self.exponents[:, 0]
        return float(np.exp(np.nanmean(largest))) if not np.isnan(largest).all() else np.nan


@dataclass(frozen=True, eq=False)
class JacobianSpectrum:
    """One `PlaceSpectrum` for each layer and direction, in the order of the states; `lengths` `[B]`, `shape` is `(L, D)`.

    What a layer does within a step does not change these: the Jacobian of the whole stack is block-triangular, and its exponents are those of
    its layers together.
    """

    places: tuple[PlaceSpectrum, ...]
    lengths: np.ndarray
    shape: tuple[int, int]

    @property
    def maps(self) -> dict[Place, Maps]:
        """Those of every layer and direction."""
        return {p.place: p.maps for p in self.places}

    @property
    def verdict(self) -> str:
        """What becomes of a small difference in the state, in a sentence."""
        steps = int(self.lengths.max(initial=0))
        said = {where(p.place, self.shape): verdict(p.rate, steps) for p in self.places}
        return sentence("A small difference in the state", said)


def jacobian_spectrum(
    layer_or_model: Looked,
    x: Input,
    lengths: SomeLengths = None,
    *,
    exponents: int = 8,
    samples: int = 64,
    last: int | None = None,
    seed: int = 0,
) -> JacobianSpectrum:
    """Singular values of recurrent maps and step Jacobians, and Lyapunov exponents, along the states that an input leads through.

    Args:
        layer_or_model, x, lengths: a layer or a model, and what it is called with.
        exponents: m, how many of the largest, at most S.
        samples: at so many steps, evenly spaced, the Jacobian is computed whole.
        last: the exponents are those of so many last steps of each sequence in the order of reading; None for all of them.
        seed: of the directions with which the exponents begin.

    The exponents are found by the QR method (Benettin et al. 1980): m directions are taken along by the exact derivative of each step and made
    orthogonal again. The first tenth of the steps lets them turn to where they belong and is not counted. Where lines begin anew,
    the exponents go on as if the state had not been set back.
    """
    subject = read_subject(layer_or_model, x, lengths)
    places = tuple(_place(subject, lines, exponents, samples, last, seed) for lines in lines_of(subject))
    return JacobianSpectrum(places, subject.lengths.values.cpu().numpy(), shape_of(subject.layer))


def recurrent_maps(layer_or_model: Looked) -> dict[Place, Maps]:
    """The singular values of the recurrent maps of every layer and direction, by `(layer, direction)`: what needs no input."""
    layer = recurrent_of(still(layer_or_model))
    return {place: _maps(layer, place) for place in layer.places}


def _maps(layer: Recurrent, place: Place) -> Maps:
    recurrence = layer.cell.recurrence
    names = [p.name for p in recurrence.parameters if p.kind == RECURRENT_MAP and p.name not in recurrence.constant]
    return {name: torch.linalg.svdvals(layer.block(name, place[0], bool(place[1]))).cpu().numpy() for name in names}


def _place(subject: Subject, lines: Lines, exponents: int, samples: int, last: int | None, seed: int) -> PlaceSpectrum:
    maps = _maps(subject.layer, lines.place)
    steps = np.linspace(0, len(lines.x) - 1, min(samples, len(lines.x))).round().astype(int)
    singular = torch.stack([torch.linalg.svdvals(_jacobian(subject, lines, t)) for t in steps.tolist()])
    singular = singular.masked_fill(~subject.lengths.mask[steps][..., None], torch.nan)
    found = _lyapunov(subject, lines, exponents, last, seed)
    return PlaceSpectrum(lines.place, maps, steps, singular.cpu().numpy(), found.cpu().numpy())


def _jacobian(subject: Subject, lines: Lines, t: int) -> Tensor:
    """∂(states after)/∂(states before) of one step, `[B, S, S]`: for each sequence one backward pass with a row for each unit."""
    step, names, found = step_of(subject, lines.place), subject.layer.cell.states, []
    for row in range(lines.x.shape[1]):
        alone = tuple(s[t, row : row + 1] for s in lines.before)
        units = sum(s.shape[1] for s in alone)
        with torch.enable_grad():
            before = tuple(s.repeat(units, 1).requires_grad_() for s in alone)
            values = step(lines.x[t, row : row + 1].repeat(units, 1), before)
            total = torch.cat([values[name] for name in names], -1).diagonal().sum()
        found.append(torch.cat(torch.autograd.grad(total, before, allow_unused=True, materialize_grads=True), -1))
    return torch.stack(found)


def _lyapunov(subject: Subject, lines: Lines, count: int, last: int | None, seed: int) -> Tensor:
    """`[B, m]`: the mean logarithms of how much each direction is stretched beyond those before it."""
    sizes = [s.shape[2] for s in lines.before]
    batch, total, ends = lines.x.shape[1], sum(sizes), subject.lengths.values
    start = torch.randn(batch, total, min(count, total), generator=torch.Generator().manual_seed(seed), dtype=lines.x.dtype)
    directions = torch.linalg.qr(start.to(lines.x.device)).Q
    used = ends if last is None else ends.clamp(max=last)
    sums, turning = directions.new_zeros(batch, directions.shape[2]), used // 10
    for t in reading_order(len(lines.x), lines.place):
        since = used - ends + (ends - 1 - t if lines.place[1] else t)
        real = (t < ends) & (since >= 0)
        if not real.any():
            continue
        stretched, triangle = torch.linalg.qr(_carry(subject, lines, t, directions, sizes))
        directions = torch.where(real[:, None, None], stretched, directions)
        logs = triangle.diagonal(dim1=1, dim2=2).abs().log()
        sums = sums + torch.where((real & (since >= turning))[:, None], logs, 0)
    return (sums / (used - turning)[:, None]).sort(descending=True).values


def _carry(subject: Subject, lines: Lines, t: int, directions: Tensor, sizes: list[int]) -> Tensor:
    """The exact derivative of a step along directions `[B, S, m]`.

    What goes back, `u @ J`, is linear in u, so that its own derivative takes directions forward.
    """
    step, count = step_of(subject, lines.place), directions.shape[2]
    with torch.enable_grad():
        before = tuple(s[t].repeat_interleave(count, 0).requires_grad_() for s in lines.before)
        values = step(lines.x[t].repeat_interleave(count, 0), before)
        after = [values[name] for name in subject.layer.cell.states]
        back = [torch.zeros_like(a, requires_grad=True) for a in after]
        gone_back = torch.autograd.grad(after, before, back, create_graph=True, allow_unused=True, materialize_grads=True)
    tangents = directions.transpose(1, 2).flatten(0, 1).split(sizes, -1)
    moved = torch.autograd.grad(gone_back, back, tangents, allow_unused=True, materialize_grads=True)
    return torch.cat(moved, -1).unflatten(0, (-1, count)).transpose(1, 2)
