"""The core of what is remembered: the norms of exact Jacobians, by backward passes for many units and steps side by side."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from unrolled.inspect.subject import Subject

NUMBERS_AT_ONCE = 1 << 25
"""How many numbers the passes that run side by side may keep: 256 MiB. More of them are no faster."""

MOST_WORK = 1 << 21
"""Steps of backward passes that are done without being asked for; the time of 5000 steps with 256 units, and as much again."""

FEWEST_PROBES = 8

Features = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""`(x [T, R, I], lengths [R], resets [T, R] or None) -> [T, R, n]`, or `[R, n]` for what there is one of in a sequence."""


@dataclass(frozen=True, eq=False)
class Passes:
    """Which rows of Jacobians are computed: for each chosen step `at` `[A, B]` (-1 for none) one for each of `probes` `[K, n]`.

    With `causal` no step after the chosen one matters. `note` says whether the probes are but a sample.
    """

    at: Tensor
    probes: Tensor
    causal: bool
    note: str = ""

    def rows(self) -> Tensor:
        """The chosen steps, sequences and probes of all passes, `[3, R]`."""
        chosen, sequence = (self.at >= 0).nonzero(as_tuple=True)
        count = len(self.probes)
        probe = torch.arange(count, device=self.at.device).repeat(len(chosen))
        return torch.stack([chosen.repeat_interleave(count), sequence.repeat_interleave(count), probe])


def plan_passes(subject: Subject, at: Tensor, basis: Tensor, causal: bool, count: int | None, seed: int) -> Passes:
    """Passes for all rows of `basis` `[K, n]`, or for `count` random combinations of them; None for as many as there is time for.

    The mean square of `v @ J` over random signs v is the squared Frobenius norm of `J` (Hutchinson 1990); with m of them the standard error
    of the norm is at most a part of 1 / sqrt(2 m).
    """
    units = len(basis)
    ends = at + 1 if causal else subject.lengths.values.expand_as(at)
    work = int(ends[at >= 0].sum())
    count = max(FEWEST_PROBES, MOST_WORK // max(work, 1)) if count is None else count
    if count >= units:
        return Passes(at, basis, causal)
    generator = torch.Generator().manual_seed(seed)
    signs = torch.randint(2, (count, units), generator=generator).to(basis) * 2 - 1
    error = (2 * count) ** -0.5
    note = f"{count} random combinations of {units} units, standard error at most {error:.0%}"
    return Passes(at, signs @ basis * count**-0.5, causal, note)


def influence(subject: Subject, features: Features, passes: Passes) -> Tensor:
    """`[A, T, B]`: the norm of `probes @ ∂features[at]/∂x[s]` for every s."""
    steps, batch, columns = subject.x.shape
    total = subject.x.new_zeros(len(passes.at) * batch, steps)
    size = subject.layer.num_layers * (1 + subject.layer.bidirectional) * 4 * sum(subject.layer.state_sizes.values()) + 2 * columns
    at_once = max(1, NUMBERS_AT_ONCE // (max(steps, 1) * size))
    rows_of_all = passes.rows()
    for rows in rows_of_all.split(at_once, 1) if rows_of_all.numel() else ():
        chosen, sequence, _ = rows
        found = _squares(subject, features, passes, rows)
        total[:, : len(found)].index_add_(0, chosen * batch + sequence, found.t())
    return total.sqrt().view(-1, batch, steps).transpose(1, 2)


def _squares(subject: Subject, features: Features, passes: Passes, rows: Tensor) -> Tensor:
    """`[T, R]`: the squared norms of one cotangent's derivative for each row; only as many steps as matter."""
    chosen, sequence, probe = rows
    step = passes.at[chosen, sequence]
    lengths = step + 1 if passes.causal else subject.lengths.values[sequence]
    steps = int(lengths.max())
    resets = None if subject.resets is None else subject.resets[:steps, sequence]
    with torch.enable_grad():
        x = subject.x[:steps, sequence].requires_grad_()
        found = features(x, lengths, resets)
        picked = found if found.dim() == 2 else found[step, torch.arange(len(step), device=step.device)]
        (gradient,) = torch.autograd.grad((picked * passes.probes[probe]).sum(), x)
    return gradient.square().sum(-1)
