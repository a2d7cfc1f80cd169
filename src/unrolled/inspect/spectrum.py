"""What the recurrent maps and the steps do to small differences: singular values and Lyapunov exponents."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from unrolled.equations.recurrence import RECURRENT_MAP
from unrolled.inspect.subject import Input, Looked, SomeLengths, Subject, read_subject
from unrolled.inspect.walk import Place, Trace, place_name, step_of, walk
from unrolled.inspect.wording import sentence, verdict


@dataclass(frozen=True, eq=False)
class PlaceSpectrum:
    """One layer and direction (0 forward, 1 reverse).

    `maps`: the singular values of each recurrent map, largest first. `singular` `[N, B, S]`: those of the Jacobian ∂state[t]/∂state[t-1] of the
    whole state (of an LSTM h and c, S = 2 H) at each of `steps` `[N]`; NaN past a sequence's end. `exponents` `[B, m]`: the largest
    Lyapunov exponents of each sequence, in nats per step, largest first; NaN for one without steps.
    """

    place: Place
    maps: Mapping[str, np.ndarray]
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
    def verdict(self) -> str:
        """What becomes of a small difference in the state, in a sentence."""
        steps = int(self.lengths.max(initial=0))
        said = {place_name(p.place, self.shape): verdict(p.rate, steps) for p in self.places}
        return sentence("A small difference in the state", said)


def jacobian_spectrum(
    layer_or_model: Looked, x: Input, lengths: SomeLengths = None, *, exponents: int = 8, samples: int = 64, seed: int = 0
) -> JacobianSpectrum:
    """Singular values of recurrent maps and step Jacobians, and Lyapunov exponents, along the states that an input leads through.

    Args:
        layer_or_model, x, lengths: a layer or a model, and what it is called with.
        exponents: m, how many of the largest, at most S.
        samples: at so many steps, evenly spaced, the Jacobian is computed whole.
        seed: of the directions with which the exponents begin.

    The exponents are found by the QR method (Benettin et al. 1980): m directions are taken along by the exact derivative of each step and made
    orthogonal again. The first tenth of a sequence lets them turn to where they belong and is not counted. Where lines begin anew,
    the exponents go on as if the state had not been set back.
    """
    subject = read_subject(layer_or_model, x, lengths)
    with torch.no_grad():
        _, traces = walk(subject)
    places = tuple(_place(subject, trace, exponents, samples, seed) for trace in traces)
    layer = subject.layer
    return JacobianSpectrum(places, subject.lengths.values.cpu().numpy(), (layer.num_layers, 1 + layer.bidirectional))


def _place(subject: Subject, trace: Trace, exponents: int, samples: int, seed: int) -> PlaceSpectrum:
    layer, (number, direction) = subject.layer, trace.place
    maps = {
        p.name: torch.linalg.svdvals(layer.block(p.name, number, bool(direction))).cpu().numpy()
        for p in layer.cell.recurrence.parameters
        if p.kind == RECURRENT_MAP
    }
    steps = np.linspace(0, len(trace.x) - 1, min(samples, len(trace.x))).round().astype(int)
    singular = torch.stack([torch.linalg.svdvals(_jacobian(subject, trace, t)) for t in steps.tolist()])
    singular = singular.masked_fill(~subject.lengths.mask[steps][..., None], torch.nan)
    return PlaceSpectrum(trace.place, maps, steps, singular.cpu().numpy(), _lyapunov(subject, trace, exponents, seed).cpu().numpy())


def _jacobian(subject: Subject, trace: Trace, t: int) -> Tensor:
    """∂(states after)/∂(states before) of one step, `[B, S, S]`: for each sequence one backward pass with a row for each unit."""
    step, names, found = step_of(subject, trace.place), subject.layer.cell.states, []
    for row in range(trace.x.shape[1]):
        alone = tuple(s[row : row + 1] for s in trace.before[t])
        units = sum(s.shape[1] for s in alone)
        with torch.enable_grad():
            before = tuple(s.repeat(units, 1).requires_grad_() for s in alone)
            values = step(trace.x[t, row : row + 1].repeat(units, 1), before)
            total = torch.cat([values[name] for name in names], -1).diagonal().sum()
        found.append(torch.cat(torch.autograd.grad(total, before, allow_unused=True, materialize_grads=True), -1))
    return torch.stack(found)


def _lyapunov(subject: Subject, trace: Trace, count: int, seed: int) -> Tensor:
    """`[B, m]`: the mean logarithms of how much each direction is stretched beyond those before it."""
    sizes = [s.shape[1] for s in trace.before[0]]
    batch, total, ends = trace.x.shape[1], sum(sizes), subject.lengths.values
    start = torch.randn(batch, total, min(count, total), generator=torch.Generator().manual_seed(seed), dtype=trace.x.dtype)
    directions = torch.linalg.qr(start.to(trace.x.device)).Q
    sums, counted = directions.new_zeros(batch, directions.shape[2]), ends - ends // 10
    for t in trace.order:
        stretched, triangle = torch.linalg.qr(_carry(subject, trace, t, directions, sizes))
        real = t < ends
        directions = torch.where(real[:, None, None], stretched, directions)
        since = ends - 1 - t if trace.place[1] else torch.full_like(ends, t)
        logs = triangle.diagonal(dim1=1, dim2=2).abs().log()
        sums = sums + torch.where((real & (since >= ends // 10))[:, None], logs, 0)
    return (sums / counted[:, None]).sort(descending=True).values


def _carry(subject: Subject, trace: Trace, t: int, directions: Tensor, sizes: list[int]) -> Tensor:
    """The exact derivative of a step along directions `[B, S, m]`.

    What goes back, `u @ J`, is linear in u, so that its own derivative takes directions forward.
    """
    step, count = step_of(subject, trace.place), directions.shape[2]
    with torch.enable_grad():
        before = tuple(s.repeat_interleave(count, 0).requires_grad_() for s in trace.before[t])
        values = step(trace.x[t].repeat_interleave(count, 0), before)
        after = [values[name] for name in subject.layer.cell.states]
        back = [torch.zeros_like(a, requires_grad=True) for a in after]
        gone_back = torch.autograd.grad(after, before, back, create_graph=True, allow_unused=True, materialize_grads=True)
    tangents = directions.transpose(1, 2).flatten(0, 1).split(sizes, -1)
    moved = torch.autograd.grad(gone_back, back, tangents, allow_unused=True, materialize_grads=True)
    return torch.cat(moved, -1).unflatten(0, (-1, count)).transpose(1, 2)
